"""Who asks for reconciliation: the schedule, the stream worker, and messages that come twice."""

from __future__ import annotations

from typing import Any, cast

import pytest
from django.conf import settings

from operations.schedules import list_waiting
from tests.wallets.making import account, paper
from trading.live.reconciler import RECONCILE, Reconciler
from trading.tasks import reconciliation_execute, wallets_reconcile
from wallets.models import ReconciliationRun, Wallet
from wallets.services import wallet_create

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet() -> Wallet:
    """Its venue is nowhere."""
    return wallet_create(name="Main", kind="exchange", quote="USDT", account=account(rest="http://127.0.0.1:9"))


def test_the_schedule_and_the_stream_name_the_task_that_is_there() -> None:
    assert settings.CELERY_BEAT_SCHEDULE["reconcile wallets"]["task"] == wallets_reconcile.name == RECONCILE


def test_the_task_begins_a_run_of_each_wallet_that_has_a_venue_and_hands_it_on(wallet: Wallet) -> None:
    paper()
    wallets_reconcile()
    wallets_reconcile()
    run = ReconciliationRun.objects.get()
    assert (run.wallet, run.trigger, run.state) == (wallet, "schedule", "running")
    assert any(name == reconciliation_execute.name and run.run_id in given for name, given in list_waiting())


def test_a_second_message_for_a_run_does_no_harm(wallet: Wallet) -> None:
    wallets_reconcile(wallet.wallet_id, "gap")
    run = ReconciliationRun.objects.get()
    for _ in range(2):
        reconciliation_execute(run.run_id)
    run.refresh_from_db()
    assert (run.trigger, run.state) == ("gap", "failed")
    assert run.error


async def test_the_stream_asks_after_its_start_and_after_a_gap_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    async def in_thread(call: Any) -> None:
        told.append(call.args[1])

    nobody: Any = None
    one = Reconciler(Wallet(wallet_id="abc"), nobody, nobody, nobody, cast(Any, in_thread))
    await one.ask_for_run()
    assert told == []
    one.ready = True
    await one.ask_for_run()
    one.note_gap()
    await one.ask_for_run()
    assert told == [[("abc", "start")]]
    one.run_asked_at -= 61
    await one.ask_for_run()
    assert told[1:] == [[("abc", "gap")]]
