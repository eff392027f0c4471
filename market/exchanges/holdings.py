"""Balances as the port promises them: each asset once."""

from __future__ import annotations

from collections.abc import Iterable

from core.fields import EXACT
from market.exchanges.base import Balance


def merge_balances(balances: Iterable[Balance]) -> list[Balance]:
    """A venue may list an asset in several rows, which are added up."""
    found: dict[str, Balance] = {}
    for one in balances:
        known = found.get(one.asset)
        found[one.asset] = one if known is None else add_balances(known, one)
    return list(found.values())


def add_balances(one: Balance, other: Balance) -> Balance:
    return Balance(one.asset, EXACT.add(one.free, other.free), EXACT.add(one.held, other.held))
