from __future__ import annotations

import numpy as np

from engine.strategy import Columns, Strategy, integer, number
from engine.types import Candles, Signals


class Dca(Strategy):
    name, title = "dca", "Dollar-cost averaging"
    description = (
        "Buys every so many candles, whatever the price, and adds to one position. Each purchase spends a part of what the "
        "sizing allows: of all free cash by default, or of a fixed amount. It does not sell by itself; a take-profit on the run "
        "closes the position at a gain on the average price. It loses when the market ends below that average, and trails buy "
        "and hold in a rising one."
    )
    sources = (
        "Graham (1949), The Intelligent Investor",
        "Constantinides (1979), A Note on the Suboptimality of Dollar-Cost Averaging as an Investment Policy",
    )
    position = "merge"

    every: int = integer(
        24, low=1, high=100_000, label="Every", help="Candles from one purchase to the next.", search=(12, 168, 12)
    )
    part: float = number(
        0.02,
        low=0.0001,
        high=1,
        label="Part",
        help="Share of the sizing that each purchase spends: 1 with a fixed amount.",
        search=(0.01, 0.05, 0.01),
    )

    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> Columns:
        return {}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        entry = np.zeros(len(candles), dtype=np.bool_)
        entry[:: self.every] = True
        return Signals(entry=entry, weight=np.full(len(candles), self.part))
