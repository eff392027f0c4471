"""Differences that are planted at both venues are found, named by the right cause, and resolved by the same services as always."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from core.broker import ask_broker
from core.errors import Conflict, Invalid
from core.models import Event
from market.sandbox.scenario import Scenario
from market.sandbox.server import RunningSandbox, running_sandbox
from tests.chaos.desk import LISTED, lifted_limits, wallet
from tests.trading.reconciliation.desk import PlantedDesk, open_drifts
from trading.models import Fill, Order, Position
from trading.reconciliation import examination
from trading.reconciliation.resolving import drift_settle
from trading.reconciliation.run import run_begin, run_execute
from wallets.models import Drift, Movement
from wallets.selectors import balance_check

pytestmark = pytest.mark.django_db


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """Its market's time is ours, as at a venue, and moves by hand."""
    with running_sandbox(Scenario(seed=1, speed=None, minutes=5, listed=LISTED)) as running, lifted_limits(running):
        yield running


@pytest.fixture(autouse=True)
def settling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing moves here by itself."""
    monkeypatch.setattr(examination, "SETTLE_SECONDS", 0.01)


@pytest.fixture(params=["binance", "coinbase"])
def planted(request: pytest.FixtureRequest, sandbox: RunningSandbox) -> PlantedDesk:
    """Its venue has not failed before, and nothing has been asked of it in this minute."""
    place = f"exchange:{request.param}:sandbox"
    keys = f"{place}:breaker", f"{place}:weight:{int(time.time() // 60)}"
    ask_broker("forget", lambda broker: broker.delete(*keys))
    return PlantedDesk.open(sandbox, request.param)


def resolve(asset: str, action: str, **decision: Any) -> Drift:
    key = Drift.objects.get(asset=asset, state="open").pk
    return drift_settle(drift_id=key, decision={"action": action, **decision})


def agree(planted: PlantedDesk) -> bool:
    """To the last unit, by a run of its own."""
    return planted.reconcile().state == "clean" and not open_drifts() and not balance_check(wallet=planted.wallet)


def test_a_first_run_begins_the_books(sandbox: RunningSandbox) -> None:
    where = wallet(sandbox, "coinbase")
    run = run_execute(run_begin(wallet=where, trigger="command"))
    assert where.transactions.get().kind == "opening"
    assert run.state == "clean"
    assert run.clean_until is not None
    assert Event.objects.get(type="reconciliation").payload["state"] == "clean"


def test_a_manual_trade_is_named_and_booked(planted: PlantedDesk) -> None:
    planted.trade()
    run = planted.reconcile()
    assert (run.state, run.drifts, run.not_asked) == ("drift", 2, [])
    assert open_drifts() == {"BTC": "manual_trade", planted.quote: "manual_trade"}
    resolve("BTC", "book")
    assert open_drifts() == {}
    assert agree(planted)


def test_a_missed_fill_is_booked_by_its_bot(planted: PlantedDesk) -> None:
    planted.start_bot()
    planted.lose_order("qd-lost-1")
    planted.trade("qd-lost-1")
    planted.reconcile()
    assert open_drifts() == {"BTC": "fill_missed", planted.quote: "fill_missed"}
    resolve(planted.quote, "book")
    order = Order.objects.get()
    assert (order.status, order.filled_quantity) == ("filled", Decimal("0.01"))
    assert Position.objects.get().quantity == sum(
        one.quantity - (one.fee_paid if one.fee_asset == "BTC" else 0) for one in Fill.objects.all()
    )
    assert agree(planted)


def test_a_fill_that_was_booked_twice_is_taken_back(planted: PlantedDesk) -> None:
    order = planted.trade()
    planted.book(order)
    reference = planted.describe(order.fills[0], order)["reference"].replace(f":{order.fills[0].id}:", ":again:")
    planted.book(order, reference=reference)
    planted.reconcile()
    assert set(open_drifts().values()) == {"fill_twice"}
    resolve("BTC", "book")
    assert agree(planted)


def test_a_fee_in_another_asset_is_named_and_booked(planted: PlantedDesk) -> None:
    order = planted.trade()
    planted.book(order, fee=Decimal("0.5"), fee_asset="ETH")
    planted.reconcile()
    assert open_drifts()["ETH"] == "fee_asset"
    resolve("ETH", "book")
    assert agree(planted)


def test_a_rebate_is_named_and_booked(planted: PlantedDesk) -> None:
    order = planted.trade()
    fill = order.fills[0]
    planted.book(order, fee=fill.fee + Decimal("0.25"), fee_asset=fill.fee_asset)
    planted.reconcile()
    assert open_drifts() == {fill.fee_asset: "rebate"}
    resolve(fill.fee_asset, "book")
    assert agree(planted)


MOVEMENTS: dict[str, tuple[str, dict[str, str]]] = {
    "deposit": ("movement", {"BTC": "0.25"}),
    "withdrawal": ("movement", {"BTC": "-0.25"}),
    "conversion": ("conversion", {"BTC": "-0.01", "ETH": "0.2"}),
    "dust": ("dust", {"BTC": "-0.00001", "BNB": "0.003"}),
    "rebate": ("rebate", {"BTC": "0.00003"}),
}


@pytest.mark.parametrize("kind", MOVEMENTS)
def test_a_movement_is_named_by_its_kind_and_booked(planted: PlantedDesk, kind: str) -> None:
    cause, legs = MOVEMENTS[kind]
    planted.move(kind, **legs)
    run = planted.reconcile()
    assert (run.state, run.not_asked) == ("drift", [])
    assert open_drifts() == dict.fromkeys(legs, cause)
    resolve("BTC", "book")
    planted.reconcile()
    for asset in open_drifts():  # Coinbase tells of a dust sweep by asset
        resolve(asset, "book")
    assert {one.standing for one in Movement.objects.all()} == {"booked"}
    assert agree(planted)


def test_a_withdrawal_on_its_way_is_named_and_cannot_be_booked_yet(planted: PlantedDesk) -> None:
    made = planted.move("withdrawal", "pending", BTC="-0.25")
    planted.reconcile()
    assert open_drifts() == {"BTC": "movement"}
    with pytest.raises(Invalid):
        resolve("BTC", "book")
    exchange, key = planted.sandbox.exchange(planted.venue), planted.sandbox.key(planted.venue)
    planted.sandbox.do(lambda: exchange.settle(key, made.id, "done"))
    planted.reconcile()
    resolve("BTC", "book")
    assert agree(planted)


def test_a_deposit_on_its_way_is_no_difference(planted: PlantedDesk) -> None:
    planted.move("deposit", "pending", BTC="0.25")
    assert planted.reconcile().state == "clean"


def test_a_deposit_and_a_missed_fill_together_are_told_apart(planted: PlantedDesk) -> None:
    planted.start_bot()
    planted.lose_order("qd-lost-1")
    planted.trade("qd-lost-1")
    planted.move("deposit", BTC="0.25")
    planted.reconcile()
    drift = Drift.objects.get(asset="BTC")
    assert {part["cause"] for part in drift.evidence} == {"movement", "fill_missed"}
    assert sum(Decimal(part["amount"]) for part in drift.evidence) == drift.difference
    resolve("BTC", "book")
    assert agree(planted)


def test_rounding_is_named(planted: PlantedDesk) -> None:
    planted.pay_in("BTC", "0.000000001")
    planted.reconcile()
    assert open_drifts() == {"BTC": "rounding"}


def test_what_nothing_explains_is_unknown_and_can_be_adopted(planted: PlantedDesk) -> None:
    planted.pay_in(planted.quote, "-12.5")
    planted.reconcile()
    assert open_drifts() == {planted.quote: "unknown"}
    resolve(planted.quote, "adopt")
    assert agree(planted)


def test_two_causes_together_are_told_apart(planted: PlantedDesk) -> None:
    planted.start_bot()
    planted.lose_order("qd-lost-1")
    planted.trade("qd-lost-1")
    planted.trade("by-hand", "0.02", "sell")
    planted.pay_in(planted.quote, "7")
    planted.reconcile()
    drift = Drift.objects.get(asset=planted.quote)
    assert {part["cause"] for part in drift.evidence} == {"fill_missed", "manual_trade", "unknown"}
    assert sum(Decimal(part["amount"]) for part in drift.evidence) == drift.difference
    resolve("BTC", "book")
    planted.reconcile()
    assert open_drifts() == {planted.quote: "unknown"}
    assert Drift.objects.get(state="open").difference == 7


def test_an_order_of_nobody_here_is_named_and_closes_when_it_is_gone(planted: PlantedDesk) -> None:
    order = planted.rest()
    planted.reconcile()
    assert open_drifts() == {planted.quote: "order_unknown"}
    drift = Drift.objects.get()
    assert (drift.about, drift.name, drift.difference) == ("order", drift.name, order.request.limit * order.qty)
    planted.sandbox.do(lambda: planted.sandbox.exchange(planted.venue).cancel(planted.sandbox.key(planted.venue), order.id))
    assert planted.reconcile().state == "clean"
    drift.refresh_from_db()
    assert drift.state == "closed"


def test_an_order_that_is_gone_at_the_venue_is_named(planted: PlantedDesk) -> None:
    planted.start_bot()
    planted.lose_order("qd-gone-1", status="accepted", type="limit", limit=Decimal(100), venue_order_id="404")
    planted.reconcile()
    assert open_drifts() == {planted.quote: "order_gone"}


def test_booking_twice_does_nothing_twice(planted: PlantedDesk) -> None:
    planted.trade()
    planted.reconcile()
    key = Drift.objects.get(asset="BTC").pk
    for _ in range(2):
        drift_settle(drift_id=key, decision={"action": "book"})
    assert planted.wallet.transactions.filter(kind="fill").count() == 1


def test_what_was_booked_meanwhile_is_not_adopted_too(planted: PlantedDesk) -> None:
    planted.book(planted.trade("first"))
    order = planted.trade("second")
    planted.reconcile()
    planted.book(order)
    with pytest.raises(Conflict, match="has been booked since"):
        resolve("BTC", "adopt")
    assert agree(planted)


PATHS = {
    "binance": {"balances": "/api/v3/account", "orders": "/api/v3/openOrders", "fills": "/api/v3/myTrades"},
    "coinbase": {
        "balances": "/api/v3/brokerage/accounts",
        "orders": "/api/v3/brokerage/orders/historical/batch",
        "fills": "/api/v3/brokerage/orders/historical/fills",
    },
}


def break_answer(planted: PlantedDesk, what: str, **fault: Any) -> None:
    rule = {"times": 9, **(fault or {"fault": "error", "status": 503})}
    planted.sandbox.fault({"venue": planted.venue, "path": PATHS[planted.venue][what], **rule})


def test_a_venue_that_is_down_fails_the_run_and_books_nothing(planted: PlantedDesk) -> None:
    planted.pay_in(planted.quote, "7")
    break_answer(planted, "balances")
    run = planted.reconcile()
    assert run.state == "failed"
    assert run.error
    assert not Drift.objects.exists()
    planted.sandbox.mend()
    assert planted.reconcile().state == "drift"


@pytest.mark.parametrize("what", ["orders", "fills"])
def test_a_venue_that_fails_in_mid_run_leaves_a_partial_one_that_says_what(planted: PlantedDesk, what: str) -> None:
    planted.trade()
    planted.rest()
    break_answer(planted, what)
    run = planted.reconcile()
    assert (run.state, run.clean_until) == ("partial", None)
    assert any(what in line for line in run.not_asked)
    planted.sandbox.mend()
    assert planted.reconcile().state == "drift"
    assert Drift.objects.get(asset="BTC").cause == "manual_trade"


def test_a_venue_that_lies_about_a_balance_is_believed_in_nothing(planted: PlantedDesk) -> None:
    """A row that cannot be read is no balance of zero."""
    said = "balances.*.free" if planted.venue == "binance" else "accounts.*.hold.value"
    break_answer(planted, "balances", fault="say", set={said: "plenty"})
    run = planted.reconcile()
    assert (run.state, run.drifts) == ("partial", 0)
    assert run.not_asked == ["balances: a row of them could not be read"]


def test_what_a_partial_run_could_not_ask_stays_open(planted: PlantedDesk) -> None:
    planted.rest()
    planted.reconcile()
    break_answer(planted, "orders")
    assert planted.reconcile().state == "partial"
    assert open_drifts() == {planted.quote: "order_unknown"}


def test_an_order_without_an_answer_is_nothing_to_conclude_from(planted: PlantedDesk) -> None:
    """It may have been filled: the stream worker asks."""
    planted.start_bot()
    planted.lose_order("qd-sent-1", status="submitted")
    planted.trade("qd-sent-1")
    run = planted.reconcile()
    assert run.state == "partial"
    assert open_drifts() == {}


def test_a_second_run_of_a_wallet_is_refused_while_one_goes_on(planted: PlantedDesk) -> None:
    run_begin(wallet=planted.wallet, trigger="page")
    with pytest.raises(Conflict) as caught, transaction.atomic():
        run_begin(wallet=planted.wallet, trigger="page")
    assert caught.value.code == "reconciliation_running"


def test_a_bad_threshold_names_its_field(planted: PlantedDesk) -> None:
    with pytest.raises(Invalid) as caught:
        run_begin(wallet=planted.wallet, trigger="api", thresholds={"alert": {"share": "2"}, "hold": {"values": 1}})
    assert set(caught.value.fields) == {"alert.share", "hold.values"}


def test_a_difference_above_the_threshold_is_told_once(planted: PlantedDesk) -> None:
    planted.pay_in(planted.quote, "500")
    for _ in range(2):
        planted.reconcile(thresholds={"alert": {"value": "100"}, "hold": {"value": "400", "share": "0"}})
    assert [one["wallet"] for one in Event.objects.filter(type="alert").values_list("payload", flat=True)] == [
        planted.wallet.wallet_id
    ]
    assert Drift.objects.get().holds
