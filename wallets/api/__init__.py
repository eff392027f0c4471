"""Wallets over the API."""

from wallets.api.wallets import TransactionsView, WalletsView, WalletView
from wallets.api.watches import ChainTransactionsView, TokensView, WatchReadView, WatchView

__all__ = ["ChainTransactionsView", "TokensView", "TransactionsView", "WalletView", "WalletsView", "WatchReadView", "WatchView"]
