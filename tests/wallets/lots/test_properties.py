"""What holds of cost basis whatever happens: lots are what the books have, and no money appears or vanishes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.wallets.lots.making import DAY, TablePrices
from wallets.lots.inventory import Inventory
from wallets.lots.types import Change, Disposal, KnownLot, LotMethod, LotRule, LotScope

COINS = ("BTC", "ETH", "BNB", "USDT")
PRICES = {"BTC": "40000.17", "ETH": "2111.3", "BNB": "300.00000001", "USDT": "0.9987"}
STEPS = 30
AMOUNTS = st.integers(10**9, 10**20)
WALLETS = st.integers(1, 3)
FEES = st.lists(st.tuples(st.sampled_from([*COINS, "USD"]), st.integers(-(10**16), 10**18).filter(bool)), max_size=2)
RULES = st.lists(
    st.builds(LotRule, st.integers(0, STEPS).map(lambda day: day * DAY), st.sampled_from(LotMethod), st.sampled_from(LotScope)),
    max_size=3,
)
Told = tuple[list[Change], dict[tuple[int, str], list[KnownLot]]]


@st.composite
def trades(draw: Any) -> dict[str, Any]:
    base, quote = draw(st.permutations([*COINS, "USD"]))[:2]
    sign = draw(st.sampled_from([1, -1]))
    return {"kind": "fill", "traded": [(base, sign * draw(AMOUNTS)), (quote, -sign * draw(AMOUNTS))], "fees": draw(FEES)}


@st.composite
def sweeps(draw: Any) -> dict[str, Any]:
    *given_up, taken = draw(st.permutations(COINS))[: draw(st.integers(3, 4))]
    return {
        "kind": "dust",
        "traded": [*((asset, -draw(AMOUNTS)) for asset in given_up), (taken, draw(AMOUNTS))],
        "fees": draw(FEES),
    }


@st.composite
def movements(draw: Any) -> dict[str, Any]:
    kind = draw(st.sampled_from(["deposit", "withdrawal", "correction"]))
    sign = {"withdrawal": -1, "correction": draw(st.sampled_from([1, -1]))}.get(kind, 1)
    return {"kind": kind, "moved": [(draw(st.sampled_from([*COINS, "USD"])), sign * draw(AMOUNTS))], "fees": draw(FEES)}


@st.composite
def transfers(draw: Any) -> dict[str, Any]:
    """One end of one; the other may come before, later, with another amount, or never."""
    sign, link = draw(st.sampled_from([1, -1])), draw(st.sampled_from(["tx 1", "tx 2"]))
    return {"kind": "transfer", "moved": [(draw(st.sampled_from(COINS)), sign * draw(AMOUNTS))], "fees": draw(FEES), "link": link}


@st.composite
def histories(draw: Any) -> Told:
    """Changes of three wallets, and what each deposit cost."""
    steps = draw(st.lists(st.tuples(WALLETS, st.one_of(trades(), trades(), sweeps(), movements(), transfers())), max_size=STEPS))
    changes = [Change(day * DAY, day + 1, wallet, **step) for day, (wallet, step) in enumerate(steps)]
    costs = {
        (change.transaction, asset): [KnownLot(amount, draw(st.integers(0, 10**24)), change.ts - DAY)]
        for change in changes
        for asset, amount in change.moved
        if amount > 0 and asset != "USD"
    }
    return changes, costs


def apply_all(told: Told, rules: Sequence[LotRule], prices: dict[str, str] = PRICES) -> tuple[Inventory, list[Disposal]]:
    changes, costs = told
    inventory = Inventory("USD", TablePrices(prices), rules, costs)
    return inventory, [one for change in changes for one in inventory.apply(change)]


def balances(changes: Sequence[Change]) -> dict[tuple[int, str], int]:
    """What the ledger has, by wallet and asset."""
    found: dict[tuple[int, str], int] = defaultdict(int)
    for change in changes:
        for asset, amount in (*change.traded, *change.moved, *((asset, -paid) for asset, paid in change.fees)):
            found[change.wallet, asset] += amount
    return found


@given(histories(), RULES, st.sets(st.sampled_from(COINS)))
@settings(max_examples=100, deadline=None)
def test_open_lots_less_what_is_short_are_the_balances(told: Told, rules: list[LotRule], unpriced: set[str]) -> None:
    inventory, disposals = apply_all(told, rules, {asset: price for asset, price in PRICES.items() if asset not in unpriced})
    expected: dict[tuple[int, str], int] = defaultdict(int)
    for (wallet, asset), amount in balances(told[0]).items():
        if asset != "USD":
            expected[inventory.store.find_place(wallet, asset)] += amount
    found: dict[tuple[int, str], int] = defaultdict(int)
    for wallet, link, lot in inventory.store.list_lots():
        assert lot.quantity > 0
        if not link:
            found[wallet, lot.asset] += lot.quantity
    for place, shortage in inventory.store.list_shortages():
        assert shortage.quantity > 0
        assert found[place] <= 0, "lots and a shortage at the same place"
        found[place] -= shortage.quantity
    assert {place: amount for place, amount in found.items() if amount} == {p: amount for p, amount in expected.items() if amount}
    assert all(one.quantity > 0 for one in disposals)


@given(histories(), RULES)
@settings(max_examples=100, deadline=None)
def test_gains_and_what_is_unrealised_are_the_value_less_the_money_put_in(told: Told, rules: list[LotRule]) -> None:
    inventory, disposals = apply_all(told, rules)
    totals, lots = inventory.totals, [lot for *_, lot in inventory.store.list_lots()]
    cash = sum(amount for (_, asset), amount in inventory.store.held.items() if asset == "USD")
    awaited = sum(one.disposal.proceeds or 0 for _, one in inventory.store.list_shortages() if one.disposal)
    value = cash + sum(int(lot.quantity * Decimal(PRICES[lot.asset])) for lot in lots)
    unrealised = value - cash - sum(lot.basis or 0 for lot in lots)
    if any(one.scope is LotScope.WALLET for one in rules):
        # From one pool to one a wallet: what another wallet had used up is of unknown cost.
        assume(None not in [*(lot.basis for lot in lots), *(one.basis for one in disposals)])
    assert all(lot.basis is not None for lot in lots)
    assert totals.gains == sum(one.gain or 0 for one in disposals)
    assert totals.gains + unrealised == value - totals.put_in - totals.income + totals.costs - awaited


@given(
    histories(),
    RULES,
    st.builds(LotRule, st.integers(1, STEPS).map(lambda day: day * DAY), st.sampled_from(LotMethod), st.sampled_from(LotScope)),
)
@settings(max_examples=60, deadline=None)
def test_a_new_rule_changes_nothing_before_its_date(told: Told, rules: list[LotRule], later: LotRule) -> None:
    before = [rule for rule in rules if rule.since < later.since]
    until = [change for change in told[0] if change.ts < later.since]
    _, without = apply_all((until, told[1]), before)
    _, together = apply_all(told, [*before, later])
    assert together[: len(without)] == without


@given(histories(), st.sampled_from(LotMethod))
@settings(max_examples=60, deadline=None)
def test_a_method_changes_what_is_taken_and_never_how_much(told: Told, method: LotMethod) -> None:
    def sums(rule: LotRule) -> dict[tuple[int, str], tuple[int, int]]:
        found: dict[tuple[int, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
        inventory, disposals = apply_all(told, [rule])
        pending = [one.disposal for _, one in inventory.store.list_shortages() if one.disposal]
        for one in [*disposals, *pending]:
            quantity, proceeds = found[one.transaction, one.asset]
            found[one.transaction, one.asset] = quantity + one.quantity, proceeds + (one.proceeds or 0)
        return dict(found)

    assert sums(LotRule(0, method, LotScope.WALLET)) == sums(LotRule(0, LotMethod.FIFO, LotScope.WALLET))
