"""Backtests over the API."""

from backtests.api.playback import PlaybackCandlesView, PlaybackStateView
from backtests.api.results import CompareView, EquityView, ExportView, ResultsView, TradesCsvView, TradesView
from backtests.api.runs import CancelView, RetryView, RunsView, RunView

__all__ = [
    "CancelView",
    "CompareView",
    "EquityView",
    "ExportView",
    "PlaybackCandlesView",
    "PlaybackStateView",
    "ResultsView",
    "RetryView",
    "RunView",
    "RunsView",
    "TradesCsvView",
    "TradesView",
]
