from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.indicators import crossed_above, rsi, wilder_warmup
from engine.strategy import Columns, Plot, Strategy, integer, number
from engine.types import Candles, Signals


class RsiReversion(Strategy):
    name, title = "rsi_reversion", "RSI reversion"
    description = (
        "Buys when the relative strength index climbs back out of the oversold zone and sells once it has reached the exit level."
        " It earns in ranges, where falls are bought back. It loses in lasting declines, in which oversold becomes more oversold:"
        " give it a stop-loss or a time limit."
    )
    sources = (
        "Wilder (1978), New Concepts in Technical Trading Systems",
        "Connors & Alvarez (2008), Short Term Trading Strategies That Work",
    )
    plots = {"rsi": Plot("RSI", pane="RSI")}

    period: int = integer(14, low=2, high=1_000, label="Period", help="Candles in the index.", search=(5, 30, 1))
    oversold: float = number(
        30.0, low=1, high=60, label="Oversold", help="Buy when the index rises through this level.", search=(15, 40, 5)
    )
    exit_level: float = number(
        55.0, low=20, high=99, label="Exit level", help="Sell when the index is at or above this level.", search=(45, 80, 5)
    )

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> dict[str, str]:
        if values["oversold"] < values["exit_level"]:
            return {}
        return {"oversold": f"oversold must be less than exit_level; got {values['oversold']:g} and {values['exit_level']:g}."}

    def warmup(self) -> int:
        return wilder_warmup(self.period) + 1

    def indicators(self, candles: Candles) -> Columns:
        return {"rsi": rsi(candles.close, self.period)}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        index = columns["rsi"]
        return Signals(entry=crossed_above(index, self.oversold), exit=index >= self.exit_level)
