"""Answers that real venues give on bad days, over the real client libraries: too long, in other units, in other types."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from market.exchanges.base import (
    NotFoundAtVenue,
    OrderRequest,
    RateLimited,
    Report,
    Retryable,
    Unauthorised,
    Unknown,
    UnreadRow,
)
from market.exchanges.binance import frames
from market.exchanges.reading import Reader
from tests.market.exchanges.canned import Answer
from tests.market.exchanges.test_rows import BINANCE_ORDER, COINBASE_ORDER, NOW, ORDERS, Venues, pair, product, venues

__all__ = ["venues"]
D = Decimal
MOMENT = datetime.fromtimestamp(NOW / 1000, UTC)
UNITS: list[object] = [
    NOW // 1000,
    NOW,
    NOW * 1000,
    NOW * 10**6,
    str(NOW),
    str(NOW * 1000),
    MOMENT.isoformat(),
    "2026-09-21T14:13:20Z",
]


def lay_out_orders(venues: Venues, binance: list[Any], coinbase: list[Any]) -> None:
    venues.canned.answers |= {
        "GET exchangeInfo": {"symbols": [pair("BTC")]},
        "GET openOrders": [binance],
        ORDERS: {"orders": coinbase, "has_next": False},
    }


@pytest.mark.parametrize(("venue", "many"), [("binance", 100_000), ("coinbase", 10_000)])
async def test_a_hundred_thousand_orders_are_read_while_others_have_their_turn(venues: Venues, venue: str, many: int) -> None:
    """An answer of 24 MB and more; the last row is one that cannot be read."""
    exchange, order = await venues.connect(venue), BINANCE_ORDER if venue == "binance" else COINBASE_ORDER
    rows = [{**order, "orderId": number, "order_id": f"v-{number}"} for number in range(many)]
    rows[-1] = {**rows[-1], "side": "SIDEWAYS"}
    lay_out_orders(venues, rows, rows)
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count_turns())
    found = await exchange.open_orders()
    counting.cancel()
    assert (len(found), type(found[0]), type(found[-1])) == (many, Report, UnreadRow)
    assert len(exchange.reader.unread["order"]) == 1  # type: ignore[attr-defined]
    assert turns >= many // 1000 + 20


@pytest.mark.parametrize("written", UNITS)
async def test_a_time_is_read_in_whatever_unit_it_comes(venues: Venues, written: object) -> None:
    lay_out_orders(venues, [{**BINANCE_ORDER, "updateTime": written}], [{**COINBASE_ORDER, "created_time": written}])
    for name in ("binance", "coinbase"):
        (order,) = await (await venues.connect(name)).open_orders()
        assert isinstance(order, Report), order
        assert order.time == MOMENT


def turn_round(value: Any) -> Any:
    """Numbers as text and text of digits as numbers."""
    match value:
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case str() if value.replace(".", "", 1).isdecimal():
            return float(value) if "." in value else int(value)
        case dict():
            return {name: turn_round(one) for name, one in value.items()}
        case list():
            return [turn_round(one) for one in value]
    return value


BALANCES = [{"asset": "BTC", "free": "0.5", "locked": "1"}]
ACCOUNTS = [{"uuid": "1", "currency": "BTC", "available_balance": {"value": "0.5"}, "hold": {"value": "1"}}]
TRADES = [
    {
        "id": 7,
        "orderId": 41,
        "price": "9.5",
        "qty": "2",
        "commission": "0.1",
        "commissionAsset": "BNB",
        "isMaker": False,
        "time": NOW,
    }
]
FILLS = [
    {
        "trade_id": "7",
        "order_id": "v-41",
        "product_id": "BTC-USD",
        "price": "9.5",
        "size": "2",
        "commission": "0.1",
        "liquidity_indicator": "TAKER",
        "trade_time": "2026-09-21T13:33:20Z",
    }
]
TICKER = {"symbol": "BTCUSDT", "lastPrice": "9.5", "closeTime": NOW, "bidPrice": "9", "askPrice": "10"}
KLINE = [[NOW, "9", "10", "8", "9.5", "3", NOW + 59_999]]


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_numbers_and_text_may_change_places(venues: Venues, venue: str) -> None:
    symbol, answers = "BTC-USDT" if venue == "binance" else "BTC-USD", {}
    answers["binance"] = {
        "GET exchangeInfo": {"symbols": [pair("BTC")]},
        "GET openOrders": [[BINANCE_ORDER]],
        "GET account": {"balances": BALANCES},
        "GET myTrades": [TRADES],
        "GET ticker/24hr": [[TICKER]],
        "GET klines": [KLINE],
    }
    answers["coinbase"] = {
        ORDERS: {"orders": [COINBASE_ORDER], "has_next": False},
        "GET accounts": {"accounts": ACCOUNTS, "has_next": False},
        "GET fills": {"fills": FILLS, "has_next": False},
        "GET products": {"products": [product("BTC-USD")]},
        "GET candles": {
            "candles": [{"start": str(NOW // 1000), "low": "8", "high": "10", "open": "9", "close": "9.5", "volume": "3"}]
        },
    }
    exchange = await venues.connect(venue)

    async def ask() -> list[Any]:
        end = datetime.fromtimestamp(NOW / 1000 + 60, UTC)
        return [
            await exchange.open_orders(),
            await exchange.balances(),
            await exchange.fills(symbol, MOMENT),
            [(one.symbol, one.price, one.bid) for one in await exchange.tickers([symbol])],
            await exchange.instruments(),
            await exchange.candles(symbol, "1m", MOMENT, end),
        ]

    venues.canned.answers |= answers[venue]
    as_documented = await ask()
    assert all(as_documented[:5])
    venues.canned.answers |= {name: turn_round(answer) for name, answer in answers[venue].items()}
    assert await ask() == as_documented


async def test_symbols_outside_ascii_are_read_like_others(venues: Venues) -> None:
    name, order = "币安人生", {**BINANCE_ORDER, "symbol": "币安人生USDT"}
    venues.canned.answers |= {
        "GET exchangeInfo": {"symbols": [pair(name), pair("BTC")]},
        "GET openOrders": [[order, BINANCE_ORDER]],
        "GET ticker/24hr": [[{"symbol": "币安人生USDT", "lastPrice": "9", "closeTime": NOW}]],
    }
    exchange = await venues.connect("binance")
    assert [one.symbol for one in await exchange.instruments()] == [f"{name}-USDT", "BTC-USDT"]
    assert [one.symbol for one in await exchange.open_orders()] == [f"{name}-USDT", "BTC-USDT"]
    assert [one.symbol for one in await exchange.tickers([f"{name}-USDT"])] == [f"{name}-USDT"]
    coinbase = await venues.connect("coinbase")
    venues.canned.answers |= {"GET products": {"products": [product(f"{name}-USD"), product("BTC-USD")]}}
    assert [one.symbol for one in await coinbase.instruments()] == [f"{name}-USD", "BTC-USD"]


PREVENTED = {**BINANCE_ORDER, "status": "EXPIRED_IN_MATCH", "executedQty": "0.2", "preventedQuantity": "0.3", "preventedMatchId": 3}


async def test_self_trade_prevention_ends_an_order_with_what_was_filled(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    filled = [{**TRADES[0], "qty": "0.2"}]
    venues.canned.answers |= {"GET order": PREVENTED, "GET myTrades": [filled]}
    report = await exchange.order("BTC-USDT", "qd-41")
    assert (report.status, report.filled, [one.quantity for one in report.executions]) == ("expired", D("0.2"), [D("0.2")])
    event = {"e": "executionReport", "s": "BTCUSDT", "c": "qd-41", "C": "", "i": 41, "S": "BUY", "o": "LIMIT", "q": "0.5", "p": "9"}
    event |= {"P": "0", "x": "TRADE_PREVENTION", "X": "EXPIRED_IN_MATCH", "z": "0.2", "T": NOW, "r": "NONE", "eR": "STP"}
    event |= {"l": "0", "L": "0", "n": "0", "N": None, "t": -1, "v": 3, "A": "0.3", "B": "0.3", "u": 1, "pl": "0.3", "pL": "9"}
    told = frames.user_event(event, {"BTCUSDT": "BTC-USDT"}, Reader("binance"))
    assert isinstance(told, Report)
    assert (told.status, told.filled, told.executions, told.reason) == ("expired", D("0.2"), (), "STP")


MAINTENANCE = Answer("<html>Down for scheduled maintenance</html>", 503, "text/html", {"Retry-After": "600"})


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_a_venue_in_maintenance_is_waited_for_and_an_order_on_its_way_is_unknown(venues: Venues, venue: str) -> None:
    exchange, symbol = await venues.connect(venue), "BTC-USDT" if venue == "binance" else "BTC-USD"
    venues.canned.answers = {"GET ": MAINTENANCE, "POST ": MAINTENANCE, "DELETE ": MAINTENANCE}
    with pytest.raises(Unknown, match=r"503|told"):
        await exchange.place(OrderRequest("qd-1", symbol, "buy", "limit", D(1), D(1)))
    for _ in range(4):
        with pytest.raises(Retryable) as problem:
            await exchange.balances()
    assert problem.value.code == "503"
    with pytest.raises(Retryable, match="not asked"):
        await exchange.balances()


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_a_ban_is_kept_for_as_long_as_the_venue_says(venues: Venues, venue: str) -> None:
    exchange = await venues.connect(venue)
    venues.canned.answers = {
        "GET ": Answer({"code": -1003, "msg": "Way too much request weight used."}, 418, headers={"Retry-After": "120"})
    }
    with pytest.raises(RateLimited) as ban:
        await exchange.balances()
    assert ban.value.after == 120.0


async def test_an_order_of_a_pair_in_usdc_is_found_under_its_twin(venues: Venues) -> None:
    """The venue lists by product, and may have put the order under the other name."""
    exchange = await venues.connect("coinbase")

    def list_orders(parameters: Any) -> Any:
        asked = parameters.getall("product_ids")
        return {"orders": [COINBASE_ORDER] if "BTC-USD" in asked else [], "has_next": False}

    venues.canned.answers[ORDERS] = list_orders
    assert (await exchange.order("BTC-USDC", "qd-41")).venue_order_id == "v-41"


REFUSED = Answer("Unauthorized\n", 401, "text/plain")
TIME = {"iso": "2026-09-21T13:33:20Z", "epochSeconds": str(NOW // 1000), "epochMillis": str(NOW)}
TAKEN = {"success": True, "success_response": {"order_id": "v-41"}}
MAY = {"can_view": True, "can_trade": True, "can_transfer": False}


async def test_a_token_that_coinbase_refuses_by_mistake_makes_no_key_bad(venues: Venues) -> None:
    """Now and then it answers 401 to a good token, and takes the next one."""
    exchange, order = await venues.connect("coinbase"), OrderRequest("qd-1", "BTC-USD", "buy", "limit", D(1), D(1))
    none = {"accounts": [], "has_next": False}
    venues.canned.answers = {"GET time": TIME, "GET accounts": [REFUSED, none], "GET key_permissions": [REFUSED, MAY]}
    assert await exchange.balances() == []
    venues.canned.answers["POST orders"] = [REFUSED, TAKEN]
    with pytest.raises(Retryable) as problem:
        await exchange.place(order)
    assert problem.value.code == "clock"
    assert (await exchange.place(order)).venue_order_id == "v-41"
    venues.canned.answers |= {"POST orders": REFUSED, "GET key_permissions": REFUSED}
    with pytest.raises(Unauthorised):
        await exchange.place(order)


async def test_a_page_of_the_firewall_says_nothing_of_the_key(venues: Venues) -> None:
    exchange = await venues.connect("coinbase")
    venues.canned.answers = {"POST orders": Answer("<html>Attention Required! | Cloudflare</html>", 403, "text/html")}
    with pytest.raises(RateLimited) as blocked:
        await exchange.place(OrderRequest("qd-1", "BTC-USD", "buy", "limit", D(1), D(1)))
    assert (blocked.value.code, blocked.value.after) == ("403", 60.0)


@pytest.mark.parametrize("said", [{"commission": "0.00000000", "commissionAsset": None}, {"commission": "0"}])
async def test_a_trade_without_a_fee_may_name_no_asset(venues: Venues, said: dict[str, Any]) -> None:
    exchange = await venues.connect("binance")
    free = {name: value for name, value in TRADES[0].items() if name not in ("commission", "commissionAsset")}
    venues.canned.answers |= {
        "GET order": {**BINANCE_ORDER, "executedQty": "0.5"},
        "GET myTrades": [[{**free, "qty": "0.5", **said}]],
    }
    report = await exchange.order("BTC-USDT", "qd-41")
    assert [(one.quantity, one.fee, one.fee_asset) for one in report.executions] == [(D("0.5"), D(0), "")]


async def test_of_a_pair_that_was_delisted_no_order_is_known(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    gone = Answer({"code": -1121, "msg": "Invalid symbol."}, 400)
    venues.canned.answers |= {"GET order": gone, "DELETE order": gone}
    for ask in (exchange.order, exchange.cancel):
        with pytest.raises(NotFoundAtVenue, match="Invalid symbol"):
            await ask("BTC-USDT", "qd-41")
