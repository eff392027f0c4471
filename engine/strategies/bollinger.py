from __future__ import annotations

from engine.indicators import bollinger, crossed_above, crossed_below
from engine.strategy import Columns, Plot, Strategy, choice, integer, number
from engine.types import Candles, Signals


class Bollinger(Strategy):
    name, title = "bollinger", "Bollinger bands"
    description = (
        "Trades the bands that lie a number of standard deviations around an average. In the mode `reversion` it buys a close "
        "that falls through the lower band and sells back at the average; in the mode `breakout` it buys a close that rises "
        "through the upper band and sells below the average. Reversion loses in strong declines, breakout in ranges: they fail in"
        " each other's markets."
    )
    sources = ("Bollinger (2001), Bollinger on Bollinger Bands",)
    plots = {"upper": Plot("Upper band"), "middle": Plot("Average"), "lower": Plot("Lower band")}

    mode: str = choice(
        "reversion", ("reversion", "breakout"), label="Mode", help="Buy weakness (reversion) or strength (breakout)."
    )
    period: int = integer(20, low=2, high=5_000, label="Period", help="Candles in the average and the bands.", search=(10, 50, 5))
    width: float = number(
        2.0, low=0.1, high=6, label="Width", help="Standard deviations from the average to a band.", search=(1, 3, 0.25)
    )

    def warmup(self) -> int:
        return self.period + 1

    def indicators(self, candles: Candles) -> Columns:
        middle, upper, lower = bollinger(candles.close, self.period, self.width)
        return {"upper": upper, "middle": middle, "lower": lower}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        close, middle = candles.close, columns["middle"]
        if self.mode == "breakout":
            return Signals(entry=crossed_above(close, columns["upper"]), exit=close < middle)
        return Signals(entry=crossed_below(close, columns["lower"]), exit=close >= middle)
