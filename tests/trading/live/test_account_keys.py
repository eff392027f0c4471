"""Accounts of one venue in a stream worker: one whose key cannot be used is let go, and does not affect the others."""

from __future__ import annotations

import asyncio
import json
from urllib.request import urlopen

import pytest

from core.models import Event
from core.times import from_ms
from market.sandbox.server import RunningSandbox
from tests.chaos.desk import account, bot, fixed, start
from tests.trading.working import find_runner, may_trade, sandbox, until, why_not, working
from trading.live.account import AccountWorker
from trading.live.worker import StreamWorker
from trading.models import Bot
from trading.services.bots import bot_pause
from wallets.models import ExchangeAccount
from wallets.services import account_create, account_secret_set, wallet_create

__all__ = ["sandbox"]
pytestmark = pytest.mark.django_db(transaction=True)
DCA = bot("dca", "binance", "BTC-USDT", {"every": 1, "part": 1}, fixed("150"), {})


def find_account(worker: StreamWorker, row: ExchangeAccount) -> AccountWorker | None:
    return next(filter(None, (venue.accounts.find(row.pk) for venue in worker.venues.values())), None)


def trading(row: ExchangeAccount) -> Bot:
    """A bot that trades with an account of its own name."""
    wallet = wallet_create(name=row.name, kind="exchange", quote="USDT", account=row)
    return start(DCA | {"name": f"of {row.name}"}, wallet)


def alerts(row: ExchangeAccount) -> list[str]:
    return [one.payload["message"] for one in Event.objects.filter(type="alert", payload__account=row.name).order_by("id")]


def test_a_wrong_key_is_told_once_and_leaves_the_other_accounts_alone(sandbox: RunningSandbox) -> None:
    address = sandbox.addresses["binance"]
    places = {name: address[name] for name in ("rest", "ws", "ws_api")}
    wrong = account_create(name="wrong", venue="binance", environment="sandbox", api_key="nobody's", secret="guessed", **places)
    theirs, right = trading(wrong), account(sandbox, "binance")
    ours = trading(right)

    async def played() -> None:
        async with working(sandbox) as worker:
            await until(lambda: may_trade(worker, ours))
            await worker.pools.in_thread(lambda: bot_pause(bot_id=ours.bot_id))
            await until(lambda: (found := find_runner(worker, ours)) is not None and not found.loaded_bot.trader.entries_allowed)
            assert why_not(worker, theirs).startswith("wrong cannot be used: ")

    asyncio.run(played())
    (told,) = alerts(wrong)
    assert told.startswith("wrong cannot be used: ")
    assert not alerts(right)


def test_a_key_that_is_refused_while_it_works_is_let_go_until_it_is_taken_again(sandbox: RunningSandbox) -> None:
    row = account(sandbox, "binance")
    one = trading(row)

    def refuse(reason: str) -> None:
        ExchangeAccount.objects.filter(pk=row.pk).update(refused_reason=reason)

    async def played() -> None:
        async with working(sandbox) as worker:
            await until(lambda: may_trade(worker, one))
            await worker.pools.in_thread(refuse, "It can withdraw.")
            await until(lambda: find_account(worker, row) is None)
            assert "its key was refused" in why_not(worker, one)
            await worker.pools.in_thread(refuse, "")
            await until(lambda: may_trade(worker, one))

    asyncio.run(played())


def test_a_key_that_is_replaced_is_used_at_once(sandbox: RunningSandbox) -> None:
    row = account(sandbox, "binance")
    one, right = trading(row), sandbox.addresses["binance"]

    def enter(api_key: str, secret: str) -> None:
        account_secret_set(account=ExchangeAccount.objects.get(pk=row.pk), api_key=api_key, secret=secret)

    async def played() -> None:
        async with working(sandbox) as worker:
            await until(lambda: may_trade(worker, one))
            before = find_account(worker, row)
            await worker.pools.in_thread(enter, right["api_key"], "mistyped")
            await until(lambda: worker.pools.in_thread(lambda: bool(alerts(row))))
            assert find_account(worker, row) is None
            await worker.pools.in_thread(enter, right["api_key"], right["api_secret"])
            await until(lambda: may_trade(worker, one))
            assert find_account(worker, row) is not before

    asyncio.run(played())


def test_the_books_of_an_account_begin_by_the_clock_of_the_venue(sandbox: RunningSandbox) -> None:
    """As all that it says later is dated: what is dated before the books began counts as being in them."""
    sandbox.fault({"fault": "clock_skew", "skew": -40_000})
    one = trading(account(sandbox, "binance"))

    async def played() -> None:
        async with working(sandbox) as worker:
            await until(lambda: may_trade(worker, one))

    asyncio.run(played())
    with urlopen(f"{sandbox.addresses['binance']['rest']}/api/v3/time") as answer:
        venue_time = from_ms(json.load(answer)["serverTime"])
    assert one.wallet.transactions.get(kind="opening").ts <= venue_time
