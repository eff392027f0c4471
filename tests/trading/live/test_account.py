"""What an account's worker does side by side."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from django.db import OperationalError

from core.errors import Invalid
from market.exchanges.base import Alive, Report, Retryable
from market.feed import Timing
from trading.live.account import AccountWorker
from trading.live.errands import Errands
from trading.live.reconciler import Reconciler

ALIVE = Alive("binance", datetime.now(UTC))
KEY = SimpleNamespace(api_key="", secret=b"", rest="", ws="", ws_api="", ws_user="")
WALLET: Any = SimpleNamespace(account=KEY, account_id=1, name="wallet", pk=1)


async def test_orders_are_cancelled_while_the_balances_are_waited_for(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A process that was killed while it asked keeps the others waiting for a while."""
    settings.SWEEP_SECONDS = 0
    swept = asyncio.Semaphore(0)

    async def begin_all(_: Errands) -> None:
        swept.release()

    async def for_ever(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(Errands, "begin_all", begin_all)
    monkeypatch.setattr(Reconciler, "compare", AsyncMock())
    monkeypatch.setattr(AccountWorker, "listen", for_ever)
    balances, clock = Mock(refresh_due=for_ever), Mock(run=for_ever)
    account = AccountWorker(WALLET, AsyncMock(), Mock(), balances, reconciler(Mock()), clock, Mock())
    account.start()
    async with asyncio.timeout(30):
        for _ in range(3):
            await swept.acquire()
    await account.stop()


def reconciler(owners: Any) -> Reconciler:
    """One that has compared already."""
    made = Reconciler(WALLET, Mock(), Mock(), owners, Mock())
    made.compared_at = 1.0
    return made


class Stream:
    """A venue whose user stream says what it is given, one list a connection: an error ends it."""

    venue = "binance"

    def __init__(self, *lives: list[Any]) -> None:
        self.lives, self.over = list(lives), asyncio.Event()

    async def user_stream(self) -> AsyncIterator[Any]:
        if not self.lives:
            self.over.set()
            await asyncio.Event().wait()
        for event in self.lives.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event

    async def close(self) -> None:
        pass


async def listen(monkeypatch: pytest.MonkeyPatch, owners: Any, *lives: list[Any]) -> AccountWorker:
    """An account whose stream has said everything, and that listens on. Its incidents go to a mock."""
    monkeypatch.setattr("trading.live.account.RECONNECT", Timing(backoff=(0.0,)))
    stream: Any = Stream(*lives)
    account = AccountWorker(WALLET, stream, Mock(), Mock(), reconciler(owners), Mock(), Mock())
    account.start_part("user stream")
    async with asyncio.timeout(30):
        await stream.over.wait()
    return account


def incidents(account: Any) -> list[Any]:
    return [call.args[0] for call in account.report_incident.call_args_list]


async def test_a_venue_that_is_away_for_hours_ends_no_user_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """More openings fail in a row than a float has powers of two."""
    account = await listen(monkeypatch, Mock(), *([Retryable("It is away.")] for _ in range(1_100)), [ALIVE])
    assert not account.tasks["user stream"].done()
    await account.stop()


async def test_a_report_that_cannot_be_taken_in_costs_no_other_and_is_asked_for() -> None:
    owners, runner = Mock(), Mock()
    owners.find_owner = AsyncMock(side_effect=[OperationalError("away"), Invalid("It cannot be loaded."), runner])
    reports = [Mock(spec=Report, client_order_id=f"qd-{number}") for number in range(3)]
    executor = Mock(on_first_report=AsyncMock())
    account = AccountWorker(WALLET, Mock(), executor, Mock(), reconciler(owners), Mock(), Mock())
    for report in reports:
        await account.on_event(report)
    assert [call.args[0] for call in owners.find_owner.await_args_list] == [report.client_order_id for report in reports]
    executor.on_first_report.assert_awaited_once_with(runner, reports[2])
    assert account.reconciler.compared_at == 0.0


async def test_a_fault_of_ours_ends_no_user_stream_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    owners = Mock(find_owner=AsyncMock(side_effect=ZeroDivisionError))
    account = await listen(monkeypatch, owners, [ALIVE, Mock(spec=Report, client_order_id="qd-1")], [ALIVE])
    await account.stop()
    assert [(one.kind, one.end is None) for one in incidents(account)] == [("user_stream", True), ("user_stream", False)] * 2


async def test_a_user_stream_that_is_lost_is_an_incident_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    account = await listen(monkeypatch, Mock(), [ALIVE, Retryable("It was lost.")], [Retryable("Still away.")])
    (begun,) = incidents(account)
    assert (begun.kind, begun.end, begun.detail) == ("user_stream", None, "wallet: It was lost.")
    assert account.describe_fault().startswith("No user stream of wallet: It was lost.")
    account.note_found()
    assert account.describe_fault() == ""
    ended = incidents(account)[-1]
    assert (ended.begin, ended.end is None) == (begun.begin, False)
    await account.stop()


@pytest.mark.parametrize("name", ["user stream", "comparison of orders", "errands", "balances", "clock"])
async def test_a_task_of_an_account_that_ends_is_started_again_and_told(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    begun = []

    async def for_ever(*_: object) -> None:
        begun.append(1)
        await asyncio.Event().wait()

    for owner, method in ((AccountWorker, "listen"), (AccountWorker, "watch_balances"), (Reconciler, "run"), (Errands, "run")):
        monkeypatch.setattr(owner, method, for_ever)
    account = AccountWorker(WALLET, AsyncMock(), Mock(), Mock(), reconciler(Mock()), Mock(run=for_ever), Mock())
    account.start()
    account.reconciler.compared_at = 1.0
    for _ in range(2):  # it ends again before it was seen at work
        account.tasks[name].cancel()
        await asyncio.wait([account.tasks[name]])
        account.revive()
    await asyncio.sleep(0)
    (told,) = incidents(account)
    assert (told.kind, told.end, told.detail) == (
        "account_task",
        None,
        f"wallet: its {name} ended (cancelled) and was started again.",
    )
    assert account.reconciler.compared_at == 0.0
    account.revive()
    assert incidents(account)[1].begin == told.begin
    assert incidents(account)[1].end is not None
    assert not any(task.done() for task in account.tasks.values())
    await account.stop()
    assert begun
