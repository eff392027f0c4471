"""Differences with the venue: one row from the first sight to the end, resolved once, whoever resolves it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from secrets import token_hex
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from core.errors import Conflict, Forbidden, Invalid
from core.models import Event
from tests.people import make_person
from tests.wallets.making import account
from wallets.models import Drift, ReconciliationRun, Wallet
from wallets.selectors import balance_check
from wallets.services import wallet_create
from wallets.services.drifts import FoundDrift, NotedDrifts, drift_resolve, drifts_note

pytestmark = pytest.mark.django_db
State = Drift.State


@pytest.fixture
def wallet() -> Wallet:
    return wallet_create(name="Main", kind="exchange", quote="USDT", account=account())


@pytest.fixture
def trader() -> User:
    return make_person("trader", "trader")


def begin(wallet: Wallet) -> ReconciliationRun:
    return ReconciliationRun.objects.create(run_id=token_hex(8), wallet=wallet, trigger="command", state="drift")


def see(wallet: Wallet, *found: FoundDrift, **options: Any) -> NotedDrifts:
    with transaction.atomic():
        return drifts_note(begin(wallet), found, **options)


def drift(theirs: str = "5", asset: str = "USDT", **more: Any) -> FoundDrift:
    return FoundDrift("balance", asset, Decimal(0), Decimal(theirs), "unknown", **more)


def tomorrow() -> str:
    return (timezone.now() + timedelta(days=1)).isoformat()


def decide(drift_id: int, user: User | None = None, book: Any = None, **decision: Any) -> Drift:
    return drift_resolve(drift_id=drift_id, decision=decision, book=book, user=user)


def only() -> Drift:
    return Drift.objects.get()


def test_a_difference_is_one_row_however_often_it_is_seen(wallet: Wallet) -> None:
    assert len(see(wallet, drift("5")).fresh) == 1
    assert see(wallet, drift("7")).fresh == []
    assert (only().times_seen, only().difference) == (2, Decimal(7))
    assert only().first_seen < only().last_seen


def test_a_difference_that_is_gone_closes_itself_and_says_when(wallet: Wallet) -> None:
    see(wallet, drift(), drift("1", "BTC"))
    assert [one.asset for one in see(wallet, drift("1", "BTC")).closed] == ["USDT"]
    gone = Drift.objects.get(asset="USDT")
    assert gone.state == State.CLOSED
    assert gone.ended_at is not None
    assert gone.reason


def test_one_that_comes_back_is_another_row(wallet: Wallet) -> None:
    see(wallet, drift())
    see(wallet)
    see(wallet, drift())
    assert sorted(Drift.objects.values_list("state", flat=True)) == ["closed", "open"]


def test_what_a_run_could_not_ask_is_not_taken_for_gone(wallet: Wallet) -> None:
    see(wallet, drift(), drift("1", "BTC"))
    see(wallet, unsure={("balance", "USDT")})
    assert Drift.objects.get(state=State.OPEN).asset == "USDT"
    see(wallet, unsure={("balance", "")})
    assert Drift.objects.filter(state=State.OPEN).exists()


def test_adopting_books_what_the_venue_says_once(wallet: Wallet, trader: User) -> None:
    see(wallet, drift("5"))
    for _ in range(2):
        decide(only().pk, action="adopt", user=trader)
    assert wallet.balances.get().amount == 5
    booked = wallet.transactions.get()
    assert (booked.kind, booked.reference) == ("correction", f"drift:{only().pk}")
    assert trader.username in booked.note
    assert (only().state, only().ended_by) == (State.RESOLVED, trader)
    assert not balance_check(wallet=wallet)


def test_adopting_less_than_the_books_have_takes_it_out(wallet: Wallet) -> None:
    see(wallet, drift("5"))
    decide(only().pk, action="adopt")
    see(wallet, FoundDrift("balance", "USDT", Decimal(5), Decimal("1.5"), "unknown"))
    decide(Drift.objects.latest("id").pk, action="adopt")
    assert wallet.balances.get().amount == Decimal("1.5")


def test_a_correction_says_who_and_why(wallet: Wallet, trader: User) -> None:
    see(wallet, drift("5"))
    decide(only().pk, action="correct", amount="4.5", reason="the venue confirmed it", user=trader)
    assert wallet.balances.get().amount == Decimal("4.5")
    assert wallet.transactions.get().note == "trader: the venue confirmed it"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"action": "ignore", "until": "2030-01-01"}, "reason"),
        ({"action": "ignore", "reason": "known"}, "until"),
        ({"action": "ignore", "reason": "known", "until": "2020-01-01"}, "until"),
        ({"action": "ignore", "reason": "known", "until": "soon"}, "until"),
        ({"action": "correct"}, "reason"),
        ({"action": "correct", "reason": "so", "amount": "much"}, "amount"),
        ({"action": "correct", "reason": "so", "amount": "0"}, "amount"),
        ({"action": "adopt", "amount": "1"}, "amount"),
        ({"action": "book"}, "action"),
        ({"action": "forget"}, "action"),
    ],
)
def test_a_bad_decision_names_its_field_and_changes_nothing(wallet: Wallet, given: dict[str, Any], field: str) -> None:
    see(wallet, drift())
    with pytest.raises(Invalid) as caught:
        decide(only().pk, **given)
    assert field in caught.value.fields
    assert only().state == State.OPEN
    assert not wallet.transactions.exists()


def test_an_ignored_one_stays_so_until_it_is_another_amount(wallet: Wallet) -> None:
    see(wallet, drift("5"))
    decide(only().pk, action="ignore", reason="staked", until=tomorrow())
    assert see(wallet, drift("5")).fresh == []
    assert only().state == State.IGNORED
    assert len(see(wallet, drift("6")).fresh) == 1
    assert only().state == State.OPEN


def test_an_ignored_one_is_open_again_after_its_end(wallet: Wallet) -> None:
    see(wallet, drift("5"))
    decide(only().pk, action="ignore", reason="staked", until=tomorrow())
    Drift.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert len(see(wallet, drift("5")).fresh) == 1
    assert only().state == State.OPEN


def test_another_decision_after_the_first_is_refused_by_name(wallet: Wallet, trader: User) -> None:
    see(wallet, drift())
    decide(only().pk, action="adopt", user=trader)
    with pytest.raises(Conflict, match="resolved already by trader"):
        decide(only().pk, action="correct", reason="so")
    assert wallet.transactions.count() == 1


def test_a_viewer_may_not_decide(wallet: Wallet) -> None:
    see(wallet, drift())
    with pytest.raises(Forbidden):
        decide(only().pk, action="adopt", user=make_person("viewer", "viewer"))


def test_a_booking_that_fails_leaves_the_drift_open(wallet: Wallet) -> None:
    def fail(found: Drift) -> None:
        wallet_rows = Wallet.objects.filter(pk=found.wallet_id)
        wallet_rows.update(name="half done")
        raise Conflict("It cannot be booked.")

    see(wallet, drift(evidence=[{"cause": "movement", "amount": "5", "rows": [{"key": "1", "amount": "5", "books": True}]}]))
    with pytest.raises(Conflict):
        decide(only().pk, action="book", book=fail)
    wallet.refresh_from_db()
    assert (only().state, wallet.name) == (State.OPEN, "Main")


def test_an_end_is_told(wallet: Wallet) -> None:
    see(wallet, drift())
    decide(only().pk, action="adopt")
    assert Event.objects.get(type="drift").payload["state"] == "resolved"


def test_the_database_refuses_a_second_run_of_a_wallet(wallet: Wallet) -> None:
    ReconciliationRun.objects.create(run_id="one", wallet=wallet, trigger="page")
    with pytest.raises(IntegrityError), transaction.atomic():
        ReconciliationRun.objects.create(run_id="two", wallet=wallet, trigger="page")


@pytest.mark.django_db(transaction=True)
def test_eight_people_who_adopt_at_once_book_it_once(wallet: Wallet) -> None:
    see(wallet, drift("5"))
    key = only().pk

    def adopt(_: int) -> None:
        with suppress(Conflict):
            decide(key, action="adopt")
        connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(adopt, range(8)))
    assert wallet.balances.get().amount == 5
    assert wallet.transactions.count() == 1
