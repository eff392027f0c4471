"""Accounts, wallets and the ledger in the admin."""

from wallets.admin import accounts, chains, ledger, reporting, values, wallets

__all__ = ["accounts", "chains", "ledger", "reporting", "values", "wallets"]
