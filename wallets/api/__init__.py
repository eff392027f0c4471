"""Wallets over the API."""

from wallets.api.wallets import TransactionsView, WalletsView, WalletView

__all__ = ["TransactionsView", "WalletView", "WalletsView"]
