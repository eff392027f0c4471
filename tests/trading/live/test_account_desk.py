"""What an account's desk does side by side."""

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
from trading.live.account import AccountDesk

ALIVE = Alive("binance", datetime.now(UTC))
KEY = SimpleNamespace(api_key="", secret=b"", rest="", ws="", ws_api="", ws_user="")
WALLET: Any = SimpleNamespace(account=KEY, account_id=1, name="wallet", pk=1)


async def test_orders_are_cancelled_while_the_balances_are_waited_for(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """A process that was killed while it asked keeps the others waiting for a while."""
    settings.SWEEP_SECONDS = 0
    swept = asyncio.Semaphore(0)

    async def errands(_: AccountDesk) -> None:
        swept.release()

    async def for_ever(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(AccountDesk, "run_errands", errands)
    monkeypatch.setattr(AccountDesk, "compare", AsyncMock())
    monkeypatch.setattr(AccountDesk, "listen", for_ever)
    balances, clock = Mock(refresh_due=for_ever), Mock(keep=for_ever)
    desk = AccountDesk(Mock(), WALLET, AsyncMock(), Mock(), balances, clock)
    desk.start()
    async with asyncio.timeout(30):
        for _ in range(3):
            await swept.acquire()
    await desk.stop()


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


async def listened(monkeypatch: pytest.MonkeyPatch, station: Any, *lives: list[Any]) -> AccountDesk:
    """A desk that has heard it all, and listens on."""
    monkeypatch.setattr("trading.live.account.RECONNECT", Timing(backoff=(0.0,)))
    stream: Any = Stream(*lives)
    desk = AccountDesk(station, WALLET, stream, Mock(), Mock(), Mock(), compared_at=1.0)
    desk.tasks = [asyncio.create_task(desk.listen())]
    async with asyncio.timeout(30):
        await stream.over.wait()
    return desk


async def test_a_venue_that_is_away_for_hours_ends_no_user_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """More openings fail in a row than a float has powers of two."""
    desk = await listened(monkeypatch, Mock(), *([Retryable("It is away.")] for _ in range(1_100)), [ALIVE])
    assert not desk.died()
    await desk.stop()


async def test_a_report_that_cannot_be_taken_in_costs_no_other_and_is_asked_for() -> None:
    station = Mock(hear_user=AsyncMock(side_effect=[OperationalError("away"), Invalid("It cannot be loaded."), None]))
    reports = [Mock(spec=Report, client_order_id=f"qd-{number}") for number in range(3)]
    desk = AccountDesk(station, WALLET, Mock(), Mock(), Mock(), Mock(), compared_at=1.0)
    for report in reports:
        await desk.hear(report)
    assert [call.args[1] for call in station.hear_user.await_args_list] == reports
    assert desk.compared_at == 0.0


async def test_a_fault_of_ours_ends_no_user_stream_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    station = Mock(hear_user=AsyncMock(side_effect=ZeroDivisionError))
    desk = await listened(monkeypatch, station, [ALIVE, Mock(spec=Report)], [ALIVE])
    await desk.stop()
    told = [call.args[0] for call in station.reporter.hear.call_args_list]
    assert [(one.kind, one.end is None) for one in told] == [("user_stream", True), ("user_stream", False)] * 2


async def test_a_user_stream_that_is_lost_is_an_incident_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    station = Mock()
    desk = await listened(monkeypatch, station, [ALIVE, Retryable("It was lost.")], [Retryable("Still away.")])
    (begun,) = [call.args[0] for call in station.reporter.hear.call_args_list]
    assert (begun.kind, begun.end, begun.detail) == ("user_stream", None, "wallet: It was lost.")
    assert desk.fault.startswith("No user stream of wallet: It was lost.")
    desk.note_found()
    assert desk.fault == ""
    ended = station.reporter.hear.call_args.args[0]
    assert (ended.begin, ended.end is None) == (begun.begin, False)
    await desk.stop()
