"""Exchange accounts with sealed keys, wallets, and the double-entry ledger."""
