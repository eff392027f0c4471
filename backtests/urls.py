"""Backtests and sweeps: pages under /backtests/, API under /api/v1/, WebSockets under /ws/."""

from django.urls import URLPattern, URLResolver, path

from access.sockets import may_listen
from backtests import api, consumers, views
from backtests.api import sweeps
from backtests.views import sweeps as pages

app_name = "backtests"

urlpatterns: list[URLPattern] = [
    path("", views.run_list, name="list"),
    path("export.csv", views.run_list_csv, name="list_csv"),
    path("new/", views.run_new, name="new"),
    path("compare/", views.compare_runs, name="compare"),
    path("sweeps/", pages.sweep_list, name="sweeps"),
    path("sweeps/new/", pages.sweep_new, name="sweep_new"),
    path("sweeps/<str:sweep_id>/", pages.sweep_detail, name="sweep"),
    path("sweeps/<str:sweep_id>/trials/<int:index>/new/", pages.trial_new, name="sweep_trial_new"),
    path("sweeps/<str:sweep_id>/cancel/", views.sweep_cancel, name="sweep_cancel"),
    path("sweeps/<str:sweep_id>/retry/", views.sweep_retry, name="sweep_retry"),
    path("sweeps/<str:sweep_id>/delete/", views.sweep_delete, name="sweep_delete"),
    path("<str:run_id>/", views.run_detail, name="detail"),
    path("<str:run_id>/again/", views.run_again, name="again"),
    path("<str:run_id>/cancel/", views.run_cancel, name="cancel"),
    path("<str:run_id>/retry/", views.run_retry, name="retry"),
    path("<str:run_id>/delete/", views.run_delete, name="delete"),
    path("<str:run_id>/trade/", views.run_trade, name="trade"),
    path("<str:run_id>/candles.json", views.chart_candles, name="candles"),
    path("<str:run_id>/states.json", views.chart_states, name="states"),
    path("<str:run_id>/event.json", views.chart_event, name="event"),
]

bot_urlpatterns: list[URLPattern] = [path("<str:bot_id>/runs/<str:run_id>/compare/", views.against_live, name="against_live")]
"""Under /bots/."""

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("backtests", api.RunsView.as_view(), name="api_backtests"),
    path("backtests/compare", api.CompareView.as_view(), name="api_backtests_compare"),
    path("backtests/against-live/<str:run_id>", api.AgainstLiveView.as_view(), name="api_against_live"),
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
    path("sweeps", sweeps.SweepsView.as_view(), name="api_sweeps"),
    path("sweeps/<str:sweep_id>", sweeps.SweepView.as_view(), name="api_sweep"),
    path("sweeps/<str:sweep_id>/trials", sweeps.SweepTrialsView.as_view(), name="api_sweep_trials"),
    path("sweeps/<str:sweep_id>/heatmap", sweeps.SweepHeatmapView.as_view(), name="api_sweep_heatmap"),
    path("sweeps/<str:sweep_id>/cancel", sweeps.SweepCancelView.as_view(), name="api_sweep_cancel"),
    path("sweeps/<str:sweep_id>/retry", sweeps.SweepRetryView.as_view(), name="api_sweep_retry"),
]

websocket_urlpatterns: list[URLPattern] = [
    path("ws/backtests/", consumers.RunsConsumer.as_asgi(may_listen)),
    path("ws/backtests/<str:run_id>/", consumers.RunConsumer.as_asgi(may_listen)),
    path("ws/sweeps/<str:sweep_id>/", consumers.SweepConsumer.as_asgi(may_listen)),
]
