"""Pages of the wallets."""
