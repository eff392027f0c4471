"""Movements over the real client libraries: all kinds, paged, row by row, in both protocols."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from core.times import to_ms
from market.exchanges.base import Exchange, NotOffered, UnreadRow
from market.exchanges.binance import adapter as binance_adapter
from market.exchanges.binance.movements import LISTS
from market.exchanges.coinbase import movements as coinbase_movements
from market.exchanges.movements import Movement
from market.exchanges.reading import keep_read
from market.sandbox.movements import MovementLeg, MovementTicket, SandboxMovement
from tests.market.exchanges.venues import Desk, Venue, market

VENUES = ("binance", "coinbase")
D = Decimal
CASH = {"binance": "USDT", "coinbase": "USD"}


def ago(**span: float) -> datetime:
    return datetime.now(UTC) - timedelta(**span)


def plant(
    desk: Desk, venue: Venue, kind: Any, stage: Any = "done", created: datetime | None = None, **given: Any
) -> SandboxMovement:
    legs = tuple(MovementLeg(asset, D(amount)) for asset, amount in given.pop("legs").items())
    ticket = MovementTicket(kind, legs, D(given.pop("fee", 0)), **given)
    exchange, account = desk.sandbox.exchange(venue), desk.sandbox.key(venue)
    return desk.sandbox.do(lambda: exchange.move(account, ticket, stage, to_ms(created) if created else None))


async def ask_all(exchange: Exchange, since: datetime) -> list[Movement | UnreadRow]:
    rows: list[Movement | UnreadRow] = []
    for listed in exchange.movement_lists:
        place, whole = since, False
        while not whole:
            page = await exchange.movements(listed, place)
            assert page.until > place
            rows, place, whole = [*rows, *page.rows], page.until, page.whole
    return rows


async def ask_one(exchange: Exchange, kind: str) -> Movement:
    (found,) = [one for one in keep_read(await ask_all(exchange, ago(days=1))) if one.kind == kind]
    return found


def changes(one: Movement) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for asset, amount in [*((leg.asset, leg.amount) for leg in one.legs), (one.fee_asset, -one.fee)]:
        sums[asset] = sums.get(asset, D(0)) + amount
    return {asset: amount for asset, amount in sums.items() if amount}


EACH: dict[str, dict[str, Any]] = {
    "deposit": {"legs": {"BTC": "0.25"}, "network": "BTC", "address": "bc1qexample", "txid": "ab" * 32},
    "withdrawal": {
        "legs": {"BTC": "-0.25"},
        "fee": "0.0001",
        "fee_asset": "BTC",
        "network": "BTC",
        "address": "bc1qother",
        "txid": "cd" * 32,
    },
    "conversion": {"legs": {"BTC": "-0.1", "ETH": "2.05"}},
    "dust": {"legs": {"BTC": "-0.00001", "ETH": "-0.0002", "BNB": "0.003"}, "fee": "0.00006", "fee_asset": "BNB"},
    "transfer": {"legs": {"BTC": "-0.5"}, "other": "FUNDING"},
    "reward": {"legs": {"SOL": "0.0375"}, "other": "Staking"},
    "rebate": {"legs": {"SOL": "0.001"}},
}


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize("kind", EACH)
async def test_each_kind_is_told_with_what_it_changes(desk: Desk, venue: Venue, kind: str) -> None:
    before = {name: one.total for name, one in desk.sandbox.exchange(venue).accounts[desk.sandbox.key(venue)].balances.items()}
    made = plant(desk, venue, kind, **EACH[kind])
    rows = [one for one in keep_read(await ask_all(await desk.connect(venue), ago(days=1))) if one.kind == kind]
    sums: dict[str, Decimal] = {}
    for one in rows:
        for asset, amount in changes(one).items():
            sums[asset] = sums.get(asset, D(0)) + amount
    after = desk.sandbox.exchange(venue).accounts[desk.sandbox.key(venue)].balances
    assert sums == {name: one.total - before.get(name, D(0)) for name, one in after.items() if one.total != before.get(name, D(0))}
    assert {one.state for one in rows} == {"done"}
    assert len({one.reference for one in rows}) == len(rows) == (3 if (venue, kind) == ("coinbase", "dust") else 1)
    assert all(abs(one.time.timestamp() * 1000 - made.created) < 1000 for one in rows)


@pytest.mark.parametrize("venue", VENUES)
async def test_a_withdrawal_is_told_with_fee_network_address_and_transaction(desk: Desk, venue: Venue) -> None:
    plant(desk, venue, "withdrawal", "pending", **EACH["withdrawal"])
    one = await ask_one(await desk.connect(venue), "withdrawal")
    assert (one.state, one.fee, one.fee_asset, one.legs[0].amount) == ("pending", D("0.0001"), "BTC", D("-0.25"))
    assert (one.network.lower(), one.address, one.txid) == ("btc", "bc1qother", "cd" * 32)
    assert one.moved_at == one.time


@pytest.mark.parametrize("venue", VENUES)
async def test_a_pending_deposit_has_not_moved_and_a_failed_one_never_does(desk: Desk, venue: Venue) -> None:
    made = plant(desk, venue, "deposit", "pending", **EACH["deposit"])
    exchange, account = await desk.connect(venue), desk.sandbox.key(venue)
    one = await ask_one(exchange, "deposit")
    assert (one.state, one.moved_at) == ("pending", None)
    for stage in ("done", "failed"):
        desk.sandbox.do(lambda stage=stage: desk.sandbox.exchange(venue).settle(account, made.id, stage))  # type: ignore[misc]
        later = await ask_one(exchange, "deposit")
        assert (later.reference, later.state) == (one.reference, stage)


@pytest.mark.parametrize("venue", VENUES)
async def test_years_of_movements_come_page_by_page_and_none_is_lost(
    desk: Desk, venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {name: replace(LISTS[name], size=3) for name in ("deposits", "conversions", "dust")}
    monkeypatch.setattr(binance_adapter, "LISTS", small)
    monkeypatch.setattr(coinbase_movements, "PAGE", 3)
    for days in range(0, 400, 16):
        plant(desk, venue, "deposit", created=ago(days=days, hours=1), legs={CASH[venue]: str(days + 1)})
        plant(desk, venue, "conversion", created=ago(days=days, hours=2), legs={CASH[venue]: "-1", "SOL": "0.01"})
        plant(desk, venue, "dust", created=ago(days=days, hours=2), legs={CASH[venue]: "-0.5", "BNB": "0.001"})
    rows = await ask_all(await desk.connect(venue), ago(days=401))
    deposits = {one.reference: changes(one) for one in keep_read(rows) if one.kind == "deposit"}
    assert sorted(one[CASH[venue]] for one in deposits.values()) == [D(days + 1) for days in range(0, 400, 16)]
    assert len({one.reference for one in keep_read(rows) if one.kind == "conversion"}) == 25
    told = {one.reference: changes(one) for one in keep_read(rows) if one.kind == "dust"}
    assert sum(one.get("BNB", D(0)) for one in told.values()) == D("0.025")


@pytest.mark.parametrize(("venue", "path"), [("binance", "*/deposit/hisrec"), ("coinbase", "/v2/accounts/*/transactions")])
async def test_a_row_that_cannot_be_read_costs_no_other(desk: Desk, venue: Venue, path: str) -> None:
    plant(desk, venue, "deposit", **EACH["deposit"])
    exchange = await desk.connect(venue)
    desk.fault(fault="strange", venue=venue, path=path)
    rows = await ask_all(exchange, ago(days=1))
    assert [one.kind for one in keep_read(rows) if one.state == "done"] == ["deposit"]
    assert len(rows) == 2, rows


async def test_fills_are_no_movements(desk: Desk) -> None:
    exchange = await desk.connect("coinbase")
    await exchange.place(market("coinbase", "m-1"))
    assert await ask_all(exchange, ago(days=1)) == []


async def test_the_legs_of_a_conversion_wait_for_one_another(desk: Desk) -> None:
    plant(desk, "coinbase", "conversion", legs={"BTC": "-0.1", "ETH": "2"})
    exchange = await desk.connect("coinbase")
    alone = {"pagination": {}, "data": [{"id": "BTC", "balance": {"amount": "2", "currency": "BTC"}}]}
    desk.fault(fault="answer", venue="coinbase", path="/v2/accounts", body=alone)
    early = await ask_one(exchange, "conversion")
    late = await ask_one(exchange, "conversion")
    assert (early.state, early.reference) == ("pending", late.reference)
    assert (late.state, changes(late)) == ("done", {"BTC": D("-0.1"), "ETH": D(2)})


@pytest.mark.parametrize("venue", VENUES)
async def test_a_testnet_has_no_movements_and_that_is_no_failure(desk: Desk, venue: Venue) -> None:
    exchange = await desk.connect(venue, environment="testnet")
    with pytest.raises(NotOffered, match="no movements"):
        await exchange.movements(exchange.movement_lists[0], ago(days=1))


async def test_binance_funding_money_is_told_as_such(desk: Desk) -> None:
    plant(desk, "binance", "deposit", wallet="funding", **EACH["deposit"])
    assert (await ask_one(await desk.connect("binance"), "deposit")).elsewhere == "funding"


async def test_equal_rebates_of_one_moment_are_two(desk: Desk) -> None:
    at = ago(hours=3)
    for _ in range(2):
        plant(desk, "binance", "rebate", created=at, **EACH["rebate"])
    rows = keep_read(await ask_all(await desk.connect("binance"), ago(days=1)))
    assert len({one.reference for one in rows}) == 2
