"""Faults of requests and of the venue. Rules with mistakes are refused."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest
from binance import AsyncClient
from binance.exceptions import BinanceAPIException, BinanceRequestException

from market.sandbox.faults import BadFault, FaultScript
from market.sandbox.server import RunningSandbox

BTC = {"symbol": "BTCUSDT"}
ORDER = {**BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "60000", "quantity": "0.01"}


async def test_a_lost_answer_leaves_the_order_and_a_lost_request_does_not(sandbox: RunningSandbox, client: AsyncClient) -> None:
    hasty = {"requests_params": {"timeout": 0.3}}
    for name, there in (("timeout_after", True), ("timeout_before", False)):
        sandbox.fault({"fault": name, "path": "/api/v3/order"})
        with pytest.raises(asyncio.TimeoutError):
            await client.create_order(**ORDER, newClientOrderId=name, **hasty)
        placed = [order["clientOrderId"] for order in await client.get_all_orders(**BTC)]
        assert (name in placed) is there
    assert (await client.create_order(**ORDER, newClientOrderId="again"))["status"] == "NEW"


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"fault": "rate_limit", "retry_after": 7}, 429),
        ({"fault": "ban", "retry_after": 7, "for": 1000}, 418),
        ({"fault": "error", "status": 502}, 502),
    ],
)
async def test_the_venue_answers_with_an_error(
    sandbox: RunningSandbox, client: AsyncClient, fault: dict[str, Any], status: int
) -> None:
    sandbox.fault(fault)
    with pytest.raises(BinanceAPIException) as caught:
        await client.create_order(**ORDER)
    assert caught.value.status_code == status
    assert caught.value.response.headers.get("Retry-After") == ("7" if status != 502 else None)
    sandbox.step(1000)
    assert await client.get_all_orders(**BTC) == []


async def test_malformed_answers_cut_lines_and_other_venues(sandbox: RunningSandbox, client: AsyncClient) -> None:
    sandbox.fault({"fault": "malformed", "path": "/api/v3/account"})
    with pytest.raises(BinanceRequestException):
        await client.get_account()
    sandbox.fault({"fault": "outage", "venue": "binance", "path": "/api/v3/acc*"})
    with pytest.raises(aiohttp.ClientError):
        await client.get_account()
    assert await client.get_server_time()
    sandbox.mend()
    sandbox.fault({"fault": "error", "venue": "coinbase"})
    assert (await client.get_account())["canTrade"]


async def test_delisting_and_filters_that_change(sandbox: RunningSandbox, client: AsyncClient) -> None:
    await client.create_order(**ORDER, newClientOrderId="open")
    sandbox.fault({"fault": "filters", "symbol": "BTC-USDT", "lot": "0.1", "at": 50})
    await client.create_test_order(**ORDER)
    sandbox.step(50)
    with pytest.raises(BinanceAPIException) as caught:
        await client.create_order(**ORDER)
    assert caught.value.message == "Filter failure: LOT_SIZE"
    sandbox.fault({"fault": "delist", "symbol": "BTC-USDT"})
    assert (await client.get_symbol_info("BTCUSDT"))["status"] == "BREAK"
    assert (await client.get_order(**BTC, origClientOrderId="open"))["status"] == "EXPIRED"
    with pytest.raises(BinanceAPIException) as caught:
        await client.create_order(**ORDER)
    assert caught.value.message == "Market is closed."


async def test_a_halt_that_passes_and_orders_that_are_refused_for_no_reason_of_their_own(
    sandbox: RunningSandbox, client: AsyncClient
) -> None:
    await client.create_order(**ORDER, newClientOrderId="open")
    sandbox.fault({"fault": "halt", "symbol": "BTC-USDT"}, {"fault": "relist", "symbol": "BTC-USDT", "at": 50})
    assert (await client.get_symbol_info("BTCUSDT"))["status"] == "BREAK"
    assert (await client.get_order(**BTC, origClientOrderId="open"))["status"] == "NEW"
    sandbox.step(50)
    sandbox.fault({"fault": "refuse", "refusal": "lasting", "side": "buy", "times": 1})
    with pytest.raises(BinanceAPIException) as caught:
        await client.create_order(**ORDER)
    assert caught.value.message == "Filter failure: MAX_POSITION"
    assert (await client.create_order(**ORDER))["status"] == "NEW"


async def test_rows_that_nobody_has_heard_of_stand_beside_the_good_ones(sandbox: RunningSandbox, client: AsyncClient) -> None:
    await client.create_order(**ORDER, newClientOrderId="mine")
    good, balances = await client.get_open_orders(), (await client.get_account())["balances"]
    sandbox.fault({"fault": "strange", "times": 2})
    strange, *rest = await client.get_open_orders()
    assert (strange["symbol"], strange["type"], strange["orderId"], strange["price"]) == (
        "UNHEARD_OF",
        "UNHEARD_OF",
        None,
        "60000.00000000",
    )
    assert rest == good
    assert (await client.get_account())["balances"][1:] == balances
    assert await client.get_open_orders() == good


@pytest.mark.parametrize(
    ("rule", "named"),
    [
        ({"fault": "flood"}, "fault"),
        ({"fault": "drop", "when": 5}, "when"),
        ({"fault": "drop", "at": -5}, "at"),
        ({"fault": "slow", "delay": "long"}, "delay"),
        ({"fault": "drop", "venue": "kraken"}, "venue"),
        ({"fault": "gap", "share": 2}, "share"),
        ({"fault": "delist"}, "symbol"),
        ({"fault": "refuse"}, "refusal"),
        ({"fault": "refuse", "refusal": "rude"}, "refusal"),
        ({"fault": "refuse", "refusal": "ours", "side": "both"}, "side"),
        ({"fault": "filters", "symbol": "BTC-USDT", "max_orders": "5"}, "max_orders"),
        ({"fault": "filters", "symbol": "BTC-USDT", "lot": "much"}, "lot"),
        ({"fault": "drop", "times": True}, "times"),
        ({"fault": "drop", "path": 5}, "path"),
        ({"fault": "say"}, "set"),
        ({"fault": "say", "set": []}, "set"),
        ({"fault": "answer", "status": 200}, "body"),
        ({}, "fault"),
    ],
)
def test_a_rule_with_a_mistake_is_refused_by_name(rule: dict[str, Any], named: str) -> None:
    with pytest.raises(BadFault, match=f"^{named}: "):
        FaultScript([rule], seed=1, clock=lambda: 0)


def test_a_share_is_the_same_for_the_same_seed() -> None:
    def hits(seed: int) -> list[bool]:
        faults = FaultScript([{"fault": "error", "share": 0.3, "for": 10}], seed=seed, clock=lambda: 0)
        return [bool(faults.match_request("binance", "/api/v3/order")) for _ in range(200)]

    assert hits(1) == hits(1) != hits(2)
    assert 30 < sum(hits(1)) < 90


async def test_the_control_endpoint_shows_everything_and_takes_faults(sandbox: RunningSandbox, client: AsyncClient) -> None:
    await client.create_order(**ORDER, newClientOrderId="mine")
    at = sandbox.addresses["binance"]["rest"] + "/sandbox"
    async with aiohttp.ClientSession() as session:
        state = await (await session.get(f"{at}/state")).json()
        account = state["binance"]["accounts"][sandbox.key("binance")]
        assert [(order["client_id"], order["status"], order["qty"]) for order in account["orders"]] == [("mine", "open", "0.01")]
        assert account["balances"]["USDT"] == {"free": "99400.00", "held": "600.00"}
        await session.post(f"{at}/trade", json={"venue": "binance", "symbol": "BTC-USDT", "price": "59000", "qty": "1"})
        assert (await client.get_order(**BTC, origClientOrderId="mine"))["status"] == "FILLED"
        before = state["binance"]["time"]
        assert (await (await session.post(f"{at}/step", json={"ms": 1500})).json())["time"] == before + 1500
        assert (await session.post(f"{at}/faults", json={"fault": "error"})).status == 200
        with pytest.raises(BinanceAPIException):
            await client.get_account()
        for path, body in (
            ("faults", {"fault": "flood"}),
            ("faults", [1]),
            ("step", {"ms": -1}),
            ("step", {"ms": "x"}),
            ("trade", {"venue": "kraken"}),
            ("trade", {"venue": "binance", "symbol": "NO-NO", "price": "1", "qty": "1"}),
            ("trade", {"venue": "binance", "symbol": "BTC-USDT", "price": "NaN", "qty": "1"}),
            ("deposit", {"venue": "binance", "asset": "USDT", "amount": "-1e9"}),
            ("deposit", []),
        ):
            answer = await session.post(f"{at}/{path}", json=body)
            assert answer.status == 400, (path, body)
            assert (await answer.json())["error"]
        await session.delete(f"{at}/faults")
    assert (await client.get_account())["canTrade"]
