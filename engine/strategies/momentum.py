from __future__ import annotations

import numpy as np

from core.errors import Invalid
from engine.grid import can_make, count_most
from engine.indicators import crossed_above, rate_of_change, sma
from engine.strategy import Columns, Higher, Plot, Strategy, choice, integer, number
from engine.types import INTERVALS, Candles, Signals, interval_ms

HIGHER = ("5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M")


class Momentum(Strategy):
    name, title = "momentum", "Momentum on two intervals"
    description = (
        "Buys when the price has gained enough over the last candles, but only while a higher interval is in a rising trend (its "
        "last close is above its average). It sells when the gain is gone or the higher trend turns. The filter keeps it out of "
        "rallies in falling markets; it loses where trends are shorter than the higher average can see."
    )
    sources = (
        "Jegadeesh & Titman (1993), Returns to Buying Winners and Selling Losers",
        "Elder (1993), Trading for a Living (the triple screen)",
        "Moskowitz, Ooi & Pedersen (2012), Time Series Momentum",
    )
    plots = {"trend": Plot("Higher average"), "momentum": Plot("Momentum", pane="Momentum")}

    higher: str = choice(
        "4h", HIGHER, label="Higher interval", help="Interval of the trend filter; it must be longer than the run's own."
    )
    trend: int = integer(
        20, low=1, high=1_000, label="Trend", help="Candles of the higher interval in its average.", search=(5, 50, 5)
    )
    lookback: int = integer(
        20, low=1, high=5_000, label="Lookback", help="Candles over which the gain is taken.", search=(10, 60, 5)
    )
    threshold: float = number(
        0.005, low=0, high=1, label="Threshold", help="Gain that is enough to buy; 0.01 is 1 %.", search=(0, 0.02, 0.005)
    )

    def warmup(self) -> int:
        return self.lookback + 2

    def warmup_at(self, interval: str) -> int:
        if INTERVALS[self.higher] <= interval_ms(interval) or not can_make(self.higher, interval):
            raise Invalid.at(
                "params.higher", f"higher must be a multiple of the run's interval {interval}, and longer; got {self.higher}."
            )
        # One more of the higher candles: the first one may have begun before the data.
        return max(self.warmup(), (self.trend + 1) * count_most(self.higher, interval) + 1)

    def indicators(self, candles: Candles) -> Columns:
        self.warmup_at(candles.interval)
        higher = Higher(candles, self.higher)
        return {
            "trend": higher.column(lambda seen: sma(seen.close, self.trend)),
            "higher_close": higher.column(lambda seen: seen.close),
            "momentum": rate_of_change(candles.close, self.lookback),
        }

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        gain, close, trend = columns["momentum"], columns["higher_close"], columns["trend"]
        rising = close > trend
        allowed = np.where(np.isnan(trend), np.nan, np.where(rising, gain, -np.inf))
        falling = close <= trend
        return Signals(entry=crossed_above(allowed, self.threshold), exit=falling | (gain < 0.0))
