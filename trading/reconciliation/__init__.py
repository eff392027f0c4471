"""Reconciliation: our books of a wallet against what its venue says, each difference named by its cause, and resolved by people."""
