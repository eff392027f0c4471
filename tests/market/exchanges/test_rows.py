"""No row that a venue sends can hide another one, whatever it says."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from redis.asyncio import Redis

from market.exchanges.base import Exchange, NotFoundAtVenue, OrderRequest, Report, Retryable, Unknown, UnreadRow
from tests.market.exchanges.canned import Answer, CannedVenue, canned_transport, make_exchange

D = Decimal
NOW = 1_790_000_000_000
BEGIN = datetime.fromtimestamp(NOW / 1000, UTC)
ORDERS = "GET orders/historical/batch"
BINANCE_PAIR = {
    "status": "TRADING",
    "isSpotTradingAllowed": True,
    "orderTypes": ["LIMIT", "MARKET", "STOP_LOSS_LIMIT"],
    "filters": [],
}
BINANCE_ORDER = {
    "symbol": "BTCUSDT",
    "orderId": 41,
    "clientOrderId": "qd-41",
    "price": "60000",
    "origQty": "0.5",
    "executedQty": "0",
    "status": "NEW",
    "type": "LIMIT",
    "side": "BUY",
    "stopPrice": "0",
    "time": NOW,
    "updateTime": NOW,
}
COINBASE_ORDER = {
    "order_id": "v-41",
    "client_order_id": "qd-41",
    "product_id": "BTC-USD",
    "side": "BUY",
    "status": "OPEN",
    "order_type": "LIMIT",
    "filled_size": "0",
    "order_configuration": {"limit_limit_gtc": {"base_size": "0.5", "limit_price": "60000"}},
    "created_time": "2026-09-21T13:33:20Z",
}


def pair(base: str) -> dict[str, Any]:
    return {"symbol": f"{base}USDT", "baseAsset": base, "quoteAsset": "USDT", **BINANCE_PAIR}


def product(name: str, **changes: Any) -> dict[str, Any]:
    base, quote = name.split("-")
    sizes = dict.fromkeys(("base_increment", "quote_increment", "base_min_size", "base_max_size", "quote_min_size"), "1")
    return {
        "product_id": name,
        "base_currency_id": base,
        "quote_currency_id": quote,
        "status": "online",
        "price": "9",
        **sizes,
        **changes,
    }


@dataclass
class Venues:
    """A connected adapter of each venue, and what it is answered."""

    redis: Redis
    stack: AsyncExitStack
    canned: CannedVenue = field(default_factory=CannedVenue)
    counted: list[str] = field(default_factory=list)

    async def connect(self, name: str) -> Exchange:
        self.canned.answers |= {"GET api/v3/time": {"serverTime": NOW}, "GET brokerage/time": {"epochMillis": str(NOW)}}
        exchange = make_exchange(name, self.redis, self.counted.append)
        await exchange.connect()
        self.stack.push_async_callback(exchange.close)
        return exchange


@pytest.fixture
async def venues(redis: Redis) -> AsyncIterator[Venues]:
    async with AsyncExitStack() as stack:
        made = Venues(redis, stack)
        stack.enter_context(canned_transport(made.canned))
        yield made


async def test_an_order_of_a_pair_that_was_listed_since_hides_no_other(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    foreign = {**BINANCE_ORDER, "symbol": "FRESHUSDT", "orderId": 7, "clientOrderId": "web_1"}
    listed = {"symbols": [pair("BTC")], "rateLimits": []}
    venues.canned.answers |= {"GET exchangeInfo": listed, "GET openOrders": [[BINANCE_ORDER, foreign]]}
    for _ in range(3):
        ours, theirs = await exchange.open_orders()
    assert (ours.symbol, theirs.symbol, theirs.client_order_id) == ("BTC-USDT", "FRESHUSDT", "web_1")
    assert venues.canned.asked.count("GET /api/v3/exchangeInfo") == 1  # not once for each comparison


async def test_the_names_are_asked_for_again_when_an_unknown_one_appears(venues: Venues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.exchanges.binance.adapter.RELIST", 0.0)
    exchange = await venues.connect("binance")
    venues.canned.answers |= {
        "GET exchangeInfo": [{"symbols": [pair("BTC")]}, {"symbols": [pair("BTC"), pair("FRESH")]}],
        "GET openOrders": [[BINANCE_ORDER], [{**BINANCE_ORDER, "symbol": "FRESHUSDT"}]],
    }
    assert [row.symbol for row in await exchange.open_orders()] == ["BTC-USDT"]
    assert [row.symbol for row in await exchange.open_orders()] == ["FRESH-USDT"]


async def test_names_that_cannot_be_had_again_cost_no_comparison(venues: Venues, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("market.exchanges.binance.adapter.RELIST", 0.0)
    exchange = await venues.connect("binance")
    orders = [BINANCE_ORDER, {**BINANCE_ORDER, "symbol": "FRESHUSDT"}]
    venues.canned.answers |= {"GET exchangeInfo": [{"symbols": [pair("BTC")]}, Answer("", 503)], "GET openOrders": [orders]}
    assert [row.symbol for row in await exchange.open_orders()] == ["BTC-USDT", "FRESHUSDT"]


BINANCE_ODD = [
    {"side": "SIDEWAYS"},
    {"origQty": None},
    {"executedQty": "many"},
    {"updateTime": "soon", "time": None},
    {"orderId": None},
    {"price": "1e900"},
]
COINBASE_ODD = [
    {"side": "UNKNOWN_ORDER_SIDE"},
    {"filled_size": "many"},
    {"order_configuration": {"limit_limit_gtc": {"base_size": "x"}}},
    {"order_configuration": ["limit"]},
    {"created_time": None},
    {"product_id": 7.5},
]


@pytest.mark.parametrize(
    ("venue", "changes"), [*(("binance", odd) for odd in BINANCE_ODD), *(("coinbase", odd) for odd in COINBASE_ODD)]
)
async def test_an_order_that_cannot_be_read_is_told_as_it_came(
    venues: Venues, venue: str, changes: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    exchange, order = await venues.connect(venue), BINANCE_ORDER if venue == "binance" else COINBASE_ORDER
    bad = {**order, "clientOrderId": "web_2", "client_order_id": "web_2", "apiKey": "hush", **changes}
    answer: Any = [bad, order] if venue == "binance" else {"orders": [bad, order], "has_next": False}
    venues.canned.answers |= {"GET exchangeInfo": {"symbols": [pair("BTC")]}, "GET openOrders": [answer], ORDERS: answer}
    for _ in range(2):
        unread, read = await exchange.open_orders()
    assert isinstance(unread, UnreadRow)
    assert isinstance(read, Report)
    assert (read.client_order_id, read.quantity, read.limit) == ("qd-41", D("0.5"), D(60000))
    assert (unread.client_order_id, unread.kind) == ("web_2", "order")
    assert json.loads(unread.raw)["clientOrderId"] == "web_2"
    assert "hush" not in unread.raw
    assert exchange.skipped_frames == 2
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 1


@pytest.mark.parametrize("kind", ["TWAP", "SCALED", "TAKE_PROFIT_STOP_LOSS", "UNKNOWN_ORDER_TYPE", "BRACKET", None])
@pytest.mark.parametrize("form", [None, {}, {"twap_limit_gtd": {"base_size": 0.5, "limit_price": 60000}}])
async def test_an_order_placed_by_hand_at_coinbase_is_read_for_what_it_is(venues: Venues, kind: str | None, form: Any) -> None:
    exchange = await venues.connect("coinbase")
    odd = {**COINBASE_ORDER, "order_type": kind, "order_configuration": form, "status": "UNKNOWN_ORDER_STATUS", "filled_size": ""}
    venues.canned.answers[ORDERS] = {"orders": [odd, COINBASE_ORDER], "has_next": False}
    read, other = await exchange.open_orders()
    assert isinstance(read, Report)
    assert isinstance(other, Report)
    assert (read.type, read.status, read.quantity) == ("other", "other", D("0.5") if form else D(0))
    assert (other.type, other.status) == ("limit", "accepted")


@pytest.mark.parametrize("kind", ["TAKE_PROFIT", "TAKE_PROFIT_LIMIT", "ICEBERG_2027"])
async def test_a_type_or_status_that_the_desk_does_not_know_is_other(venues: Venues, kind: str) -> None:
    exchange = await venues.connect("binance")
    venues.canned.answers["GET order"] = {**BINANCE_ORDER, "type": kind, "status": "PAUSED"}
    report = await exchange.order("BTC-USDT", "qd-41")
    assert (report.type, report.status, report.filled) == ("other", "other", D(0))
    with pytest.raises(Exception, match="type: ") as refusal:
        await exchange.place(OrderRequest("qd-42", "BTC-USDT", "buy", "other", D(1), D(1)))
    assert refusal.value.kind == "ours"  # type: ignore[attr-defined]


@pytest.mark.parametrize("price", ["0.00000000", "", None, "-1", "cheap"])
async def test_a_product_without_a_price_leaves_the_others_their_ticks(venues: Venues, price: Any) -> None:
    binance, coinbase = await venues.connect("binance"), await venues.connect("coinbase")
    rows = [{"symbol": name, "lastPrice": value, "closeTime": NOW} for name, value in (("NEWUSDT", price), ("BTCUSDT", "9"))]
    products = [product("NEW-USD", price=price), product("BTC-USD")]
    venues.canned.answers |= {"GET ticker/24hr": [rows], "GET products": {"products": products}}
    assert [(tick.symbol, tick.price) for tick in await binance.tickers(["NEW-USDT", "BTC-USDT"])] == [("BTC-USDT", D(9))]
    assert [(tick.symbol, tick.price) for tick in await coinbase.tickers(["NEW-USD", "BTC-USD"])] == [("BTC-USD", D(9))]


async def test_products_that_cannot_be_read_are_named(venues: Venues) -> None:
    binance, coinbase = await venues.connect("binance"), await venues.connect("coinbase")
    symbols = [pair("ODD") | {"filters": None}, pair("BTC"), pair("BTC")]
    products = [product("ODD-USD", base_increment="-1"), product("ON-USD", post_only="true"), product("ONE-USD", limit_only=True)]
    limits = [{"rateLimitType": "ORDERS"}, {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": -5}]
    venues.canned.answers |= {
        "GET exchangeInfo": {"symbols": symbols, "rateLimits": limits},
        "GET products": {"products": products},
    }
    assert [one.symbol for one in await binance.instruments()] == ["BTC-USDT"]
    assert [(one.symbol, one.order_types) for one in await coinbase.instruments()] == [
        ("ON-USD", ("limit",)),
        ("ONE-USD", ("limit", "stop_limit")),
    ]
    assert [[one.symbol for one in exchange.unread_products] for exchange in (binance, coinbase)] == [["ODDUSDT"], ["ODD-USD"]]


@pytest.mark.parametrize("status", ["CANCEL_ONLY", "HALT", "AUCTION_2027", None])
async def test_a_product_in_a_state_that_is_not_known_does_not_trade(venues: Venues, status: str | None) -> None:
    binance, coinbase = await venues.connect("binance"), await venues.connect("coinbase")
    venues.canned.answers |= {
        "GET exchangeInfo": {"symbols": [pair("BTC") | {"status": status}]},
        "GET products": {"products": [product("BTC-USD", status=status)]},
    }
    assert [one.trading for one in [*await binance.instruments(), *await coinbase.instruments()]] == [False, False]


async def test_one_balance_or_candle_that_cannot_be_read_costs_no_other(venues: Venues) -> None:
    binance, coinbase = await venues.connect("binance"), await venues.connect("coinbase")
    free = [{"asset": "ODD", "free": None, "locked": "0"}, {"asset": "BTC", "free": "2", "locked": "0"}]
    accounts = [{"currency": "ODD"}, {"uuid": "1", "currency": "BTC", "available_balance": {"value": "2"}, "hold": {"value": "0"}}]
    bar = [NOW - 120_000, "1", "2", "1", "2", "5"]
    start = NOW // 1000 - 120
    row = {"start": str(start), "open": "1", "high": "2", "low": "1", "close": "2", "volume": "5"}
    venues.canned.answers |= {
        "GET api/v3/account": {"balances": free},
        "GET accounts": {"accounts": accounts},
        "GET klines": [[bar[:3], ["x", *bar[1:]], bar, [NOW - 1000, *bar[1:]]]],
        "GET candles": {"candles": [row | {"start": str(start + 60)}, row | {"high": "0"}, row]},
    }
    begin, end = BEGIN - timedelta(minutes=2), BEGIN
    for exchange, symbol, count in ((binance, "BTC-USDT", 1), (coinbase, "BTC-USD", 2)):
        assert [(one.asset, one.free) for one in await exchange.balances()] == [("BTC", D(2))]
        candles = await exchange.candles(symbol, "1m", begin, end)
        assert [(bar.time, bar.close) for bar in candles] == [(begin + timedelta(minutes=n), D(2)) for n in range(count)]


def fill(number: int, **changes: Any) -> dict[str, Any]:
    sizes = {"price": "2", "size": "1", "commission": "0", "liquidity_indicator": "TAKER"}
    when = {"trade_time": "2026-09-21T13:33:20Z"}
    return {"order_id": "v-41", "trade_id": str(number), "product_id": "BTC-USD", "trade_type": "FILL", **sizes, **when, **changes}


@pytest.mark.parametrize("kind", ["REVERSAL", "CORRECTION", "SYNTHETIC"])
async def test_a_trade_that_takes_one_back_is_told(venues: Venues, kind: str, caplog: pytest.LogCaptureFixture) -> None:
    exchange = await venues.connect("coinbase")
    venues.canned.answers["GET fills"] = {"fills": [fill(2, trade_type=kind), fill(1, size_in_quote="false")], "cursor": ""}
    assert [(execution.trade_id, execution.quantity) for _, execution in await exchange.fills("BTC-USD", BEGIN)] == [("1", D(1))]
    assert kind in caplog.text


@pytest.mark.parametrize("changes", [{"product_id": "ETH-USD"}, {"order_id": "v-42"}])
async def test_a_trade_of_another_order_is_none_of_this_one_s(venues: Venues, changes: dict[str, str]) -> None:
    exchange = await venues.connect("coinbase")
    half = {**COINBASE_ORDER, "filled_size": "1"}
    venues.canned.answers |= {
        "GET historical/v-41": {"order": half},
        "GET fills": {"fills": [fill(2, **changes), fill(1)], "cursor": ""},
    }
    report = await exchange.order("BTC-USD", "qd-41", "v-41")
    assert [execution.trade_id for execution in report.executions] == ["1"]


async def test_a_pair_with_usdc_may_be_called_by_the_name_of_its_twin(venues: Venues) -> None:
    exchange = await venues.connect("coinbase")
    venues.canned.answers["GET fills"] = {"fills": [fill(1, product_id="BTC-USD"), fill(2, product_id="BTC-USDT")], "cursor": ""}
    found = await exchange.fills("BTC-USDC", BEGIN)
    assert [(execution.trade_id, execution.fee_asset) for _, execution in found] == [("1", "USDC")]
    assert exchange.skipped_frames == 1


@pytest.mark.parametrize("changes", [{"symbol": "ETHUSDT"}, {"orderId": 42}])
async def test_a_trade_at_binance_of_another_order_is_none_of_this_one_s(venues: Venues, changes: dict[str, Any]) -> None:
    exchange = await venues.connect("binance")
    sizes = {"price": "1", "qty": "1", "commission": "0", "commissionAsset": "BNB", "isMaker": True, "time": NOW}
    trade = {"symbol": "BTCUSDT", "orderId": 41, **sizes}
    trades = [{**trade, "id": 1}, {**trade, "id": 2, **changes}]
    venues.canned.answers |= {"GET order": {**BINANCE_ORDER, "executedQty": "0.5"}, "GET myTrades": [trades]}
    report = await exchange.order("BTC-USDT", "qd-41")
    assert [execution.trade_id for execution in report.executions] == ["1"]


async def test_a_trade_between_two_orders_of_ours_is_one_of_each(venues: Venues) -> None:
    binance, coinbase = [await venues.connect(venue) for venue in ("binance", "coinbase")]
    sizes = {"price": "1", "qty": "1", "commission": "0", "commissionAsset": "BNB", "isMaker": True, "time": NOW}
    venues.canned.answers |= {
        "GET myTrades": [[{"symbol": "BTCUSDT", "id": 1, "orderId": order, **sizes} for order in (41, 42)]],
        "GET fills": {"fills": [fill(1), fill(1, order_id="v-42")], "cursor": ""},
    }
    assert sorted(order for order, _ in await binance.fills("BTC-USDT", BEGIN)) == ["41", "42"]
    assert sorted(order for order, _ in await coinbase.fills("BTC-USD", BEGIN)) == ["v-41", "v-42"]


async def test_an_order_of_ours_among_rows_that_cannot_be_read_is_not_taken_for_gone(venues: Venues) -> None:
    exchange = await venues.connect("coinbase")
    nameless = {name: value for name, value in COINBASE_ORDER.items() if name != "client_order_id"}
    venues.canned.answers[ORDERS] = {"orders": [nameless, "?"], "has_next": False}
    with pytest.raises(Retryable) as problem:
        await exchange.order("BTC-USD", "qd-41")
    assert problem.value.code == "unreadable"
    venues.canned.answers[ORDERS] = {"orders": [], "has_next": False}
    with pytest.raises(NotFoundAtVenue):
        await exchange.order("BTC-USD", "qd-41")


@pytest.mark.parametrize("change", ["cursor", "page"])
async def test_pages_without_an_end_are_given_up(venues: Venues, change: str) -> None:
    exchange = await venues.connect("coinbase")
    count = iter(range(100))

    def page(_: object) -> Any:
        row = COINBASE_ORDER if change == "cursor" else {**COINBASE_ORDER, "order_id": str(next(count))}
        return {"orders": [row], "has_next": True, "cursor": str(next(count)) if change == "cursor" else "c"}

    venues.canned.answers[ORDERS] = page
    async with asyncio.timeout(20):
        for ask in (exchange.open_orders(), exchange.order("BTC-USD", "qd-1")):
            with pytest.raises(Retryable) as problem:
                await ask
            assert problem.value.code == "unreadable"


async def test_full_pages_that_lead_no_further_are_given_up(venues: Venues) -> None:
    exchange = await venues.connect("binance")
    trades = [
        {
            "orderId": 41,
            "id": n,
            "price": "1",
            "qty": "1",
            "commission": "0",
            "commissionAsset": "BNB",
            "isMaker": True,
            "time": NOW,
        }
        for n in range(1000)
    ]
    bars = [[NOW - 9 * 86_400_000, "1", "2", "1", "2", "5"]] * 1000
    venues.canned.answers |= {"GET myTrades": [trades], "GET klines": [bars]}
    async with asyncio.timeout(20):
        for ask in (exchange.fills("BTC-USDT", BEGIN), exchange.candles("BTC-USDT", "1m", BEGIN - timedelta(days=9), BEGIN)):
            with pytest.raises(Retryable) as problem:
                await ask
            assert problem.value.code == "unreadable"


NO_ANSWERS = [
    Answer("<html>Back soon</html>", content_type="text/html"),
    Answer("<html>Back soon</html>"),
    Answer(""),
    Answer("null"),
    Answer("[]"),
    Answer("{}"),
    Answer('"yes"'),
    Answer('{"orders": {}, "products": {}, "symbols": {}, "balances": {}, "accounts": {}}'),
    Answer(json.dumps({"x": "y" * 10_000_000})),
]


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=[answer.text[:20] or "empty" for answer in NO_ANSWERS])
@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_an_answer_that_is_none_is_our_failing_and_opens_no_breaker(venues: Venues, venue: str, answer: Answer) -> None:
    exchange, symbol = await venues.connect(venue), "BTC-USDT" if venue == "binance" else "BTC-USD"
    venues.canned.answers = {"GET ": answer, "POST ": answer, "DELETE ": answer}
    for _ in range(2):
        for ask in (exchange.instruments(), exchange.balances(), exchange.permissions(), exchange.order(symbol, "x", "y")):
            with pytest.raises(Retryable) as problem:
                await ask
            assert problem.value.code == "unreadable"
    order = OrderRequest("qd-1", symbol, "buy", "limit", D(1), D(1))
    for act in (exchange.place(order), exchange.cancel(symbol, "qd-1", "v-1")):
        with pytest.raises(Unknown) as unknown:
            await act
        assert unknown.value.code == "unreadable"
    assert "breaker" not in venues.counted
