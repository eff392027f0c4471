"""What a desk under test knows of prices."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import orjson
from django.utils import timezone

from core.broker import broker_client
from core.times import to_ms
from engine.types import INTERVALS, Candles
from market.candles import write_candles
from market.exchanges.base import Tick
from market.models import CandleSeries
from market.prices import prices_key, prices_put
from market.services import instrument_ensure


def hear(symbol: str, price: str, *, venue: str = "binance", environment: str = "live", ago: float = 0) -> None:
    """A price of a stream, heard so many seconds ago."""
    now = timezone.now()
    if not ago:
        prices_put(venue=venue, environment=environment, ticks=[Tick(venue, symbol, Decimal(price), now)])
        return
    known = orjson.dumps([price, now.timestamp() - ago, now.timestamp() - ago, None, None])
    broker_client(1.0).hset(prices_key(venue, environment), symbol, known)


def store(
    symbol: str, close: str, *, venue: str = "binance", closed: datetime | None = None, ago: timedelta = timedelta(0)
) -> None:
    """A series whose last candle, of a minute, closed so long ago."""
    last = (closed or timezone.now()) - ago - timedelta(minutes=1)
    CandleSeries.objects.create(
        instrument=instrument_ensure(venue=venue, symbol=symbol),
        interval="1m",
        first=last,
        last=last,
        count=1,
        fingerprint="",
        last_close=Decimal(close),
    )


def store_closes(symbol: str, closes: Sequence[float], *, start: datetime, interval: str = "1h", venue: str = "binance") -> None:
    """Candles in a row whose first one opens at `start`; below zero stands for one that is missing."""
    close = np.array(closes, dtype=np.float64)
    time = to_ms(start) + np.arange(len(close), dtype=np.int64) * INTERVALS[interval]
    kept = close >= 0
    columns: list[Any] = [time[kept], *[close[kept]] * 4, np.ones(int(kept.sum()))]
    write_candles(instrument_ensure(venue=venue, symbol=symbol), Candles(symbol, interval, *columns))
