"""Accounts, wallets and the ledger in the admin."""

from wallets.admin import accounts, ledger, wallets

__all__ = ["accounts", "ledger", "wallets"]
