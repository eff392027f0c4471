from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.indicators import crosses, ema_warmup, macd
from engine.strategy import Columns, Plot, Strategy, flag, integer
from engine.types import Candles, Signals


class Macd(Strategy):
    name, title = "macd", "MACD"
    description = (
        "Buys when the MACD line (a fast exponential average less a slow one) crosses above its own average, and sells when it "
        "crosses below. It follows the pace of a trend, so it is out before the trend itself ends. In quiet or choppy markets it "
        "crosses back and forth and pays for each."
    )
    sources = (
        "Appel (1979), The Moving Average Convergence-Divergence Trading Method",
        "Chong & Ng (2008), Technical Analysis and the London Stock Exchange: Testing the MACD and RSI Rules",
    )
    plots = {"macd": Plot("MACD", pane="MACD"), "signal": Plot("Signal", pane="MACD"), "histogram": Plot("Difference", pane="MACD")}

    fast: int = integer(12, low=1, high=2_000, label="Fast", help="Span of the fast average, in candles.", search=(6, 20, 2))
    slow: int = integer(26, low=2, high=5_000, label="Slow", help="Span of the slow average, in candles.", search=(22, 60, 2))
    signal: int = integer(
        9, low=1, high=2_000, label="Signal", help="Span of the line's own average, in candles.", search=(5, 15, 1)
    )
    above_zero: bool = flag(False, label="Above zero only", help="Buy only while the line is above zero: with the longer trend.")

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> dict[str, str]:
        if values["fast"] < values["slow"]:
            return {}
        return {"fast": f"fast must be less than slow; got {values['fast']} and {values['slow']}."}

    def warmup(self) -> int:
        return ema_warmup(self.slow) + ema_warmup(self.signal) + 1

    def indicators(self, candles: Candles) -> Columns:
        line, average, histogram = macd(candles.close, self.fast, self.slow, self.signal)
        return {"macd": line, "signal": average, "histogram": histogram}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        above, below = crosses(columns["macd"], columns["signal"])
        if self.above_zero:
            above &= columns["macd"] > 0.0
        return Signals(entry=above, exit=below)
