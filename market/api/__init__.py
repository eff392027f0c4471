"""Market data over the API."""

from market.api.candles import CandlesView, ImportsView, SymbolsView
from market.api.streams import StreamStartView, StreamStopView, StreamsView, TicksView

__all__ = ["CandlesView", "ImportsView", "StreamStartView", "StreamStopView", "StreamsView", "SymbolsView", "TicksView"]
