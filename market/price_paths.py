"""How the price of one asset leads to that of another: by the shortest chain of pairs that have a price. The one table of it, for
fees, wallets and the desk. A dollar is a dollar: USDT leads to USD by a price alone.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from decimal import Decimal
from itertools import permutations
from typing import TypeAlias

HUBS = ("USDT", "USD", "USDC", "BTC", "ETH", "EUR", "FDUSD", "BNB")
"""Assets that venues list the others against: what a path goes through, in this order."""
MOST_PAIRS = 3

Path: TypeAlias = tuple[str, ...]
"""Symbols that lead from one asset to another, one after the other."""


def find_path(asset: str, quote: str, known: Container[str], *, via: Sequence[str] = ()) -> Path | None:
    """The shortest path of pairs that are `known`, each one way round or the other, by way of `via` before any of HUBS. Empty where
    both are the same; None where nothing leads there."""
    if asset == quote:
        return ()
    hubs = [hub for hub in dict.fromkeys((*via, *HUBS)) if hub not in (asset, quote)]
    ways: dict[str, Path] = {asset: ()}
    for _ in range(MOST_PAIRS):
        for here, path in ways.items():
            if pair := known_pair(here, quote, known):
                return (*path, pair)
        ways = step_onward(ways, hubs, known)
        hubs = [hub for hub in hubs if hub not in ways]
    return None


def step_onward(ways: Mapping[str, Path], hubs: Sequence[str], known: Container[str]) -> dict[str, Path]:
    """The hubs that are one pair further."""
    onward: dict[str, Path] = {}
    for here, path in ways.items():
        for hub in hubs:
            if hub not in onward and (pair := known_pair(here, hub, known)):
                onward[hub] = (*path, pair)
    return onward


def known_pair(one: str, other: str, known: Container[str]) -> str:
    """Their symbol, one way round or the other; empty where neither is known."""
    direct, reverse = f"{one}-{other}", f"{other}-{one}"
    return direct if direct in known else reverse if reverse in known else ""


def list_symbols(asset: str, quote: str, *, via: Sequence[str] = ()) -> list[str]:
    """Every symbol that a path may go through."""
    ends = list(dict.fromkeys((asset, quote, *via, *HUBS)))
    return [f"{one}-{other}" for one, other in permutations(ends, 2)]


def convert_amount(amount: Decimal, asset: str, path: Path, prices: Mapping[str, Decimal]) -> Decimal:
    """What an amount of the asset is at the path's other end. `prices` by symbol, above zero."""
    for symbol in path:
        base, quote = symbol.split("-")
        amount, asset = (amount * prices[symbol], quote) if base == asset else (amount / prices[symbol], base)
    return amount
