"""What the benchmarks' bots do."""

from __future__ import annotations

import numpy as np

from engine.strategies import registry
from engine.strategy import Columns, Strategy, number
from engine.types import Candles, Signals


class Simple(Strategy):
    description = "For benchmarks."

    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> Columns:
        return {}


class Above(Simple):
    """At each close, waits for a price so far above it."""

    name, title = "bench_above", "Above"
    share: float = number(0.01, low=0, high=10)

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        always = np.ones(len(candles), dtype=np.bool_)
        return Signals(entry=always, entry_stop=candles.close * (1 + self.share))


class Below(Simple):
    """At each close, rests an order so far below it."""

    name, title = "bench_below", "Below"
    share: float = number(0.1, low=0, high=1)

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        always = np.ones(len(candles), dtype=np.bool_)
        return Signals(entry=always, entry_limit=candles.close * (1 - self.share))


def register() -> None:
    for strategy in (Above, Below):
        if strategy.name not in registry.find_strategies().strategies:
            registry.find_strategies().add(strategy)
