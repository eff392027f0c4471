"""What an account's desk does side by side."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from trading.live.account import AccountDesk

KEY = SimpleNamespace(api_key="", secret=b"", rest="", ws="", ws_api="", ws_user="")


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
    wallet: Any = SimpleNamespace(account=KEY, name="wallet", pk=1)
    desk = AccountDesk(Mock(), wallet, AsyncMock(), Mock(), balances, clock)
    desk.start()
    async with asyncio.timeout(30):
        for _ in range(3):
            await swept.acquire()
    await desk.stop()
