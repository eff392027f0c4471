from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.indicators import highest, lowest, previous
from engine.strategy import Columns, Plot, Strategy, integer
from engine.types import Candles, Signals


class DonchianBreakout(Strategy):
    name, title = "donchian_breakout", "Donchian breakout"
    description = (
        "Buys a close above the highest high of the candles before it and sells a close below the lowest low of a shorter "
        "stretch: the rule of the turtle traders. A few long trends pay for many small losses, so expect to lose on most trades. "
        "It suffers in ranges, where breakouts fail."
    )
    sources = (
        "Donchian (1960), High Finance in Copper, Financial Analysts Journal 16(6)",
        "Faith (2007), Way of the Turtle",
    )
    plots = {"upper": Plot("Highest high"), "lower": Plot("Lowest low")}

    entry_period: int = integer(
        20, low=1, high=10_000, label="Entry period", help="Candles whose highest high must be exceeded.", search=(10, 100, 5)
    )
    exit_period: int = integer(
        10, low=1, high=10_000, label="Exit period", help="Candles whose lowest low must be undercut.", search=(5, 50, 5)
    )

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> dict[str, str]:
        entry, leave = values["entry_period"], values["exit_period"]
        return {} if leave <= entry else {"exit_period": f"exit_period must not exceed entry_period; got {leave} and {entry}."}

    def warmup(self) -> int:
        return self.entry_period + 1

    def indicators(self, candles: Candles) -> Columns:
        return {
            "upper": previous(highest(candles.high, self.entry_period)),
            "lower": previous(lowest(candles.low, self.exit_period)),
        }

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        return Signals(entry=candles.close > columns["upper"], exit=candles.close < columns["lower"])
