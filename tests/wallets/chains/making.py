"""Watched wallets for tests."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from wallets import services
from wallets.chains.bitcoin import LOCAL, WITNESS, address_of, script_of
from wallets.chains.extended_keys import address_key
from wallets.holdings import chain_holdings
from wallets.models import ChainReading, Wallet
from wallets.selectors import wallet_get

numbers = count(1)
ETHEREUM = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
OTHER = "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359"
SOLANA = "3h1zGmCwsRJnVk5BuRNMLsPaQu1y2aqXqXDWYCgrp5UG"
VPUB = "vpub5YvMuJNjRSYon44z9QmCfdf8SqJRVNvz6m55Qy5iVjZQxDfUgtiQjnc7CC1fAbED2tAGCZRERUfvtn2DstZGU6HMns6dXXH2wujSc2wfi2x"
"""Account 0 of the phrase of BIP-84's vectors, with the version of a network for tests."""
ADDRESSES = {"ethereum": ETHEREUM, "solana": SOLANA, "bitcoin": VPUB}


def watch(chain: str, address: str = "", **more: Any) -> Wallet:
    """A wallet on one of the sandbox's chains, not read yet."""
    given = {"chain": f"{chain}-sandbox", "address": address or ADDRESSES[chain], "name": f"watched {next(numbers)}"}
    return services.watch_create(raw=given | more)


def read(wallet: Wallet) -> ChainReading:
    return services.watch_read(wallet=wallet_get(wallet_id=wallet.wallet_id))


def held(wallet: Wallet) -> dict[str, Decimal]:
    return chain_holdings(wallet_get(wallet_id=wallet.wallet_id))


def script_at(branch: int, index: int) -> str:
    """Of the extended key, in hex."""
    return script_of(LOCAL, address_of(LOCAL, WITNESS, address_key(VPUB, branch, index))).hex()
