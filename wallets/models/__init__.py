"""Exchange accounts and their keys; wallets, their double-entry ledger, and the balances that are its sums."""

from wallets.models.accounts import Environment, ExchangeAccount
from wallets.models.fields import money_field
from wallets.models.ledger import LedgerEntry, LedgerTransaction
from wallets.models.wallets import Wallet, WalletBalance

__all__ = ["Environment", "ExchangeAccount", "LedgerEntry", "LedgerTransaction", "Wallet", "WalletBalance", "money_field"]
