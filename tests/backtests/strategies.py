"""Strategies that do what they should not."""

from __future__ import annotations

import contextlib
import time

import numpy as np

from engine.strategy import Columns, Strategy, integer
from engine.types import Candles, Signals


class Base(Strategy):
    description = "For tests."

    def warmup(self) -> int:
        return 5

    def indicators(self, candles: Candles) -> Columns:
        return {"close": candles.close}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        rising = np.diff(candles.close, prepend=candles.close[0]) > 0
        return Signals(entry=rising, exit=~rising)


class Peeking(Base):
    """Buys when the next candle will close higher."""

    name, title = "peeking", "Peeking"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        rising = np.diff(candles.close, append=candles.close[-1]) > 0
        return Signals(entry=rising, exit=~rising)


class PeekingIndicator(Base):
    """Scales by the mean of the whole history."""

    name, title = "peeking_indicator", "Peeking indicator"

    def indicators(self, candles: Candles) -> Columns:
        return {"scaled": candles.close / candles.close.mean()}


class Honest(Base):
    name, title = "honest", "Honest"


class Raising(Base):
    name, title = "raising", "Raising"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        raise ZeroDivisionError("no \x00 good")


class RaisingWith(Base):
    """Raises at one value of its parameter."""

    name, title = "raising_with", "Raising with"
    number: int = integer(0, low=0, high=10)

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        if self.number == 2:
            raise ZeroDivisionError("no good")
        return super().signals(candles, columns)


class Misshapen(Base):
    name, title = "misshapen", "Misshapen"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        return Signals(entry=np.zeros(3, dtype=bool))


class Endless(Base):
    """Never returns, and swallows what is thrown at it."""

    name, title = "endless", "Endless"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        while True:
            with contextlib.suppress(Exception):
                time.sleep(60)


class Early(Base):
    """Declares a warm-up that its indicator outlasts, and asks to trade before it is over."""

    name, title = "early", "Early"
    length: int = integer(30, low=2, high=100)

    def indicators(self, candles: Candles) -> Columns:
        late = candles.close.copy()
        late[: self.length] = np.nan
        return {"late": late}


class Resting(Base):
    """Limit orders under the market that often stay open, and stops."""

    name, title, position = "resting", "Resting", "lots"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        every = np.arange(len(candles)) % 7 == 0
        return Signals(
            entry=every,
            entry_limit=np.where(every, candles.close * 0.995, np.nan),
            exit=np.arange(len(candles)) % 97 == 96,
            weight=np.full(len(candles), 0.5),
        )


ALL = (Peeking, PeekingIndicator, Honest, Raising, RaisingWith, Misshapen, Endless, Early, Resting)
