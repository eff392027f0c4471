"""Wallets: pages under /wallets/, API under /api/v1/wallets and /api/v1/portfolio."""

from django.urls import URLPattern, path

from wallets import api
from wallets.views import lots, movements, wallets, watches

app_name = "wallets"

urlpatterns: list[URLPattern] = [
    path("", wallets.wallet_list, name="list"),
    path("watch/", watches.watch_new, name="watch_new"),
    path("<slug:wallet_id>/read/", watches.watch_read_now, name="watch_read"),
    path("<slug:wallet_id>/token/", watches.token_trust, name="token_trust"),
    path("<slug:wallet_id>/", wallets.wallet_detail, name="detail"),
    path("<slug:wallet_id>/movements/", movements.movement_rows, name="movements"),
    path("<slug:wallet_id>/values/", wallets.wallet_values, name="values"),
    path("<slug:wallet_id>/lots/", lots.wallet_lots, name="lots"),
    path("<slug:wallet_id>/test/", wallets.wallet_test, name="test"),
]

api_urlpatterns: list[URLPattern] = [
    path("wallets", api.WalletsView.as_view(), name="api_wallets"),
    path("wallets/watch", api.WatchView.as_view(), name="api_wallet_watch"),
    path("wallets/<slug:wallet_id>/read", api.WatchReadView.as_view(), name="api_wallet_read"),
    path("wallets/<slug:wallet_id>/tokens", api.TokensView.as_view(), name="api_wallet_tokens"),
    path("wallets/<slug:wallet_id>/chain-transactions", api.ChainTransactionsView.as_view(), name="api_wallet_chain_transactions"),
    path("wallets/reporting-currency", api.ReportingCurrencyView.as_view(), name="api_reporting_currency"),
    path("wallets/<slug:wallet_id>", api.WalletView.as_view(), name="api_wallet"),
    path("wallets/<slug:wallet_id>/transactions", api.TransactionsView.as_view(), name="api_wallet_transactions"),
    path("wallets/<slug:wallet_id>/lots", api.LotsView.as_view(), name="api_wallet_lots"),
    path("portfolio/disposals", api.DisposalsView.as_view(), name="api_disposals"),
    path("portfolio/disposals.csv", api.DisposalsCsvView.as_view(), name="api_disposals_csv"),
    path("wallets/<slug:wallet_id>/movements", api.MovementsView.as_view(), name="api_wallet_movements"),
    path("wallets/<slug:wallet_id>/value", api.WalletValueView.as_view(), name="api_wallet_value"),
    path("wallets/<slug:wallet_id>/history", api.HistoryView.as_view(), name="api_wallet_history"),
]
