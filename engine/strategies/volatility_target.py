from __future__ import annotations

import numpy as np

from engine.indicators import realised_volatility, sma
from engine.strategy import Columns, Plot, Strategy, integer, number
from engine.types import Candles, Signals


class VolatilityTarget(Strategy):
    name, title = "volatility_target", "Volatility-target trend"
    description = (
        "Holds the market while it closes above its average, with a weight that aims at a constant yearly volatility: less when "
        "prices are wild, more when they are calm. Falls tend to come with volatility, so losses are cut early, at the price of "
        "smaller gains in sharp recoveries. It sizes its position itself, so the run's sizing is not used."
    )
    sources = (
        "Moreira & Muir (2017), Volatility-Managed Portfolios, Journal of Finance 72(4)",
        "Harvey et al. (2018), The Impact of Volatility Targeting, Journal of Portfolio Management 45(1)",
        "Faber (2007), A Quantitative Approach to Tactical Asset Allocation",
    )
    position = "merge"
    plots = {"average": Plot("Average"), "volatility": Plot("Yearly volatility", pane="Volatility")}

    trend: int = integer(100, low=1, high=10_000, label="Trend", help="Candles in the average.", search=(50, 300, 50))
    lookback: int = integer(
        48, low=2, high=10_000, label="Lookback", help="Candles over which volatility is measured.", search=(24, 168, 24)
    )
    target: float = number(
        0.4, low=0.01, high=5, label="Target", help="Yearly volatility aimed at; 0.4 is 40 %.", search=(0.1, 0.8, 0.1)
    )
    cap: float = number(1.0, low=0.01, high=1, label="Cap", help="Largest share of equity to hold.", search=(0.25, 1, 0.25))
    rebalance: int = integer(
        24, low=1, high=100_000, label="Rebalance", help="Candles between adjustments while the trend lasts.", search=(12, 96, 12)
    )

    def warmup(self) -> int:
        return max(self.trend, self.lookback + 1)

    def indicators(self, candles: Candles) -> Columns:
        return {
            "average": sma(candles.close, self.trend),
            "volatility": realised_volatility(candles.close, self.lookback, candles.step),
        }

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        volatility = columns["volatility"]
        known = ~np.isnan(columns["average"]) & ~np.isnan(volatility)
        rising = known & (candles.close > columns["average"])
        before = np.concatenate([[False], rising[:-1]]) if len(rising) else rising
        due = np.zeros(len(candles), dtype=np.bool_)
        due[:: self.rebalance] = True
        with np.errstate(divide="ignore"):  # a market that stands still may be held up to the cap
            weight = np.minimum(self.cap, self.target / volatility)
        return Signals(target=np.where(rising & (due | ~before), weight, np.where(before & ~rising, 0.0, np.nan)))
