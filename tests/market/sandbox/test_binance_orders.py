"""python-binance against the sandbox, as its documentation shows: orders, refusals, signatures, limits, the user stream."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from decimal import Decimal
from typing import Any

import pytest
from binance import AsyncClient, BinanceSocketManager, Client
from binance.exceptions import BinanceAPIException

from market.sandbox.server import RunningSandbox

D = Decimal
BTC = {"symbol": "BTCUSDT"}
SOON = 10


def bid(price: str = "60000", quantity: str = "0.01", **more: Any) -> dict[str, Any]:
    return {**BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": price, "quantity": quantity, **more}


async def refusal(call: Awaitable[Any]) -> tuple[int, str]:
    with pytest.raises(BinanceAPIException) as caught:
        await call
    return caught.value.code, caught.value.message


async def read_balance(client: AsyncClient, asset: str) -> tuple[Decimal, Decimal]:
    row = await client.get_asset_balance(asset=asset)
    return D(row["free"]), D(row["locked"])


async def test_a_limit_order_lives_from_placing_to_its_last_fill(sandbox: RunningSandbox, client: AsyncClient) -> None:
    placed = await client.create_order(**bid("64000", "0.5", newClientOrderId="mine-1"))
    assert (placed["status"], placed["clientOrderId"], placed["executedQty"]) == ("NEW", "mine-1", "0.00000000")
    assert await read_balance(client, "USDT") == (D(68_000), D(32_000))
    assert [order["orderId"] for order in await client.get_open_orders(**BTC)] == [placed["orderId"]]
    # At its own price it waits behind the queue and then takes its part of what trades; below it fills whole.
    sandbox.do(lambda: setattr(sandbox.exchange("binance").accounts[sandbox.key("binance")].open[1], "queue", D("0.1")))
    sandbox.trade("binance", "BTC-USDT", "64000", "0.3")
    assert (await client.get_order(**BTC, origClientOrderId="mine-1"))["executedQty"] == "0.20000000"
    sandbox.trade("binance", "BTC-USDT", "63999.99", "0.001")
    done = await client.get_order(**BTC, orderId=placed["orderId"])
    assert (done["status"], done["executedQty"], done["cummulativeQuoteQty"]) == ("FILLED", "0.50000000", "32000.00000000")
    fills = await client.get_my_trades(**BTC)
    assert [(fill["qty"], fill["price"], fill["isMaker"]) for fill in fills] == [
        ("0.20000000", "64000.00000000", True),
        ("0.30000000", "64000.00000000", True),
    ]
    fee = sum(D(fill["commission"]) for fill in fills)
    assert {fill["commissionAsset"] for fill in fills} == {"BTC"}
    assert await read_balance(client, "USDT") == (D(68_000), D(0))
    assert await read_balance(client, "BTC") == (D("2.5") - fee, D(0))
    assert await client.get_open_orders(**BTC) == []


async def test_a_market_order_walks_the_book_and_answers_with_its_fills(client: AsyncClient) -> None:
    depth = await client.get_order_book(**BTC, limit=20)
    order = await client.create_order(**BTC, side="BUY", type="MARKET", quantity="0.5")
    assert (order["status"], order["executedQty"]) == ("FILLED", "0.50000000")
    assert [[fill["price"], fill["qty"]] for fill in order["fills"][:-1]] == depth["asks"][: len(order["fills"]) - 1]
    assert len(order["fills"]) > 1
    spent = sum(D(fill["price"]) * D(fill["qty"]) for fill in order["fills"])
    assert D(order["cummulativeQuoteQty"]) == spent
    assert await read_balance(client, "USDT") == (D(100_000) - spent, D(0))
    rest = await client.create_order(**BTC, side="BUY", type="MARKET", quoteOrderQty="100")
    assert D(100) - D(rest["price"] or 0) >= D(rest["cummulativeQuoteQty"]) > D(99)


async def test_cancelling_gives_back_what_was_held(client: AsyncClient) -> None:
    await client.create_order(**bid(newClientOrderId="mine"))
    gone = await client.cancel_order(**BTC, origClientOrderId="mine", newClientOrderId="away")
    assert (gone["status"], gone["origClientOrderId"], gone["clientOrderId"]) == ("CANCELED", "mine", "away")
    assert await read_balance(client, "USDT") == (D(100_000), D(0))
    assert await refusal(client.cancel_order(**BTC, origClientOrderId="mine")) == (-2011, "Unknown order sent.")
    assert (await client.get_order(**BTC, origClientOrderId="mine"))["status"] == "CANCELED"


async def test_a_stop_waits_then_trades(sandbox: RunningSandbox, client: AsyncClient) -> None:
    stop = {**BTC, "side": "SELL", "type": "STOP_LOSS_LIMIT", "timeInForce": "GTC", "quantity": "0.1"}
    await client.create_order(**stop, stopPrice="64000", price="63000", newClientOrderId="stop")
    waiting = await client.get_order(**BTC, origClientOrderId="stop")
    assert (waiting["status"], waiting["isWorking"], waiting["type"]) == ("NEW", False, "STOP_LOSS_LIMIT")
    sandbox.trade("binance", "BTC-USDT", "64000.01")
    assert (await client.get_order(**BTC, origClientOrderId="stop"))["executedQty"] == "0.00000000"
    sandbox.trade("binance", "BTC-USDT", "64000")
    done = await client.get_order(**BTC, origClientOrderId="stop")
    assert (done["status"], done["isWorking"]) == ("FILLED", True)
    assert D(done["cummulativeQuoteQty"]) > D(6_390)
    answer = refusal(client.create_order(**stop, stopPrice="65000", price="63000"))
    assert await answer == (-2010, "Stop price would trigger immediately.")


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"price": "60000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"price": "0"}, -1013, "Invalid price."),
        ({"price": "1e5"}, -1100, "Illegal characters found in parameter 'price'"),
        ({"price": "1000"}, -1013, "Filter failure: PERCENT_PRICE"),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": "9"}, -2010, "Account has insufficient balance for requested action."),
        ({"quantity": ""}, -1102, "Mandatory parameter 'quantity'"),
        ({"symbol": "NOPEUSDT"}, -1121, "Invalid symbol."),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"type": "GUESS"}, -1116, "Invalid orderType."),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        ({"stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"newClientOrderId": "x" * 37}, -1100, "Illegal characters found in parameter 'newClientOrderId'"),
    ],
)
async def test_bad_orders_are_refused_with_binances_words(
    client: AsyncClient, change: dict[str, str], code: int, message: str
) -> None:
    for call in (client.create_order, client.create_test_order, client.ws_create_order):
        got = await refusal(call(**(bid() | change)))
        assert got[0] == code
        assert got[1].startswith(message)
    assert await read_balance(client, "USDT") == (D(100_000), D(0))
    assert await client.get_all_orders(**BTC) == []


async def test_post_only_ioc_and_fok(client: AsyncClient) -> None:
    maker = {**BTC, "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01"}
    assert await refusal(client.create_order(**maker, price="66000")) == (-2010, "Order would immediately match and take.")
    assert (await client.create_order(**maker, price="64000", newOrderRespType="RESULT"))["status"] == "NEW"
    best = await client.get_orderbook_ticker(**BTC)
    # Fill-or-kill first: what it could have had in part is there, for the one after it to take.
    fok = await client.create_order(**bid(best["askPrice"], "1", timeInForce="FOK"))
    assert (fok["status"], fok["executedQty"], fok["fills"]) == ("EXPIRED", "0.00000000", [])
    ioc = await client.create_order(**bid(best["askPrice"], "1", timeInForce="IOC"))
    assert (ioc["status"], ioc["executedQty"]) == ("EXPIRED", best["askQty"])
    assert (await read_balance(client, "USDT"))[1] == D("640")


async def test_a_client_id_is_taken_while_its_order_is_open(client: AsyncClient) -> None:
    await client.create_order(**bid(newClientOrderId="once"))
    assert await refusal(client.create_order(**bid(newClientOrderId="once"))) == (-2010, "Duplicate order sent.")
    assert len(await client.get_all_orders(**BTC)) == 1
    await client.cancel_order(**BTC, origClientOrderId="once")
    assert (await client.create_order(**bid(newClientOrderId="once")))["status"] == "NEW"
    assert await refusal(client.get_order(**BTC, origClientOrderId="never")) == (-2013, "Order does not exist.")


async def test_wrong_keys_signatures_and_clocks_are_refused(sandbox: RunningSandbox, client: AsyncClient) -> None:
    client.timestamp_offset -= 20_000
    assert (await refusal(client.get_account()))[0] == -1021
    client.timestamp_offset += 40_000
    assert (await refusal(client.get_account()))[0] == -1021
    client.timestamp_offset -= 20_000
    secret, client.API_SECRET = client.API_SECRET, "wrong"
    assert (await refusal(client.get_account()))[0] == -1022
    assert (await refusal(client.ws_get_account()))[0] == -1022
    client.API_SECRET = secret
    stranger = type(client)("nobody", secret)
    try:
        assert (await refusal(stranger.get_account()))[0] == -2015
    finally:
        await stranger.close_connection()
    sandbox.fault({"fault": "clock_skew", "venue": "binance", "skew": 60_000})
    assert (await refusal(client.get_account()))[0] == -1021
    client.timestamp_offset += 60_000
    assert (await client.get_account())["canTrade"]


async def test_the_user_stream_tells_everything_in_order(
    sandbox: RunningSandbox, client: AsyncClient, sockets: BinanceSocketManager
) -> None:
    user = sockets.user_socket()
    await user.connect()
    await client.create_order(**bid("64000", "0.1", newClientOrderId="a"))
    sandbox.trade("binance", "BTC-USDT", "63000")
    await client.create_order(**bid("50000", "0.1", newClientOrderId="b"))
    await client.cancel_order(**BTC, origClientOrderId="b", newClientOrderId="c")
    sandbox.do(lambda: sandbox.exchange("binance").deposit(sandbox.key("binance"), "USDT", D(5)))
    events = [await asyncio.wait_for(user.recv(), SOON) for _ in range(9)]
    reports = [event for event in events if event["e"] == "executionReport"]
    assert [(event["x"], event["X"], event["c"], event["C"]) for event in reports] == [
        ("NEW", "NEW", "a", ""),
        ("TRADE", "FILLED", "a", ""),
        ("NEW", "NEW", "b", ""),
        ("CANCELED", "CANCELED", "c", "b"),
    ]
    fill = reports[1]
    assert (fill["l"], fill["L"], fill["z"], fill["n"], fill["N"], fill["m"]) == (
        *("0.10000000", "64000.00000000", "0.10000000", "0.00010000", "BTC", True),
    )
    assert [event["e"] for event in events].count("outboundAccountPosition") == 4
    assert events[-1] == events[-1] | {"e": "balanceUpdate", "a": "USDT", "d": "5.00000000"}
    [bought] = await client.get_my_trades(**BTC)
    assert bought["id"] == fill["t"]


async def test_orders_over_the_websocket_api(client: AsyncClient) -> None:
    placed = await client.ws_create_order(**bid(newClientOrderId="ws"))
    assert (placed["status"], placed["clientOrderId"]) == ("NEW", "ws")
    assert (await client.ws_get_order(**BTC, origClientOrderId="ws"))["orderId"] == placed["orderId"]
    assert (await client.ws_cancel_order(**BTC, origClientOrderId="ws"))["status"] == "CANCELED"
    assert (await client.ws_get_account())["balances"]


async def test_weights_are_counted_and_past_the_limit_refused(sandbox: RunningSandbox, client: AsyncClient) -> None:
    window = sandbox.sandbox.binance.limits.weight
    before = sandbox.do(lambda: window.count)
    await client.get_account()
    assert int(client.response.headers["X-MBX-USED-WEIGHT-1M"]) == before + 20
    await client.create_order(**bid())
    assert client.response.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    sandbox.do(lambda: setattr(window, "limit", 0))
    with pytest.raises(BinanceAPIException) as caught:
        await client.get_account()
    assert (caught.value.status_code, caught.value.code) == (429, -1003)
    assert 1 <= int(caught.value.response.headers["Retry-After"]) <= 60


async def test_market_data_agrees_with_itself(sandbox: RunningSandbox, client: AsyncClient) -> None:
    for step, price in enumerate(("65100", "65300", "65200")):
        sandbox.trade("binance", "BTC-USDT", price, "0.1")
        sandbox.step(20_000 * (step < 2))
    [candle] = await client.get_klines(**BTC, interval="1m", limit=1)
    info = await client.get_symbol_info("BTCUSDT")
    assert (info["baseAsset"], info["status"]) == ("BTC", "TRADING")
    assert (await client.get_symbol_ticker(**BTC))["price"] == "65200.00000000"
    trades = await client.get_recent_trades(**BTC)
    assert [trade["price"] for trade in trades] == ["65100.00000000", "65300.00000000", "65200.00000000"]
    assert [trade["a"] for trade in await client.get_aggregate_trades(**BTC)] == [1, 2, 3]
    assert candle[4] == "65200.00000000"
    hours = await client.get_klines(**BTC, interval="1h", limit=10)
    minutes = await client.get_klines(**BTC, interval="1m", startTime=hours[1][0], endTime=hours[1][6])
    assert hours[1][5] == str(sum(D(row[5]) for row in minutes))
    assert hours[1][2] == max(row[2] for row in minutes)
    assert (await client.get_ticker(**BTC))["highPrice"] >= "65300"


async def test_key_permissions_and_fees_can_be_read(sandbox: RunningSandbox, client: AsyncClient) -> None:
    restrictions = await client.get_account_api_permissions()
    assert (restrictions["enableWithdrawals"], restrictions["ipRestrict"]) == (False, False)
    sandbox.permit(can_withdraw=True, can_trade=False)
    assert (await client.get_account_api_permissions())["enableWithdrawals"] is True
    assert (await refusal(client.create_order(**bid())))[0] == -2015
    assert (await client.get_account())["commissionRates"]["maker"] == "0.00100000"


def test_the_plain_client_works_too(sandbox: RunningSandbox) -> None:
    at = sandbox.addresses["binance"]

    class Plain(Client):  # type: ignore[misc]
        API_URL = at["rest"] + "/api"
        WS_API_URL = at["ws_api"]

    plain = Plain(at["api_key"], at["api_secret"])
    assert plain.get_account()["canTrade"]
    assert plain.create_order(**bid(newClientOrderId="plain"))["status"] == "NEW"
    assert plain.cancel_order(**BTC, origClientOrderId="plain")["status"] == "CANCELED"
