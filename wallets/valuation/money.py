"""Which money a wallet has, and whose prices count for it."""

from __future__ import annotations

from core.venues import LIVE as LIVE_ENVIRONMENT
from core.venues import venue_split
from wallets.models import Wallet

PAPER, TESTNET, LIVE = "paper", "testnet", "live"
"""Made up here, made up at a venue, and real. They are never added up."""


def money_of(wallet: Wallet) -> str:
    if wallet.kind in (Wallet.Kind.PAPER, Wallet.Kind.REPLAY):
        return PAPER
    return LIVE if price_environment(wallet) == LIVE_ENVIRONMENT else TESTNET


def price_environment(wallet: Wallet) -> str:
    """Where the prices come from that it is valued at: those of all venues of this environment, and of no other."""
    return wallet.account.environment if wallet.account else venue_split(wallet.venue)[1]
