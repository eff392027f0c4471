from __future__ import annotations

from engine.indicators import crosses, supertrend, wilder_warmup
from engine.strategy import Columns, Plot, Strategy, integer, number
from engine.types import Candles, Signals


class Supertrend(Strategy):
    name, title = "supertrend", "Supertrend"
    description = (
        "Follows a line that trails the price at a multiple of the average true range, and only ever tightens. It buys when a "
        "close breaks above the line and sells when one breaks below. Wide multiples give back much of a trend, narrow ones are "
        "whipsawed in ranges."
    )
    sources = (
        "Wilder (1978), New Concepts in Technical Trading Systems (the volatility system it comes from)",
        "Seban, Tout le monde mérite d'être riche",
    )
    plots = {"line": Plot("Supertrend"), "direction": Plot("Direction", pane="Direction")}

    period: int = integer(10, low=1, high=2_000, label="Period", help="Candles in the average true range.", search=(5, 30, 5))
    multiplier: float = number(
        3.0, low=0.1, high=20, label="Multiplier", help="Average true ranges between price and line.", search=(1, 6, 0.5)
    )

    def warmup(self) -> int:
        return wilder_warmup(self.period) + 1

    def indicators(self, candles: Candles) -> Columns:
        line, direction = supertrend(candles.high, candles.low, candles.close, self.period, self.multiplier)
        return {"line": line, "direction": direction}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        up, down = crosses(columns["direction"], 0.0)
        return Signals(entry=up, exit=down)
