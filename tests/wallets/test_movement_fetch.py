"""Movements fetched from the sandbox, through the real client libraries, into the books: nothing lost, nothing twice."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.utils import timezone
from redis import Redis

from core.errors import Conflict
from core.times import to_ms
from market.connections import open_exchange
from market.exchanges.base import Balance
from market.sandbox.movements import MovementLeg, MovementTicket, SandboxMovement
from market.sandbox.server import RunningSandbox, running_sandbox
from tests.market.exchanges.venues import SCENARIO
from tests.wallets.making import account, allowed
from wallets import services, tasks
from wallets.models import ExchangeAccount, Movement, Wallet
from wallets.selectors import balance_check, movements_waiting, wallet_balances, wallets_with_venue
from wallets.services import account_endpoint, movements_fetch

pytestmark = pytest.mark.django_db
VENUES = ("binance", "coinbase")
CASH = {"binance": "USDT", "coinbase": "USD"}
D = Decimal
names = count(1)


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(SCENARIO) as running:
        yield running


def open_wallet(sandbox: RunningSandbox, venue: str) -> Wallet:
    """A wallet at the sandbox whose books began a minute ago with what the account has."""
    forget_limits()
    place = {name: text for name, text in sandbox.addresses[venue].items() if name not in ("api_secret", "symbols")}
    row = account(venue=venue, secret=sandbox.addresses[venue]["api_secret"], **place)
    wallet = services.wallet_create(name=f"{venue} {next(names)}", kind="exchange", quote=CASH[venue], account=row)
    held = sandbox.exchange(venue).accounts[sandbox.key(venue)].balances.items()
    balances = [Balance(asset, one.free, one.held) for asset, one in held]
    services.ledger_opening_from_venue(wallet=wallet, balances=balances, ts=timezone.now() - timedelta(minutes=1))
    return wallet


def plant(sandbox: RunningSandbox, venue: str, kind: Any, stage: Any = "done", **given: Any) -> SandboxMovement:
    legs = tuple(MovementLeg(asset, D(amount)) for asset, amount in given.pop("legs").items())
    created: datetime | None = given.pop("created", None)
    ticket = MovementTicket(kind, legs, D(given.pop("fee", 0)), **given)
    begun = to_ms(created) if created else None
    return sandbox.do(lambda: sandbox.exchange(venue).move(sandbox.key(venue), ticket, stage, begun))


def settle(sandbox: RunningSandbox, venue: str, made: SandboxMovement, stage: Any) -> None:
    sandbox.do(lambda: sandbox.exchange(venue).settle(sandbox.key(venue), made.id, stage))


def books(wallet: Wallet) -> dict[str, Decimal]:
    assert balance_check(wallet=wallet) == []
    return {asset: amount for asset, amount in wallet_balances(wallet=Wallet.objects.get(pk=wallet.pk)).items() if amount}


def venue_has(sandbox: RunningSandbox, venue: str) -> dict[str, Decimal]:
    held = sandbox.exchange(venue).accounts[sandbox.key(venue)].balances
    return {asset: one.total for asset, one in held.items() if one.total}


def standings(wallet: Wallet) -> list[str]:
    return list(wallet.movements.order_by("id").values_list("standing", flat=True))


def plant_all(sandbox: RunningSandbox, venue: str) -> None:
    chain = {"network": "BTC", "address": "bc1qexample"}
    plant(sandbox, venue, "deposit", legs={"BTC": "0.25"}, txid="aa" * 32, **chain)
    plant(sandbox, venue, "deposit", legs={CASH[venue]: "500"})
    plant(sandbox, venue, "withdrawal", legs={"BTC": "-0.1"}, fee="0.0001", fee_asset="BTC", txid="bb" * 32, **chain)
    plant(sandbox, venue, "conversion", legs={"BTC": "-0.1", "ETH": "2.05"})
    plant(sandbox, venue, "dust", legs={"SOL": "-0.001", "ETH": "-0.0002", "BNB": "0.003"}, fee="0.00006", fee_asset="BNB")
    plant(sandbox, venue, "transfer", legs={"SOL": "-3"}, other="FUNDING")
    plant(sandbox, venue, "reward", legs={"SOL": "0.0375"})
    plant(sandbox, venue, "rebate", legs={"SOL": "0.001"})


@pytest.mark.parametrize("venue", VENUES)
def test_after_a_fetch_the_books_are_what_the_venue_has(sandbox: RunningSandbox, venue: str) -> None:
    wallet = open_wallet(sandbox, venue)
    plant_all(sandbox, venue)
    reading = movements_fetch(wallet=wallet)
    assert (reading.left_out, reading.not_offered) == ({}, [])
    assert books(wallet) == venue_has(sandbox, venue)
    assert set(standings(wallet)) == {"booked"}
    assert movements_fetch(wallet=wallet).changed == []
    assert books(wallet) == venue_has(sandbox, venue)


@pytest.mark.parametrize("venue", VENUES)
def test_what_is_pending_is_asked_again_until_it_ends_however_old_it_is(sandbox: RunningSandbox, venue: str) -> None:
    wallet = open_wallet(sandbox, venue)
    old = timezone.now() - timedelta(days=20)
    arrives = plant(sandbox, venue, "deposit", "pending", legs={"BTC": "1"}, created=old)
    fails = plant(sandbox, venue, "deposit", "pending", legs={"BTC": "2"}, created=old)
    leaves = plant(sandbox, venue, "withdrawal", "pending", legs={"ETH": "-1"})
    before = books(wallet)
    movements_fetch(wallet=wallet)
    assert (books(wallet), standings(wallet)) == (before, ["waits"] * 3)
    assert [one.kind for one in movements_waiting(wallet=wallet)].count("withdrawal") == 1
    for made, stage in ((arrives, "done"), (fails, "failed"), (leaves, "done")):
        settle(sandbox, venue, made, stage)
    movements_fetch(wallet=wallet)
    assert books(wallet) == venue_has(sandbox, venue)
    assert sorted(standings(wallet)) == ["booked", "booked", "failed"]
    settle(sandbox, venue, arrives, "failed")
    movements_fetch(wallet=wallet)
    assert books(wallet) == venue_has(sandbox, venue)


def test_one_from_before_the_opening_is_shown_and_not_counted(sandbox: RunningSandbox) -> None:
    plant(sandbox, "binance", "deposit", legs={"BTC": "1"}, created=timezone.now() - timedelta(days=2))
    wallet = open_wallet(sandbox, "binance")
    movements_fetch(wallet=wallet)
    assert (standings(wallet), books(wallet)) == (["before"], venue_has(sandbox, "binance"))


@pytest.mark.parametrize(
    ("venue", "path", "listed"),
    [("binance", "*/deposit/hisrec", "deposits"), ("coinbase", "/v2/accounts/*/transactions", "transactions")],
)
def test_a_row_that_cannot_be_read_holds_its_list_back_until_it_can(
    sandbox: RunningSandbox, venue: str, path: str, listed: str
) -> None:
    wallet = open_wallet(sandbox, venue)
    plant(sandbox, venue, "deposit", legs={"BTC": "1"}, created=timezone.now() - timedelta(seconds=30))
    place = "*.amount" if venue == "binance" else "data.*.amount"
    sandbox.fault({"fault": "say", "venue": venue, "path": path, "set": {place: "much"}})
    movements_fetch(wallet=wallet)
    held = wallet.movement_cursors.get(listed=listed).since
    assert standings(wallet) == ["unknown"]
    assert "much" in wallet.movements.get().raw
    movements_fetch(wallet=wallet)
    assert (standings(wallet), books(wallet)) == (["booked"], venue_has(sandbox, venue))
    assert wallet.movement_cursors.get(listed=listed).since > held


def test_a_list_that_is_refused_costs_no_other_and_is_named(sandbox: RunningSandbox) -> None:
    wallet = open_wallet(sandbox, "binance")
    plant_all(sandbox, "binance")
    body = {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}
    sandbox.fault({"fault": "answer", "venue": "binance", "path": "*/convert/tradeFlow", "status": 401, "body": body, "times": 2})
    reading = movements_fetch(wallet=wallet)
    assert list(reading.left_out) == ["conversions"]
    assert "permissions" in wallet.movement_cursors.get(listed="conversions").problem
    assert not wallet.movements.filter(kind="conversion").exists()
    sandbox.mend()
    movements_fetch(wallet=wallet)
    assert not wallet.movement_cursors.exclude(problem="").exists()
    assert books(wallet) == venue_has(sandbox, "binance")


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("fault", ["error", "malformed", "rate_limit"])
def test_a_fetch_that_breaks_off_anywhere_loses_nothing(sandbox: RunningSandbox, venue: str, fault: str) -> None:
    wallet = open_wallet(sandbox, venue)
    plant_all(sandbox, venue)
    path = "/v2/*" if venue == "coinbase" else "/sapi/*"
    for after in range(4):
        sandbox.fault({"fault": fault, "venue": venue, "path": path, "after": after})
        movements_fetch(wallet=wallet)
        assert balance_check(wallet=wallet) == []
        sandbox.mend()
        forget_limits()
    movements_fetch(wallet=wallet)
    assert books(wallet) == venue_has(sandbox, venue)


def forget_limits() -> None:
    """Breakers and budgets begin anew: a test does not wait."""
    client = Redis.from_url(os.environ["REDIS_URL"])
    if keys := list(client.scan_iter("*exchange:*")):
        client.delete(*keys)


def test_a_testnet_offers_none_and_that_is_no_failure(sandbox: RunningSandbox) -> None:
    wallet = open_wallet(sandbox, "binance")
    ExchangeAccount.objects.update(environment="testnet")
    row = ExchangeAccount.objects.get()
    services.account_secret_set(account=row, api_key=sandbox.key("binance"), secret=sandbox.addresses["binance"]["api_secret"])
    services.account_check(account=row, permissions=allowed())
    wallet.refresh_from_db()
    reading = movements_fetch(wallet=wallet)
    assert (reading.left_out, len(reading.not_offered)) == ({}, 7)
    assert set(wallet.movement_cursors.values_list("offered", flat=True)) == {False}


def test_a_paper_wallet_and_unopened_books_are_refused_with_why(sandbox: RunningSandbox) -> None:
    paper = services.wallet_create(name="paper", kind="paper", venue="binance", quote="USDT", opening={"USDT": D(1)})
    with pytest.raises(Conflict, match="no venue tells"):
        movements_fetch(wallet=paper)
    wallet = open_wallet(sandbox, "binance")
    bare = services.wallet_create(name="bare", kind="exchange", quote="USDT", account=account())
    assert list(wallets_with_venue()) == [wallet]
    with pytest.raises(Conflict, match="not opened yet"):
        movements_fetch(wallet=bare)


def test_what_is_taken_without_booking_waits_for_a_person(sandbox: RunningSandbox) -> None:
    wallet = open_wallet(sandbox, "binance")
    plant(sandbox, "binance", "deposit", legs={"BTC": "1"})

    async def read() -> None:
        assert wallet.account
        async with open_exchange(account_endpoint(wallet.account)) as exchange:
            await services.movements_read(exchange, wallet, book=False)

    async_to_sync(read)()
    assert standings(wallet) == ["ready"]
    services.movement_book(movement=Movement.objects.get(wallet=wallet))
    assert books(wallet) == venue_has(sandbox, "binance")


def test_the_schedule_asks_for_each_wallet_and_outlives_a_venue_that_is_away(
    sandbox: RunningSandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = settings.CELERY_BEAT_SCHEDULE["fetch movements"]
    assert schedule["task"] == tasks.movements_fetch_all.name
    wallet = open_wallet(sandbox, "coinbase")
    plant(sandbox, "coinbase", "deposit", legs={"BTC": "1"})
    monkeypatch.setattr(tasks, "send_named", lambda name, jobs, expires: [tasks.movements_fetch_one(*given) for given in jobs])
    sandbox.fault({"fault": "outage", "venue": "coinbase"})
    tasks.movements_fetch_all()
    assert not wallet.movements.exists()
    sandbox.mend()
    forget_limits()
    tasks.movements_fetch_all()
    assert books(wallet) == venue_has(sandbox, "coinbase")
