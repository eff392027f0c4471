"""Movements in the books: each is booked once, when it is done and is the wallet's own, and back if the venue takes it back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict
from core.models import Event
from market.exchanges.base import Balance, UnreadRow
from market.exchanges.movements import Movement as VenueMovement
from market.exchanges.movements import MovementLeg
from tests.wallets.making import account, fill
from wallets import services
from wallets.models import LedgerTransaction, Movement, Wallet
from wallets.selectors import balance_check, wallet_balances

pytestmark = pytest.mark.django_db
D = Decimal
OPENED = datetime(2026, 1, 1, tzinfo=UTC)
names = count(1)


@pytest.fixture
def wallet() -> Wallet:
    made = services.wallet_create(name=f"main {next(names)}", kind="exchange", quote="USDT", account=account())
    services.ledger_opening_from_venue(wallet=made, balances=[Balance("USDT", D(1000), D(0))], ts=OPENED)
    return made


def moved(reference: str = "d-1", **changes: Any) -> VenueMovement:
    """A deposit of 2 BTC, done an hour after the opening."""
    at = OPENED + timedelta(hours=1)
    legs = tuple(MovementLeg(asset, D(amount)) for asset, amount in changes.pop("legs", {"BTC": "2"}).items())
    return replace(VenueMovement(reference, "deposit", "done", at, at, legs, txid=f"tx of {reference}", address="bc1q"), **changes)


def take(wallet: Wallet, *rows: VenueMovement | UnreadRow, **options: Any) -> list[Movement]:
    return services.movements_take(wallet=wallet, rows=rows, **options)


def amounts(wallet: Wallet) -> dict[str, Decimal]:
    assert balance_check(wallet=wallet) == []
    return {asset: amount for asset, amount in wallet_balances(wallet=Wallet.objects.get(pk=wallet.pk)).items() if amount}


def standing(wallet: Wallet, reference: str = "d-1") -> str:
    return wallet.movements.get(reference=reference).standing


BOOKED = {
    "deposit": (moved(), {"BTC": D(2)}, {("capital", "BTC"): D(-2)}),
    "withdrawal": (
        moved(kind="withdrawal", legs={"USDT": "-100"}, fee=D(1), fee_asset="USDT"),
        {"USDT": D(-101)},
        {("capital", "USDT"): D(100), ("fees", "USDT"): D(1)},
    ),
    "conversion": (
        moved(kind="conversion", legs={"USDT": "-100", "ETH": "0.03"}),
        {"USDT": D(-100), "ETH": D("0.03")},
        {("trading", "USDT"): D(100), ("trading", "ETH"): D("-0.03")},
    ),
    "dust": (
        moved(kind="dust", legs={"USDT": "-0.4", "BNB": "0.0006"}, fee=D("0.00001"), fee_asset="BNB"),
        {"USDT": D("-0.4"), "BNB": D("0.00059")},
        {("trading", "USDT"): D("0.4"), ("trading", "BNB"): D("-0.0006"), ("fees", "BNB"): D("0.00001")},
    ),
    "transfer": (moved(kind="transfer", legs={"USDT": "-50"}), {"USDT": D(-50)}, {("capital", "USDT"): D(50)}),
    "reward": (moved(kind="reward", legs={"SOL": "0.1"}), {"SOL": D("0.1")}, {("income", "SOL"): D("-0.1")}),
    "rebate": (moved(kind="rebate", legs={"BNB": "0.2"}), {"BNB": D("0.2")}, {("fees", "BNB"): D("-0.2")}),
}


@pytest.mark.parametrize("kind", BOOKED)
def test_each_kind_is_booked_once_with_its_other_side(wallet: Wallet, kind: str) -> None:
    row, effect, others = BOOKED[kind]
    for _ in range(2):
        take(wallet, row, row)
        start = {"USDT": D(1000)}
        assert amounts(wallet) == {name: start.get(name, D(0)) + effect.get(name, D(0)) for name in {**start, **effect}}
    one = wallet.movements.get()
    assert (one.standing, one.effect()) == ("booked", effect)
    booked = wallet.transactions.get(kind=kind)
    assert (one.booked, booked.reference, booked.ts) == (booked, "d-1", row.moved_at)
    assert {(leg.account, leg.asset): leg.amount for leg in booked.entries.exclude(account="assets")} == others
    assert Event.objects.filter(type="movement").count() == 1


def test_what_is_pending_is_seen_and_counted_only_once_it_is_done(wallet: Wallet) -> None:
    take(wallet, moved(state="pending", moved_at=None))
    assert (standing(wallet), amounts(wallet)) == ("waits", {"USDT": D(1000)})
    take(wallet, moved(moved_at=None))
    assert (standing(wallet), amounts(wallet)["BTC"]) == ("booked", D(2))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"state": "failed"}, "failed"),
        ({"moved_at": OPENED - timedelta(seconds=1)}, "before"),
        ({"moved_at": None, "time": OPENED - timedelta(days=1)}, "before"),
        ({"elsewhere": "funding"}, "elsewhere"),
        ({"kind": "other"}, "unknown"),
        ({"state": "other"}, "unknown"),
    ],
)
def test_what_is_not_the_wallets_own_is_shown_with_why_and_not_counted(wallet: Wallet, change: dict[str, Any], why: str) -> None:
    take(wallet, moved(**change))
    assert (standing(wallet), amounts(wallet)) == (why, {"USDT": D(1000)})
    assert wallet.movements.get().get_standing_display()


def test_a_deposit_that_began_before_the_opening_and_came_after_it_counts(wallet: Wallet) -> None:
    early = moved(time=OPENED - timedelta(hours=1), moved_at=None)
    take(wallet, replace(early, state="pending"))
    take(wallet, early)
    assert (standing(wallet), amounts(wallet)["BTC"]) == ("booked", D(2))


def test_a_withdrawal_that_began_before_the_opening_is_in_it_already(wallet: Wallet) -> None:
    at = OPENED - timedelta(hours=1)
    early = moved(kind="withdrawal", legs={"USDT": "-5"}, time=at, moved_at=at)
    take(wallet, replace(early, state="pending"))
    take(wallet, early)
    assert (standing(wallet), amounts(wallet)) == ("before", {"USDT": D(1000)})


def test_what_the_venue_takes_back_is_booked_back_and_may_come_again(wallet: Wallet) -> None:
    for state, amount in (("done", D(2)), ("failed", None), ("failed", None), ("done", D(2)), ("failed", None)):
        take(wallet, moved(state=state))
        assert amounts(wallet).get("BTC") == amount
    kinds = [one.kind for one in wallet.transactions.order_by("id")]
    assert kinds == ["opening", "deposit", "reversal", "deposit", "reversal"]


def test_a_booked_amount_that_the_venue_corrects_is_booked_anew(wallet: Wallet) -> None:
    take(wallet, moved())
    take(wallet, moved(legs={"BTC": "2.5"}))
    assert (standing(wallet), amounts(wallet)["BTC"]) == ("booked", D("2.5"))


def test_the_same_deposit_under_two_ids_counts_once_and_both_are_shown(wallet: Wallet) -> None:
    first = moved(txid="aa")
    take(wallet, first, replace(first, reference="d-2"), replace(first, reference="d-3", txid="bb"))
    assert [standing(wallet, name) for name in ("d-1", "d-2", "d-3")] == ["booked", "twin", "booked"]
    assert wallet.movements.get(reference="d-2").twin == wallet.movements.get(reference="d-1")
    assert amounts(wallet)["BTC"] == D(4)
    take(wallet, replace(first, state="failed"), replace(first, reference="d-2"))
    assert (standing(wallet, "d-2"), amounts(wallet)["BTC"]) == ("booked", D(4))


def test_two_withdrawals_in_one_transaction_are_two(wallet: Wallet) -> None:
    one = moved(kind="withdrawal", legs={"USDT": "-5"}, txid="aa")
    take(wallet, one, replace(one, reference="d-2"))
    assert amounts(wallet)["USDT"] == D(990)


def test_a_row_that_cannot_be_read_is_kept_as_it_came(wallet: Wallet) -> None:
    row = UnreadRow("binance", "movement", '{"id": "7"}', "KeyError: 'coin'")
    take(wallet, row, moved())
    take(wallet, row)
    kept = wallet.movements.get(raw=row.raw)
    assert (kept.standing, kept.words) == ("unknown", "KeyError: 'coin'")
    assert amounts(wallet)["BTC"] == D(2)


def test_a_person_may_book_what_was_only_taken_and_once(wallet: Wallet) -> None:
    take(wallet, moved(), book=False)
    one = wallet.movements.get()
    assert (one.standing, amounts(wallet)) == ("ready", {"USDT": D(1000)})
    assert [services.movement_book(movement=one) for _ in range(2)] == [True, False]
    assert amounts(wallet)["BTC"] == D(2)
    take(wallet, moved("d-2", state="pending", moved_at=None))
    with pytest.raises(Conflict, match="the venue has not done it"):
        services.movement_book(movement=wallet.movements.get(reference="d-2"))


def test_what_was_spent_before_it_was_booked_is_no_longer_unbooked(wallet: Wallet) -> None:
    fill(wallet, 1, quantity=D(1), price=D(1500), fee=D(0))
    assert wallet.balances.get(asset="USDT").unbooked == D(500)
    take(wallet, moved(legs={"USDT": "600"}))
    balance = wallet.balances.get(asset="USDT")
    assert (balance.amount, balance.unbooked) == (D(100), D(0))


def test_nothing_is_taken_before_the_books_are_opened() -> None:
    bare = services.wallet_create(name="bare", kind="exchange", quote="USDT", account=account())
    with pytest.raises(Conflict, match="not opened yet"):
        take(bare, moved())
    assert not Movement.objects.filter(wallet=bare).exists()


STATES = st.sampled_from(["pending", "done", "failed", "other"])
STEPS = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(list(BOOKED)), STATES, st.booleans()), min_size=1, max_size=8)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_books_are_the_sum_of_what_is_booked_whatever_the_venue_says(wallet: Wallet, steps: list[Any]) -> None:
    own = services.wallet_create(name=f"drawn {next(names)}", kind="exchange", quote="USDT", account=account())
    services.ledger_opening_from_venue(wallet=own, balances=[Balance("USDT", D(10_000), D(0))], ts=OPENED)
    for number, kind, state, twice in steps:
        row = replace(BOOKED[kind][0], reference=f"{kind}-{number}", state=state, txid=f"{kind}-{number}")
        take(own, *([row] * (1 + twice)))
    sums = {"USDT": D(10_000)}
    for one in own.movements.filter(booked__isnull=False).prefetch_related("legs"):
        assert one.standing == "booked"
        for asset, amount in one.effect().items():
            sums[asset] = sums.get(asset, D(0)) + amount
    assert amounts(own) == {asset: amount for asset, amount in sums.items() if amount}
    assert own.transactions.exclude(kind=LedgerTransaction.Kind.CORRECTION).count() >= 1
