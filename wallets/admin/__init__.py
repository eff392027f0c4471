"""Accounts, wallets, the ledger, cost basis and reconciliation in the admin."""

from wallets.admin import accounts, chains, drifts, ledger, lots, movements, reporting, values, wallets

__all__ = ["accounts", "chains", "drifts", "ledger", "lots", "movements", "reporting", "values", "wallets"]
