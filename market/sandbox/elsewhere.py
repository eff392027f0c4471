"""Money of an account outside of spot trading, as the control endpoint puts it there. No order can use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

BINANCE_PLACES = ("funding", "flexible", "locked", "sub_account")
COINBASE_PLACES = ("vault", "futures")
PLACES = {"binance": BINANCE_PLACES, "coinbase": COINBASE_PLACES}

Elsewhere = Mapping[tuple[str, str], Decimal]
"""By place and asset."""


def list_assets(held: Elsewhere, place: str) -> Iterator[tuple[str, Decimal]]:
    return ((asset, amount) for (where, asset), amount in sorted(held.items()) if where == place and amount)
