"""The ledger: double entry, booked once, never changed, and balances that are its sums, whoever books at the same time."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, DomainError, Invalid, NotFound
from market.exchanges.base import Balance
from tests.wallets.making import NOW, account, fill, paper, rich
from wallets import selectors, services
from wallets.ledger import Booking, Leg
from wallets.models import LedgerEntry, LedgerTransaction, Wallet, WalletBalance

pytestmark = pytest.mark.django_db
STEP = Decimal("1e-18")


def kept(wallet: Wallet) -> dict[str, Decimal]:
    return selectors.wallet_balances(wallet=selectors.wallet_get(wallet_id=wallet.wallet_id))


def exact(places: int, most: int, *, least: Decimal = STEP) -> Any:
    return st.decimals(least, most, allow_nan=False, allow_infinity=False, places=places)


FILLS = st.lists(
    st.tuples(
        st.integers(0, 6),  # trade ids come again
        st.sampled_from(["buy", "sell"]),
        st.sampled_from(["BTC", "ETH"]),
        exact(18, 10**6),
        exact(18, 10**6),
        exact(18, 1000, least=Decimal(-1000)),
        st.sampled_from(["USDT", "BTC", "BNB"]),
    ),
    max_size=8,
)


@given(FILLS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_transaction_balances_and_balances_are_the_sums(fills: list[Any]) -> None:
    owned = dict.fromkeys(("USDT", "BTC", "ETH", "BNB"), Decimal(10) ** 14)
    wallet = paper(opening=owned)
    expected: dict[str, Decimal] = defaultdict(Decimal, owned)
    seen = set()
    with localcontext(prec=80):
        for trade_id, side, base, quantity, price, fee, fee_asset in fills:
            told = {"side": side, "base": base, "quantity": quantity, "price": price, "fee": fee, "fee_asset": fee_asset}
            assert fill(wallet, trade_id, **told) is (trade_id not in seen)
            if trade_id not in seen:
                sign = 1 if side == "buy" else -1
                expected[base] += sign * quantity
                expected["USDT"] -= sign * (quantity * price).quantize(STEP, rounding=ROUND_HALF_EVEN)
                expected[fee_asset] -= fee
            seen.add(trade_id)
        assert {asset: amount for asset, amount in kept(wallet).items() if amount} == {k: v for k, v in expected.items() if v}
    sums = LedgerEntry.objects.filter(transaction__wallet=wallet).values_list("transaction", "asset").annotate(Sum("amount"))
    assert {left for _, _, left in sums} == {0}
    assert selectors.balance_check(wallet=wallet) == []
    connection.check_constraints()


def test_a_purchase_in_words() -> None:
    wallet = rich()
    fill(wallet, 1, fee=Decimal("0.0005"), fee_asset="BTC", note="q1")
    booked = LedgerTransaction.objects.get(kind="fill")
    assert (booked.reference, booked.ts, booked.note) == ("fill:binance:BTC-USDT:1", NOW, "q1")
    assert [str(entry) for entry in booked.entries.all()] == [
        "assets +0.5 BTC",
        "trading -0.5 BTC",
        "assets -15000 USDT",
        "trading +15000 USDT",
        "assets -0.0005 BTC",
        "fees +0.0005 BTC",
    ]
    assert kept(wallet) == {"BTC": Decimal("0.4995"), "USDT": Decimal(5_000)}


def test_booking_twice_changes_nothing() -> None:
    wallet, other = rich(), rich()
    assert fill(wallet, 7)
    before = kept(wallet), LedgerEntry.objects.count()
    assert not fill(wallet, 7)
    assert not fill(wallet, 7, quantity=Decimal(3))
    assert (kept(wallet), LedgerEntry.objects.count()) == before
    assert fill(other, 7)  # one venue's trade ids mean nothing in another wallet


def test_a_fill_takes_one_statement(django_assert_num_queries: Any) -> None:
    wallet = rich(BNB="20")
    with django_assert_num_queries(1):
        fill(wallet, 1, fee_asset="BNB")


def test_a_fill_that_is_rolled_back_leaves_nothing() -> None:
    wallet = rich()
    with transaction.atomic():
        assert fill(wallet, 1)
        transaction.set_rollback(True)
    assert kept(wallet) == {"USDT": 20_000}
    assert fill(wallet, 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("side", "hold"),
        ("quantity", Decimal(0)),
        ("quantity", Decimal("-1")),
        ("quantity", Decimal("nan")),
        ("quantity", Decimal("1e30")),
        ("price", Decimal("inf")),
        ("price", Decimal(0)),
        ("fee", Decimal("nan")),
        ("fee", Decimal("1e25")),
    ],
)
def test_a_fill_that_cannot_be_is_refused_by_name(field: str, value: Any) -> None:
    wallet = paper()
    with pytest.raises(Invalid) as refused:
        fill(wallet, 1, **{field: value})
    assert list(refused.value.fields) == [field]
    assert not LedgerTransaction.objects.filter(kind="fill").exists()


def test_more_than_a_column_holds_is_refused() -> None:
    with pytest.raises(Invalid, match="more than the ledger holds"):
        fill(paper(), 1, quantity=Decimal(10) ** 15, price=Decimal(10) ** 15)


def test_a_fill_for_no_wallet_is_refused() -> None:
    with pytest.raises(NotFound):
        fill(Wallet(pk=10**9), 1)


# ---------------------------------------------------------------- what the database holds it to


def test_the_service_refuses_entries_that_do_not_balance() -> None:
    legs = [Leg(LedgerEntry.Account.ASSETS, "BTC", Decimal(1)), Leg(LedgerEntry.Account.TRADING, "BTC", Decimal("-0.9"))]
    with pytest.raises(Invalid, match="BTC do not balance"):
        Booking(LedgerTransaction.Kind.CORRECTION, "x", NOW, legs)


def test_the_database_refuses_entries_that_do_not_balance() -> None:
    made = LedgerTransaction.objects.create(wallet=paper(), kind="correction", reference="by hand", ts=NOW)
    LedgerEntry.objects.create(transaction=made, account="assets", asset="BTC", amount=1)
    LedgerEntry.objects.create(transaction=made, account="capital", asset="ETH", amount=-1)
    with pytest.raises(IntegrityError, match="does not sum to zero"), transaction.atomic():
        connection.check_constraints()
    LedgerEntry.objects.create(transaction=made, account="capital", asset="BTC", amount=-1)
    LedgerEntry.objects.create(transaction=made, account="assets", asset="ETH", amount=1)
    connection.check_constraints()


CHANGES: list[Callable[[], Any]] = [
    lambda: LedgerEntry.objects.update(amount=1),
    lambda: LedgerTransaction.objects.update(note="changed"),
    lambda: LedgerEntry.objects.all()._raw_delete("default"),
    lambda: LedgerTransaction.objects.all()._raw_delete("default"),
]


@pytest.mark.parametrize("change", CHANGES)
def test_ledger_rows_are_neither_changed_nor_deleted(change: Callable[[], Any]) -> None:
    fill(rich(), 1)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        change()


def test_a_balance_that_is_not_its_sum_is_found() -> None:
    wallet, sound = rich(), rich()
    fill(wallet, 1)
    fill(sound, 1)
    WalletBalance.objects.filter(wallet=wallet, asset="BTC").update(amount=7)
    WalletBalance.objects.filter(wallet=wallet, asset="USDT").delete()
    WalletBalance.objects.create(wallet=wallet, asset="DOGE", amount=1)
    found = [(item.wallet, item.asset, item.balance, item.entries) for item in selectors.balance_check()]
    assert found == [
        (wallet.name, "BTC", Decimal(7), Decimal("0.5")),
        (wallet.name, "DOGE", Decimal(1), Decimal(0)),
        (wallet.name, "USDT", Decimal(0), Decimal(4_985)),
    ]
    assert selectors.balance_check(wallet=sound) == []
    assert len(selectors.balance_check(wallet=wallet)) == 3


# ---------------------------------------------------------------- many at once


def at_once(works: list[Callable[[], None]]) -> None:
    """All of them, each in a thread with a connection of its own, let go together."""
    gate, failures = threading.Barrier(len(works)), []

    def run(work: Callable[[], None]) -> None:
        try:
            gate.wait(30)
            work()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


@pytest.mark.django_db(transaction=True)
def test_twenty_threads_book_on_one_wallet_and_nothing_is_lost_or_doubled() -> None:
    wallet = rich(USDT="1000000", BNB="10")
    booked: list[bool] = []
    small = {"quantity": Decimal("0.1"), "fee": Decimal("0.01"), "fee_asset": "BNB"}

    def work(number: int) -> Callable[[], None]:
        def run() -> None:
            for step in range(10):
                # Each trade is reported to two of the threads; assets in either order within one transaction.
                pair = [("BTC", f"b{number // 2}-{step}"), ("ETH", f"e{number // 2}-{step}")]
                with transaction.atomic():
                    for base, trade_id in pair if number % 2 else reversed(pair):
                        booked.append(fill(wallet, trade_id, base=base, **small))

        return run

    at_once([work(number) for number in range(20)])
    assert sorted(booked) == [False] * 200 + [True] * 200
    assert kept(wallet) == {
        "BTC": Decimal(10),
        "ETH": Decimal(10),
        "USDT": Decimal(1_000_000) - 200 * Decimal(3_000),
        "BNB": Decimal(8),
    }
    assert selectors.balance_check() == []


# ---------------------------------------------------------------- openings and deposits


def test_a_deposit_is_booked_once_by_its_reference() -> None:
    wallet = paper(opening={})
    assert services.wallet_deposit(wallet=wallet, asset="usdt", amount="250.5", reference="form 1")
    assert not services.wallet_deposit(wallet=wallet, asset="usdt", amount="250.5", reference="form 1")
    assert services.wallet_deposit(wallet=wallet, asset="USDT", amount=Decimal(1))
    assert kept(wallet) == {"USDT": Decimal("251.5")}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "nan"}, "amount"),
        ({"amount": "1e20"}, "amount"),
        ({"asset": "US DT"}, "asset"),
        ({"asset": ""}, "asset"),
        ({"note": "x" * 301}, "note"),
    ],
)
def test_a_bad_deposit_is_refused_by_name(change: dict[str, Any], field: str) -> None:
    wallet = paper()
    with pytest.raises(Invalid) as refused:
        services.wallet_deposit(**{"wallet": wallet, "asset": "USDT", "amount": "5", **change})
    assert field in refused.value.fields
    assert kept(wallet) == {"USDT": 10_000}


def test_an_exchange_wallet_opens_with_what_the_venue_holds_and_only_once() -> None:
    wallet = services.wallet_create(name="real", kind="exchange", quote="USDT", account=account())
    amounts = [("USDT", "900", "100"), ("BTC", "0.25", "0"), ("BNB", "0", "0")]
    held = [Balance(asset, Decimal(free), Decimal(locked)) for asset, free, locked in amounts]
    assert services.ledger_opening_from_venue(wallet=wallet, balances=held)
    assert not services.ledger_opening_from_venue(wallet=wallet, balances=held)
    assert kept(wallet) == {"USDT": 1_000, "BTC": Decimal("0.25")}
    refused: list[tuple[type[DomainError], Callable[[], Any]]] = [
        (Conflict, lambda: services.wallet_deposit(wallet=wallet, asset="BTC", amount="1")),
        (Conflict, lambda: services.ledger_opening_from_venue(wallet=paper(), balances=held)),
    ]
    for kind, act in refused:
        with pytest.raises(kind):
            act()


def test_an_opening_after_other_bookings_would_count_twice_and_is_refused() -> None:
    wallet = services.wallet_create(name="real", kind="exchange", quote="USDT", account=account())
    fill(wallet, 1)
    with pytest.raises(Conflict, match="reconciliation"):
        services.ledger_opening_from_venue(wallet=wallet, balances=[Balance("USDT", Decimal(1), Decimal(0))])
