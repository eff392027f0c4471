from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.indicators import crosses, ema, ema_warmup
from engine.strategy import Columns, Plot, Strategy, integer
from engine.types import Candles, Signals


class EmaCross(Strategy):
    name, title = "ema_cross", "EMA cross"
    description = (
        "Buys when the fast exponential average of closes crosses above the slow one and sells when it crosses back below. It "
        "answers sooner than simple averages, because new prices weigh more. That makes it quicker into trends, and quicker into "
        "false ones: sideways markets cost it even more fees."
    )
    sources = (
        "Appel (2005), Technical Analysis: Power Tools for Active Investors",
        "Elder (1993), Trading for a Living",
    )
    plots = {"fast": Plot("Fast average"), "slow": Plot("Slow average")}

    fast: int = integer(12, low=1, high=5_000, label="Fast", help="Span of the fast average, in candles.", search=(5, 24, 1))
    slow: int = integer(26, low=2, high=10_000, label="Slow", help="Span of the slow average, in candles.", search=(30, 125, 5))

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> dict[str, str]:
        if values["fast"] < values["slow"]:
            return {}
        return {"fast": f"fast must be less than slow; got {values['fast']} and {values['slow']}."}

    def warmup(self) -> int:
        return ema_warmup(self.slow) + 1

    def indicators(self, candles: Candles) -> Columns:
        return {"fast": ema(candles.close, self.fast), "slow": ema(candles.close, self.slow)}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        above, below = crosses(columns["fast"], columns["slow"])
        return Signals(entry=above, exit=below)
