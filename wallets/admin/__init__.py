"""Accounts, wallets, the ledger and reconciliation in the admin."""

from wallets.admin import accounts, chains, drifts, ledger, reporting, values, wallets

__all__ = ["accounts", "chains", "drifts", "ledger", "reporting", "values", "wallets"]
