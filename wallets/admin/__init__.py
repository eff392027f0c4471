"""Accounts, wallets and the ledger in the admin."""

from wallets.admin import accounts, ledger, reporting, wallets

__all__ = ["accounts", "ledger", "reporting", "wallets"]
