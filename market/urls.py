"""Market data: pages under /market/, API under /api/v1/market/ and streams/, a WebSocket under /ws/market/."""

from typing import Any

from django.urls import URLPattern, path

from access.sockets import may_listen
from market import api, consumers
from market.views import imports, live, series

app_name = "market"

urlpatterns: list[URLPattern] = [
    path("", series.series_list, name="list"),
    path("series/<int:pk>/", series.series_detail, name="detail"),
    path("series/<int:pk>/candles.json", series.series_candles, name="candles"),
    path("series/<int:pk>/delete/", series.series_delete, name="delete"),
    path("import/", imports.import_new, name="import"),
    path("imports/", imports.import_list, name="imports"),
    path("imports/<int:pk>/", imports.import_detail, name="import_detail"),
    path("imports/<int:pk>/cancel/", imports.import_cancel, name="import_cancel"),
    path("watchlist/", live.watchlist, name="watchlist"),
    path("streams/", live.streams, name="streams"),
    path("streams/switch/", live.stream_switch, name="stream_switch"),
]

api_urlpatterns: list[URLPattern] = [
    path("market/symbols", api.SymbolsView.as_view(), name="market_symbols"),
    path("market/ticks", api.TicksView.as_view(), name="market_ticks"),
    path("market/candles", api.CandlesView.as_view(), name="market_candles"),
    path("market/imports", api.ImportsView.as_view(), name="market_imports"),
    path("market/imports/<int:import_id>", api.ImportView.as_view(), name="market_import"),
    path("market/imports/<int:import_id>/cancel", api.ImportCancelView.as_view(), name="market_import_cancel"),
    path("streams", api.StreamsView.as_view(), name="streams"),
    path("streams/start", api.StreamStartView.as_view(), name="streams_start"),
    path("streams/stop", api.StreamStopView.as_view(), name="streams_stop"),
]

# An ASGI application is no view to the types, and is one to Channels.
market_socket: Any = consumers.MarketConsumer.as_asgi(may_listen)
websocket_urlpatterns: list[URLPattern] = [path("ws/market/", market_socket)]
