"""Backtests and sweeps: pages under /backtests/, API under /api/v1/, WebSockets under /ws/."""

from django.urls import URLPattern, URLResolver, path

from backtests import api, consumers

app_name = "backtests"

urlpatterns: list[URLPattern] = []

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("backtests", api.RunsView.as_view(), name="api_backtests"),
    path("backtests/compare", api.CompareView.as_view(), name="api_backtests_compare"),
    path("backtests/<str:run_id>", api.RunView.as_view(), name="api_backtest"),
    path("backtests/<str:run_id>/cancel", api.CancelView.as_view(), name="api_backtest_cancel"),
    path("backtests/<str:run_id>/retry", api.RetryView.as_view(), name="api_backtest_retry"),
    path("backtests/<str:run_id>/results", api.ResultsView.as_view(), name="api_backtest_results"),
    path("backtests/<str:run_id>/equity", api.EquityView.as_view(), name="api_backtest_equity"),
    path("backtests/<str:run_id>/trades", api.TradesView.as_view(), name="api_backtest_trades"),
    path("backtests/<str:run_id>/trades.csv", api.TradesCsvView.as_view(), name="api_backtest_trades_csv"),
    path("backtests/<str:run_id>/export", api.ExportView.as_view(), name="api_backtest_export"),
    path("backtests/<str:run_id>/playback/candles", api.PlaybackCandlesView.as_view(), name="api_playback_candles"),
    path("backtests/<str:run_id>/playback/state/<str:timestamp>", api.PlaybackStateView.as_view(), name="api_playback_state"),
]

websocket_urlpatterns = [
    path("ws/backtests/", consumers.RunsConsumer.as_asgi()),
    path("ws/backtests/<str:run_id>/", consumers.RunConsumer.as_asgi()),
]
