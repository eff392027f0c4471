"""Accounts, wallets and the ledger in the admin."""

from wallets.admin import accounts, ledger, reporting, values, wallets

__all__ = ["accounts", "ledger", "reporting", "values", "wallets"]
