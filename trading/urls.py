"""The running desk: pages under /live/, /portfolio/, /bots/ and /orders/, API under /api/v1/, a WebSocket under /ws/live/."""

from django.urls import URLPattern, path

from access.sockets import may_listen
from trading import api, consumers
from trading.views import actions, bar, bots, charts, forms, live, orders, portfolio, reconciliation

app_name = "trading"

urlpatterns: list[URLPattern] = [
    path("live/", live.live_page, name="live"),
    path("live/bar/", bar.bar_show, name="bar"),
    path("live/kill-switch/", bar.kill_set, name="kill"),
    path("live/kill-switch/ask/", bar.kill_ask, name="kill_ask"),
    path("live/unresolved/", orders.unresolved_list, name="unresolved"),
    path("live/unresolved/<int:pk>/", orders.foreign_decide, name="foreign_decide"),
    path("wallets/reconciliation/", reconciliation.reconciliation_page, name="reconciliation"),
    path("wallets/reconciliation/now/", reconciliation.reconcile_now, name="reconcile_now"),
    path("wallets/reconciliation/drifts/<int:drift_id>/", reconciliation.drift_decide, name="drift_decide"),
    path("portfolio/", portfolio.portfolio_page, name="portfolio"),
    path("portfolio/<str:table>.<str:kind>", portfolio.portfolio_table, name="portfolio_table"),
    path("bots/", bots.bot_list, name="bots"),
    path("bots/new/", forms.bot_new, name="bot_new"),
    path("bots/<str:bot_id>/", bots.bot_detail, name="bot"),
    path("bots/<str:bot_id>/settings/", forms.bot_edit, name="bot_edit"),
    path("bots/<str:bot_id>/candles.json", charts.bot_candles, name="bot_candles"),
    path("bots/<str:bot_id>/<str:act>/", actions.bot_act, name="bot_act"),
    path("orders/<str:order_id>/", orders.order_detail, name="order"),
    path("orders/<str:order_id>/cancel/", actions.order_cancel, name="order_cancel"),
    path("decisions/<str:correlation_id>/", orders.decision_detail, name="decision"),
]

api_urlpatterns: list[URLPattern] = [
    path("strategies", api.StrategiesView.as_view(), name="strategies"),
    path("bots", api.BotsView.as_view(), name="api_bots"),
    path("bots/status", api.BotStatusView.as_view(), name="api_bots_status"),
    path("bots/<str:bot_id>", api.BotView.as_view(), name="api_bot"),
    path("bots/<str:bot_id>/start", api.BotStartView.as_view(), name="api_bot_start"),
    path("bots/<str:bot_id>/pause", api.BotPauseView.as_view(), name="api_bot_pause"),
    path("bots/<str:bot_id>/stop", api.BotStopView.as_view(), name="api_bot_stop"),
    path("bots/<str:bot_id>/close", api.BotCloseView.as_view(), name="api_bot_close"),
    path("bots/<str:bot_id>/performance", api.BotPerformanceView.as_view(), name="api_bot_performance"),
    path("live/positions", api.PositionsView.as_view(), name="api_positions"),
    path("live/portfolio", api.PortfolioView.as_view(), name="api_portfolio"),
    path("live/orders", api.OrdersView.as_view(), name="api_orders"),
    path("live/orders/<str:order_id>/cancel", api.CancelView.as_view(), name="api_order_cancel"),
    path("live/fills", api.FillsView.as_view(), name="api_fills"),
    path("live/blocks", api.BlocksView.as_view(), name="api_blocks"),
    path("live/block-reasons", api.BlockReasonsView.as_view(), name="api_block_reasons"),
    path("live/risk-budget", api.RiskBudgetView.as_view(), name="api_risk_budget"),
    path("live/kill-switch", api.KillSwitchView.as_view(), name="api_kill_switch"),
    path("portfolio", api.ReportView.as_view(), name="api_report"),
    path("wallets/reconcile", api.ReconcileView.as_view(), name="api_reconcile"),
    path("wallets/reconcile/history", api.ReconcileHistoryView.as_view(), name="api_reconcile_history"),
    path("wallets/drifts", api.DriftsView.as_view(), name="api_drifts"),
    path("wallets/drifts/<int:drift_id>/resolve", api.DriftResolveView.as_view(), name="api_drift_resolve"),
    path("portfolio/history", api.HistoryView.as_view(), name="api_history"),
    path("agents/events", api.EventsView.as_view(), name="api_events"),
    path("agents/events/correlation/<str:correlation_id>", api.ChainView.as_view(), name="api_chain"),
]

websocket_urlpatterns: list[URLPattern] = [path("ws/live/", consumers.LiveConsumer.as_asgi(may_listen))]
