from __future__ import annotations

import numpy as np

from engine.strategy import Columns, Strategy
from engine.types import Candles, Signals


class BuyAndHold(Strategy):
    name, title = "buy_and_hold", "Buy and hold"
    description = (
        "Buys after the first candle and holds until the end. It is the benchmark that every other strategy has to beat after "
        "costs. It loses whatever the market loses, through every drawdown; the run's protective exits can cut it short, and then"
        " it does not buy again."
    )
    sources = ("Malkiel (1973), A Random Walk Down Wall Street", "Sharpe (1991), The Arithmetic of Active Management")

    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> Columns:
        return {}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        return Signals(entry=np.arange(len(candles)) == 0)
