"""Backtests over the API."""

from backtests.api.against_live import AgainstLiveView
from backtests.api.playback import PlaybackCandlesView, PlaybackStateView
from backtests.api.results import CompareView, EquityView, ExportView, ResultsView, TradesCsvView, TradesView
from backtests.api.runs import CancelView, RetryView, RunsView, RunView

__all__ = [
    "AgainstLiveView",
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
