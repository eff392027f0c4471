"""Strategies as people may write them: one that rests orders, one that raises, one that never returns."""

from __future__ import annotations

import numpy as np

from engine.strategies import registry
from engine.strategy import Columns, Strategy
from engine.types import Candles, Signals


class Simple(Strategy):
    description = "For tests."

    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> Columns:
        return {}


class Dips(Simple):
    """Asks for a little less than the last close at each candle, and takes a little more."""

    name, title = "chaos_dips", "Dips"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        always = np.ones(len(candles), dtype=np.bool_)
        odd = candles.time // candles.step % 2 == 1
        return Signals(entry=always & ~odd, exit=odd, entry_limit=candles.close * 0.997, exit_limit=candles.close * 1.002)


class Raises(Simple):
    name, title = "chaos_raises", "Raises"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        raise ZeroDivisionError("a mistake of its author")


class Hangs(Simple):
    """Not even an `except Exception` around it lets it be."""

    name, title = "chaos_hangs", "Hangs"

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        while True:
            try:
                len(candles)
            except Exception:
                continue


CHAOTIC = (Dips, Raises, Hangs)


def register() -> None:
    for strategy in CHAOTIC:
        registry.find_strategies().add(strategy)


def unregister() -> None:
    for strategy in CHAOTIC:
        del registry.find_strategies().strategies[strategy.name]
