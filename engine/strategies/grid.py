from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.strategy import Columns, Plot, Strategy, integer, number
from engine.types import Candles, Floats, Ladder, Signals


class Grid(Strategy):
    name, title = "grid", "Grid"
    description = (
        "Lays buy orders in equal steps below the first close and sells each lot one step higher, again and again. With levels "
        "above the first close too, it begins with a purchase to have something to sell there, and takes those levels up as the "
        "price passes them. It earns from prices that go back and forth within the grid. A market that leaves it downwards leaves "
        "it holding every lot at a loss, and one that leaves it upwards leaves it with cash: a stop-loss belongs to it."
    )
    sources = (
        "Taranto & Khan (2020), Gambler's Ruin Problem and Bi-Directional Grid Constrained Trading and Investment Strategies",
    )
    position = "lots"
    plots = {"highest": Plot("Highest rung"), "lowest": Plot("Lowest rung")}

    levels: int = integer(
        10, low=1, high=100, label="Levels", help="Number of buy orders; each gets an equal part of the sizing.", search=(5, 30, 5)
    )
    spacing: float = number(
        0.01,
        low=0.0005,
        high=0.2,
        label="Spacing",
        help="Step from one level to the next; 0.01 is 1 %.",
        search=(0.005, 0.03, 0.005),
    )

    above: int = integer(
        0,
        low=0,
        high=100,
        label="Above",
        help="How many of the levels lie above the first close. As many parts are bought at it, which the run's take-profit sells.",
        search=(0, 5, 5),
    )

    @classmethod
    def check(cls, values: Mapping[str, Any]) -> dict[str, str]:
        if values["above"] <= values["levels"]:
            return {}
        return {"above": f"above must be at most levels; got {values['above']} and {values['levels']}."}

    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> Columns:
        prices = self.prices(candles)
        return {name: np.full(len(candles), price) for name, price in (("highest", prices[1:2]), ("lowest", prices[-1:]))}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        prices = self.prices(candles)
        first = np.arange(len(candles)) == 0
        return Signals(
            entry=first & (self.above > 0),
            weight=np.full(len(candles), self.above / self.levels),
            ladder=Ladder(start=0, buy=prices[1:], sell=prices[:-1]) if len(candles) else None,
        )

    def prices(self, candles: Candles) -> Floats:
        """The highest sale and, under it, each level: a buy price, and the price at which the level below sells."""
        first = candles.close[0] if len(candles) else np.nan
        return np.asarray(first / (1.0 + self.spacing) ** np.arange(-self.above, self.levels - self.above + 1), dtype=np.float64)
