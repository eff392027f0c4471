"""What the demonstration data are: two years of BTC-USD, a quarter in minutes of three symbols, one gap to find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from core.times import to_ms
from engine.resample import resample
from engine.types import Candles
from market.generator import MarketShape, cut_gap, generate_candles

SEED = 4
MINUTES_FROM = datetime(2026, 1, 1, tzinfo=UTC)
MINUTES = 90 * 24 * 60
HOURS_BEFORE = 640 * 24


@dataclass(frozen=True, slots=True)
class Demo:
    symbol: str
    market: MarketShape
    lot: str
    gap: tuple[int, int] = (0, 0)
    """(index, count) of the minutes that are left out."""
    hours: bool = False
    """The demonstration has hours too: made up before the minutes begin, and made of the minutes from then on."""

    @property
    def rules(self) -> dict[str, Decimal | str | None]:
        return {"tick_size": Decimal(str(self.market.tick)), "lot_size": Decimal(self.lot), "min_notional": Decimal(5)}

    def candles(self, there: set[str]) -> Iterator[Candles]:
        """Each series, except those of intervals that are there already."""
        if there >= ({"1m", "1h"} if self.hours else {"1m"}):
            return
        market = self.market
        before = None
        if self.hours:
            start = to_ms(MINUTES_FROM - timedelta(hours=HOURS_BEFORE))
            before = generate_candles(symbol=self.symbol, interval="1h", start=start, count=HOURS_BEFORE, seed=SEED, market=market)
            market = replace(market, price=float(before.close[-1]))
        minutes = generate_candles(
            symbol=self.symbol, interval="1m", start=to_ms(MINUTES_FROM), count=MINUTES, seed=SEED, market=market
        )
        if "1m" not in there:
            yield cut_gap(minutes, *self.gap)
        if before is not None and "1h" not in there:
            yield join_candles(before, resample(minutes, "1h"), market.decimals)


def join_candles(first: Candles, second: Candles, decimals: int) -> Candles:
    second = replace(second, volume=np.round(second.volume, decimals))
    names = ("time", "open", "high", "low", "close", "volume")
    return Candles(first.symbol, first.interval, *(np.concatenate((getattr(first, name), getattr(second, name))) for name in names))


DEMO = (
    Demo("BTC-USD", MarketShape(price=62_000, tick=0.01, volatility=0.55, drift=0.25, volume=9_000), "0.00001", hours=True),
    Demo("ETH-USD", MarketShape(price=3_100, tick=0.01, volatility=0.75, drift=0.1, volume=90_000, decimals=4), "0.0001"),
    Demo(
        "SOL-USD",
        MarketShape(price=142, tick=0.01, volatility=0.95, drift=0.0, volume=1_500_000, decimals=3),
        "0.001",
        gap=(61_234, 47),
    ),
)
