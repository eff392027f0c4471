"""Candles and the files that carry them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any

import numpy as np

from core.text import ms_text
from engine.types import INTERVALS, Candles
from market import import_jobs, services
from market.generator import MarketShape, generate_candles
from market.models import CandleImport

HEADER = "timestamp,open,high,low,close,volume"
START = 1_640_995_200_000
COLUMNS = ("time", "open", "high", "low", "close", "volume")


def candles(count: int = 100, *, interval: str = "1m", start: int = START, seed: int = 1) -> Candles:
    market = MarketShape(price=100.0, tick=0.01, volume=50.0)
    return generate_candles(symbol="AAA-USD", interval=interval, start=start, count=count, seed=seed, market=market)


def lines(part: Candles) -> list[str]:
    columns = [getattr(part, name).tolist() for name in COLUMNS[1:]]
    return [",".join([ms_text(time), *map(repr, rest)]) for time, *rest in zip(part.time, *columns, strict=True)]


def text(rows: Iterable[str], header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def csv(part: Candles) -> bytes:
    return text(lines(part))


def take(data: bytes, interval: str = "1m", symbol: str = "AAA-USD", venue: str = "test", **more: Any) -> CandleImport:
    filename = more.pop("filename", "candles.csv")
    return services.candles_import(file=io.BytesIO(data), filename=filename, venue=venue, symbol=symbol, interval=interval, **more)


def work_imports() -> None:
    """Does what a worker would do with the imports that are queued."""
    for queued in CandleImport.objects.filter(status=CandleImport.Status.QUEUED):
        import_jobs.import_execute(import_id=queued.pk)


def same(one: Candles, other: Candles) -> bool:
    """Equal to the bit."""
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in COLUMNS)


def picked(part: Candles, keep: Any) -> Candles:
    return Candles(part.symbol, part.interval, *(getattr(part, name)[np.asarray(keep)] for name in COLUMNS))


def step_of(interval: str) -> int:
    return INTERVALS[interval]
