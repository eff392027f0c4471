"""Movements in the sandbox: when balances change, that all money comes from somewhere, and how venues limit and list them."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from binance import AsyncClient
from binance.exceptions import BinanceAPIException
from hypothesis import given, settings
from hypothesis import strategies as st

from market.sandbox.exchange import SandboxExchange
from market.sandbox.instruments import BALANCES, BINANCE, BINANCE_FEES
from market.sandbox.movements import MovementLeg, MovementTicket
from market.sandbox.orders import RequestRefused
from market.sandbox.scenario import Scenario
from market.sandbox.server import RunningSandbox, running_sandbox

D = Decimal


def make_exchange() -> SandboxExchange:
    exchange = SandboxExchange("binance", BINANCE, BINANCE_FEES, seed=1, clock=lambda: 1_700_000_000_000)
    exchange.open_account("a", BALANCES["binance"])
    return exchange


def ticket(kind: Any, amount: str, **given: Any) -> MovementTicket:
    return MovementTicket(kind, (MovementLeg("BTC", D(amount)),), **given)


def held(exchange: SandboxExchange) -> Decimal:
    return exchange.accounts["a"].balance("BTC").total


def test_a_deposit_counts_when_it_is_done_and_no_more_once_it_is_taken_back() -> None:
    exchange = make_exchange()
    made = exchange.move("a", ticket("deposit", "1"), "pending")
    assert held(exchange) == 2
    for stage, amount in (("done", 3), ("failed", 2), ("done", 3)):
        exchange.settle("a", made.id, stage)  # type: ignore[arg-type]
        assert held(exchange) == amount


def test_a_withdrawal_is_taken_out_at_once_with_its_fee_and_comes_back_if_it_fails() -> None:
    exchange = make_exchange()
    made = exchange.move("a", ticket("withdrawal", "-1", fee=D("0.1"), fee_asset="BTC"), "pending")
    assert held(exchange) == D("0.9")
    exchange.settle("a", made.id, "done")
    assert held(exchange) == D("0.9")
    exchange.settle("a", made.id, "failed")
    assert held(exchange) == 2


def test_nobody_withdraws_or_has_taken_back_more_than_there_is() -> None:
    exchange = make_exchange()
    with pytest.raises(RequestRefused, match="insufficient"):
        exchange.move("a", ticket("withdrawal", "-3"))
    made = exchange.move("a", ticket("deposit", "1"))
    exchange.move("a", ticket("withdrawal", "-3"))
    with pytest.raises(RequestRefused, match="insufficient"):
        exchange.settle("a", made.id, "failed")
    assert (held(exchange), str(made.stage)) == (D(0), "done")
    with pytest.raises(RequestRefused, match="no movement"):
        exchange.settle("a", 99, "done")


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "withdrawal", "conversion", "reward"]),
        st.sampled_from(["pending", "done", "failed"]),
        st.sampled_from(["pending", "done", "failed"]),
        st.integers(1, 3),
    ),
    max_size=12,
)


@given(steps=STEPS)
@settings(max_examples=50)
def test_all_money_comes_from_somewhere(steps: list[tuple[Any, Any, Any, int]]) -> None:
    exchange = make_exchange()
    for kind, first, then, amount in steps:
        sign = -1 if kind == "withdrawal" else 1
        try:
            made = exchange.move("a", ticket(kind, str(sign * amount), fee=D("0.01"), fee_asset="BTC"), first)
            exchange.settle("a", made.id, then)
        except RequestRefused:
            continue
    for asset in exchange.outside:
        total = exchange.accounts["a"].balance(asset).total
        assert total + exchange.outside[asset] + exchange.fees.get(asset, D(0)) == 0
        assert total >= 0


def test_movements_outlive_a_restart_also_those_after_the_last_saving(tmp_path: Path) -> None:
    kept = Scenario(speed=None, minutes=5, state=tmp_path / "sandbox.json")
    with running_sandbox(kept) as first:
        made = first.do(lambda: first.exchange("coinbase").move(first.key("coinbase"), ticket("deposit", "1"), "pending"))
    with running_sandbox(kept) as second:
        account = second.exchange("coinbase").accounts[second.key("coinbase")]
        assert account.movements == {made.id: made}
        second.do(lambda: second.exchange("coinbase").settle(second.key("coinbase"), made.id, "done"))
        amount = account.balance("BTC").total
    with running_sandbox(kept) as third:
        again = third.exchange("coinbase").accounts[third.key("coinbase")]
        assert (again.movements[made.id].stage, again.balance("BTC").total) == ("done", amount)
        assert third.exchange("coinbase").next_movement == made.id + 1


@pytest.fixture(scope="module")
def running() -> Any:
    with running_sandbox() as sandbox:
        yield sandbox


def post(running: RunningSandbox, body: dict[str, Any]) -> requests.Response:
    return requests.post(running.addresses["binance"]["rest"] + "/sandbox/movement", json=body, timeout=10)


def test_the_control_endpoint_begins_and_ends_a_movement(running: RunningSandbox) -> None:
    given = {"venue": "binance", "kind": "withdrawal", "legs": {"BTC": "-0.5"}, "fee": "0.001", "fee_asset": "BTC"}
    made = post(running, {**given, "stage": "pending", "network": "BTC", "address": "bc1q"}).json()
    assert (made["stage"], made["legs"], made["ended"]) == ("pending", {"BTC": "-0.5"}, 0)
    done = post(running, {"venue": "binance", "id": made["id"], "stage": "done"}).json()
    assert (done["stage"], done["ended"] > 0) == ("done", True)
    state = requests.get(running.addresses["binance"]["rest"] + "/sandbox/state", timeout=10).json()
    assert done in state["binance"]["accounts"][running.key("binance")]["movements"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "loan", "legs": {"BTC": "1"}}, "kind"),
        ({"kind": "deposit"}, "legs"),
        ({"kind": "deposit", "legs": {"BTC": "much"}}, "BTC"),
        ({"kind": "deposit", "legs": {"BTC": "1"}, "stage": "maybe"}, "stage"),
        ({"kind": "deposit", "legs": {"BTC": "1"}, "txid": 7}, "txid"),
        ({"kind": "deposit", "legs": {"BTC": "1"}, "created": "now"}, "created"),
        ({"kind": "withdrawal", "legs": {"BTC": "-99"}}, "insufficient"),
        ({"id": 4711, "stage": "done"}, "4711"),
        ({"venue": "kraken", "kind": "deposit", "legs": {"BTC": "1"}}, "venue"),
    ],
)
def test_a_movement_that_cannot_be_is_refused_by_field(running: RunningSandbox, body: dict[str, Any], field: str) -> None:
    answer = post(running, {"venue": "binance", **body})
    assert answer.status_code == 400
    assert field in answer.json()["error"]


async def test_spans_are_as_long_as_at_the_venue(client: AsyncClient) -> None:
    now, day = int(time.time() * 1000), 86_400_000
    for method, days in (
        (client.get_deposit_history, 91),
        (client.get_withdraw_history, 91),
        (client.get_convert_trade_history, 31),
    ):
        with pytest.raises(BinanceAPIException, match="-4047"):
            await method(startTime=now - (days + 1) * day, endTime=now)
    with pytest.raises(BinanceAPIException, match="endTime"):
        await client.get_convert_trade_history(startTime=now - day)


async def test_calls_about_money_have_limits_of_their_own(client: AsyncClient) -> None:
    async def ask_often() -> None:
        for _ in range(25):  # ten a minute are allowed, and a minute may end meanwhile
            await client.get_withdraw_history()

    with pytest.raises(BinanceAPIException, match="Too much request weight"):
        await ask_often()
    assert await client.get_account()
