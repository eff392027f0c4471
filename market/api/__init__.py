"""Market data over the API."""

from market.api.candles import CandlesView, SymbolsView
from market.api.imports import ImportCancelView, ImportsView, ImportView
from market.api.streams import StreamStartView, StreamStopView, StreamsView, TicksView

__all__ = [
    "CandlesView",
    "ImportCancelView",
    "ImportView",
    "ImportsView",
    "StreamStartView",
    "StreamStopView",
    "StreamsView",
    "SymbolsView",
    "TicksView",
]
