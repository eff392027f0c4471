"""Buys at once, keeps a stop at the venue, and sells within a minute and a half. freqtrade loads it as a file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from freqtrade.strategy import IStrategy  # type: ignore[import-not-found]


class BuyAtOnce(IStrategy):  # type: ignore[misc]
    INTERFACE_VERSION = 3
    timeframe = "1m"
    startup_candle_count = 20
    process_only_new_candles = False
    stoploss = -0.05
    minimal_roi: dict[str, float] = {}
    seconds_kept = 40

    def populate_indicators(self, dataframe: Any, metadata: Any) -> Any:
        return dataframe

    def populate_entry_trend(self, dataframe: Any, metadata: Any) -> Any:
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: Any, metadata: Any) -> Any:
        return dataframe

    def custom_exit(self, pair: str, trade: Any, *args: Any, **given: Any) -> str | None:
        kept = datetime.now(UTC) - trade.date_entry_fill_utc if trade.date_entry_fill_utc else None
        return "kept_long_enough" if kept and kept.total_seconds() > self.seconds_kept else None
