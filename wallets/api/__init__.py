"""Wallets over the API."""

from wallets.api.lots import DisposalsCsvView, DisposalsView, LotsView
from wallets.api.movements import MovementsView
from wallets.api.values import HistoryView, ReportingCurrencyView, WalletValueView
from wallets.api.wallets import TransactionsView, WalletsView, WalletView
from wallets.api.watches import ChainTransactionsView, TokensView, WatchReadView, WatchView

__all__ = [
    "ChainTransactionsView",
    "DisposalsCsvView",
    "DisposalsView",
    "HistoryView",
    "LotsView",
    "MovementsView",
    "ReportingCurrencyView",
    "TokensView",
    "TransactionsView",
    "WalletValueView",
    "WalletView",
    "WalletsView",
    "WatchReadView",
    "WatchView",
]
