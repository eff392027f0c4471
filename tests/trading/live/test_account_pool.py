"""Accounts of one venue: one whose key the venue has ceased to take is let go and told."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest

from trading.live import account_pool
from trading.live.account_pool import SHUT_SECONDS, AccountPool

BARRED = "Binance: Invalid API-key, IP, or permissions for action."


def pool(told: list[Any], *accounts: Any) -> AccountPool:
    async def in_thread(call: Any, *arguments: Any) -> None:
        told.append(arguments)

    one = AccountPool("binance", Mock(pools=Mock(in_thread=in_thread)), Mock(), Mock(), Mock(), Mock())
    one.accounts = dict(enumerate(accounts))
    return one


def account(unauthorised: str = "") -> Any:
    wallet = SimpleNamespace(name="wallet", account="its account", account_id=0)
    return Mock(wallet=wallet, executor=Mock(unauthorised=unauthorised), stop=AsyncMock())


async def test_a_key_that_is_barred_in_mid_run_is_let_go_and_tried_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_pool, "fingerprint_key", lambda _: "k")
    monkeypatch.setattr("trading.live.account_pool.time.monotonic", lambda: 100.0)
    told: list[Any] = []
    barred, well = account(BARRED), account()
    one = pool(told, barred, well)
    desired: Any = SimpleNamespace(keys={0: "k", 1: "k"}, wallets=[barred.wallet], drifts={})
    await one.follow(desired)
    assert one.accounts == {1: well}
    barred.stop.assert_awaited_once()
    assert told == [("its account", f"wallet cannot be used: {BARRED}")]
    assert one.explain_not_ready(0) == f"wallet cannot be used: {BARRED}"
    assert one.shut_until == {"k": 100.0 + SHUT_SECONDS}


async def test_bots_of_an_account_that_cannot_be_compared_say_why() -> None:
    waiting = account()
    waiting.reconciler.ready, waiting.reconciler.describe_trouble = False, lambda: "The venue is away."
    one = pool([], waiting)
    assert one.explain_not_ready(0) == "The venue is away."
    waiting.reconciler.describe_trouble = lambda: ""
    assert one.explain_not_ready(0).startswith("recovering: ")
    waiting.reconciler.ready = True
    assert one.explain_not_ready(0) == ""
