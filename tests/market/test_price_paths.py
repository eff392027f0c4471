"""The shortest way from one asset's price to another's, found alike every time, and nothing made up where none leads."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.price_paths import HUBS, MOST_PAIRS, convert_amount, find_path, list_symbols

ASSETS = ("XYZ", "ABC", *HUBS[:5])
SYMBOLS = [f"{one}-{other}" for one in ASSETS for other in ASSETS if one != other]


@pytest.mark.parametrize(
    ("known", "path"),
    [
        ("XYZ-USD XYZ-USDT USDT-USD", "XYZ-USD"),
        ("USD-XYZ", "USD-XYZ"),
        ("XYZ-USDC USDC-USD XYZ-USDT USDT-USD", "XYZ-USDT USDT-USD"),
        ("XYZ-USDC USDC-USD XYZ-USDT", "XYZ-USDC USDC-USD"),
        ("XYZ-BTC BTC-USDT USDT-USD", "XYZ-BTC BTC-USDT USDT-USD"),
        ("XYZ-USDT USDC-USDT USDC-USD", "XYZ-USDT USDC-USDT USDC-USD"),
        ("XYZ-USDT", None),
        ("XYZ-ABC ABC-USD", None),
        ("XYZ-BTC BTC-ETH ETH-EUR EUR-USD", None),
        ("", None),
    ],
)
def test_the_shortest_path_is_taken_and_a_dollar_is_no_tether(known: str, path: str | None) -> None:
    assert find_path("XYZ", "USD", set(known.split())) == (None if path is None else tuple(path.split()))


def test_an_asset_is_itself_and_the_traded_pair_comes_before_the_hubs() -> None:
    assert find_path("USD", "USD", set()) == ()
    known = {"XYZ-ABC", "ABC-USD", "XYZ-USDT", "USDT-USD"}
    assert find_path("XYZ", "USD", known, via=("ABC",)) == ("XYZ-ABC", "ABC-USD")
    assert known <= set(list_symbols("XYZ", "USD", via=("ABC",)))


def fewest_pairs(known: set[str]) -> int | None:
    """By walking everywhere, from XYZ to USD, through hubs alone."""
    ends = {frozenset(symbol.split("-")) for symbol in known}
    reached = {"XYZ"}
    for pairs in range(1, MOST_PAIRS + 1):
        reached |= {asset for asset in (*HUBS, "USD") for one in reached if frozenset((one, asset)) in ends}
        if "USD" in reached:
            return pairs
    return None


@given(st.sets(st.sampled_from(SYMBOLS), max_size=12))
def test_a_path_is_a_chain_of_known_pairs_and_none_is_shorter(known: set[str]) -> None:
    path = find_path("XYZ", "USD", known)
    assert (None if path is None else len(path)) == fewest_pairs(known)
    assert path == find_path("XYZ", "USD", dict.fromkeys(sorted(known, reverse=True)))
    if path:
        assert set(path) <= known
        assert "XYZ" in path[0].split("-")
        assert "USD" in path[-1].split("-")
        assert all(set(one.split("-")) & set(other.split("-")) for one, other in pairwise(path))
        assert convert_amount(Decimal(7), "XYZ", path, dict.fromkeys(path, Decimal(1))) == 7


def test_an_amount_is_multiplied_one_way_and_divided_the_other() -> None:
    prices = {"XYZ-USDT": Decimal(6), "USD-USDT": Decimal("1.5")}
    assert convert_amount(Decimal(2), "XYZ", ("XYZ-USDT", "USD-USDT"), prices) == 8
