from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.indicators import crosses, sma_many
from engine.strategy import Columns, Plot, Strategy, integer
from engine.types import Candles, Signals


class SmaCross(Strategy):
    name, title = "sma_cross", "SMA cross"
    description = (
        "Buys when the fast average of closes crosses above the slow one and sells when it crosses back below. It earns in long "
        "trends, of which it misses the first and the last part. It loses in sideways markets, where each false cross costs two "
        "fees and a little more."
    )
    sources = (
        "Brock, Lakonishok & LeBaron (1992), Simple Technical Trading Rules and the Stochastic Properties of Stock Returns",
        "Murphy (1999), Technical Analysis of the Financial Markets, ch. 9",
    )
    plots = {"fast": Plot("Fast average"), "slow": Plot("Slow average")}

    fast: int = integer(10, low=1, high=5_000, label="Fast", help="Candles in the fast average.", search=(5, 24, 1))
    slow: int = integer(50, low=2, high=10_000, label="Slow", help="Candles in the slow average.", search=(30, 125, 5))

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> dict[str, str]:
        if values["fast"] < values["slow"]:
            return {}
        return {"fast": f"fast must be less than slow; got {values['fast']} and {values['slow']}."}

    def warmup(self) -> int:
        return self.slow + 1

    def indicators(self, candles: Candles) -> Columns:
        fast, slow = sma_many(candles.close, [self.fast, self.slow])
        return {"fast": fast, "slow": slow}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        above, below = crosses(columns["fast"], columns["slow"])
        return Signals(entry=above, exit=below)
