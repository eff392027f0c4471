"""Invariant 3: claims never exceed the budget, however many claim at once; first shown to fail without the guard."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from core.batch import WriteBatch
from core.models import Event
from tests.trading.making import budget_ids, candles, paper_wallet, replay_bot
from trading.models import KillSwitch, RiskBudget
from trading.services import budgets

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]

THREADS = 64
ROOM = 10


def race(claim: Callable[[], bool]) -> int:
    """How many of THREADS claims at once were granted."""
    gate = threading.Barrier(THREADS, timeout=30)

    def one(_: int) -> bool:
        # A connection for each thread: those that wait for one another cannot share a pool.
        options = {name: value for name, value in connection.settings_dict["OPTIONS"].items() if name != "pool"}
        connection.settings_dict = {**connection.settings_dict, "OPTIONS": options}
        try:
            gate.wait()
            with transaction.atomic():
                return claim()
        except IntegrityError:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(one, range(THREADS)))


@pytest.fixture
def ids() -> list[int]:
    candles()
    return budget_ids(replay_bot(paper_wallet()), str(ROOM * 10))


def state(ids: list[int]) -> list[tuple[Decimal, Decimal]]:
    return [(one.claimed, one.used) for one in RiskBudget.objects.filter(pk__in=ids)]


def test_64_threads_claim_no_more_than_there_is(ids: list[int]) -> None:
    granted = race(lambda: budgets.budget_claim(ids, Decimal(10)) is None)
    assert granted == ROOM
    assert {claimed for claimed, _ in state(ids)} == {Decimal(ROOM * 10)}


def draw(ids: list[int], amount: int) -> bool:
    """A claim with the writing, as an order at a venue makes it."""
    batch = WriteBatch()
    budgets.Draw(ids, claim=Decimal(amount)).add_to(batch)
    batch.insert(Event(type="intent", source="test"), lock=1)
    return batch.run() is None


def test_64_threads_write_no_more_than_there_is_room_for(ids: list[int]) -> None:
    granted = race(lambda: draw(ids, 10))
    assert granted == ROOM == Event.objects.filter(source="test").count()
    assert {claimed for claimed, _ in state(ids)} == {Decimal(ROOM * 10)}


def test_what_is_given_back_makes_room_for_a_claim_of_the_same_statement(ids: list[int]) -> None:
    assert draw(ids, ROOM * 10)
    assert not draw(ids, 10)
    batch = WriteBatch()
    budgets.Draw(ids, claim=Decimal(60), unclaim=Decimal(100), use=Decimal(40)).add_to(batch)
    assert batch.run() is None
    assert set(state(ids)) == {(Decimal(60), Decimal(40))}


def test_what_was_dearer_than_its_claim_is_booked_though_others_have_claimed_the_rest(ids: list[int]) -> None:
    assert draw(ids, 50)
    assert draw(ids, 50)
    budgets.budget_settle(ids, unclaim=Decimal(50), use=Decimal(51))
    assert set(state(ids)) == {(Decimal(50), Decimal(51))}
    assert not draw(ids, 1)


def test_reading_and_then_writing_grants_too_much(ids: list[int]) -> None:
    """The control: without the conditional update the same threads take more than there is."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE trading_riskbudget DISABLE TRIGGER budget_not_exceeded")
    own = RiskBudget.objects.filter(pk__in=ids, scope="bot")
    together = threading.Barrier(THREADS, timeout=30)

    def read_then_write() -> bool:
        budget = own.get()
        together.wait()  # everybody has read before anybody writes
        if budget.claimed + 10 > budget.limit:
            return False
        own.update(claimed=F("claimed") + 10)
        return True

    try:
        assert race(read_then_write) > ROOM
    finally:
        RiskBudget.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE trading_riskbudget ENABLE TRIGGER budget_not_exceeded")


def test_the_database_refuses_what_the_code_lets_through(ids: list[int]) -> None:
    with pytest.raises(IntegrityError, match="budget_not_exceeded"):
        RiskBudget.objects.filter(pk__in=ids, scope="bot").update(claimed=Decimal(ROOM * 10 + 1))


def test_a_claim_takes_from_all_three_or_none(ids: list[int]) -> None:
    RiskBudget.objects.filter(pk__in=ids, scope="wallet").update(limit=5)
    denial = budgets.budget_claim(ids, Decimal(10))
    assert denial is not None
    assert denial.reason == "wallet_budget"
    assert state(ids) == [(Decimal(0), Decimal(0))] * 3


def test_an_unknown_budget_denies() -> None:
    denial = budgets.budget_claim([], Decimal(1))
    assert denial is not None
    assert denial.reason == "unknown_limit"


def test_claimed_becomes_used_and_comes_back(ids: list[int]) -> None:
    assert budgets.budget_claim(ids, Decimal(40)) is None
    budgets.budget_settle(ids, unclaim=Decimal(40), use=Decimal(39))
    assert set(state(ids)) == {(Decimal(0), Decimal(39))}
    budgets.budget_settle(ids, use=Decimal(-39))
    assert set(state(ids)) == {(Decimal(0), Decimal(0))}


def test_concurrent_claims_and_settlements_end_even(ids: list[int]) -> None:
    """No deadlock between claims and settlements of the same three rows, and nothing lost."""
    RiskBudget.objects.filter(pk__in=ids).update(limit=10_000)

    def there_and_back() -> bool:
        assert budgets.budget_claim(ids, Decimal(7)) is None
        budgets.budget_settle(list(reversed(ids)), unclaim=Decimal(7), use=Decimal(3))
        budgets.budget_settle(ids, use=Decimal(-3))
        return True

    assert race(there_and_back) == THREADS
    assert set(state(ids)) == {(Decimal(0), Decimal(0))}


def test_nothing_is_claimed_while_the_kill_switch_is_on(ids: list[int]) -> None:
    KillSwitch.objects.create(killed=True)
    denial = budgets.budget_claim(ids, Decimal(10))
    assert denial is not None
    assert denial.reason == "kill_switch"
    assert {claimed for claimed, _ in state(ids)} == {Decimal(0)}
    KillSwitch.objects.update(killed=False)
    assert budgets.budget_claim(ids, Decimal(10)) is None
