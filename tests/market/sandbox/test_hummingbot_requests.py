"""What hummingbot's connectors for both venues send, byte for byte as they form it, and what they read of the answers."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
import time
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import aiohttp
import jwt
import pytest
import websockets

from market.sandbox.server import RunningSandbox, running_sandbox

D = Decimal
SOON = 10
NAMED = "api.coinbase.com"
"""The host that its tokens name, whatever it is pointed at."""


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def receive(socket: Any) -> Any:
    return json.loads(await asyncio.wait_for(socket.recv(), SOON))


class Binance:
    """Signs as `binance_auth.py` does: in a form that is said to be JSON where it posts, else in the query."""

    def __init__(self, running: RunningSandbox, http: aiohttp.ClientSession) -> None:
        self.at, self.http = running.addresses["binance"], http
        self.offset = 0

    async def call(self, method: str, path: str, given: dict[str, Any] | None = None, *, signed: bool = True) -> tuple[int, Any]:
        kind = "application/x-www-form-urlencoded" if method == "GET" else "application/json"
        headers, params = {"Content-Type": kind}, dict(given or {})
        if signed:
            headers["X-MBX-APIKEY"] = self.at["api_key"]
            params["timestamp"] = int(time.time() * 1000) + self.offset
            params["signature"] = self.sign(urlencode(params))
        sent = {"data": params} if method == "POST" else {"params": params}
        async with self.http.request(method, f"{self.at['rest']}/api/v3{path}", headers=headers, **sent) as answer:  # type: ignore[arg-type]
            return answer.status, await answer.json()

    def sign(self, text: str) -> str:
        return hmac.new(self.at["api_secret"].encode(), text.encode(), hashlib.sha256).hexdigest()

    def subscription(self) -> dict[str, Any]:
        params: dict[str, Any] = {"apiKey": self.at["api_key"], "timestamp": int(time.time() * 1000)}
        params["signature"] = self.sign("&".join(f"{name}={value}" for name, value in sorted(params.items())))
        return {"id": str(uuid.uuid4()), "method": "userDataStream.subscribe.signature", "params": params}


class TestBinance:
    @pytest.fixture
    def running(self) -> Any:
        with running_sandbox() as sandbox:
            yield sandbox

    @pytest.fixture
    def venue(self, running: RunningSandbox, http: aiohttp.ClientSession) -> Binance:
        return Binance(running, http)

    async def test_it_starts(self, venue: Binance) -> None:
        assert await venue.call("GET", "/ping", signed=False) == (200, {})
        assert abs((await venue.call("GET", "/time", signed=False))[1]["serverTime"] / 1000 - time.time()) < 60
        _, info = await venue.call("GET", "/exchangeInfo", signed=False)
        [one] = [row for row in info["symbols"] if row["symbol"] == "BTCUSDT"]
        assert (one["status"], one["baseAsset"], one["quoteAsset"]) == ("TRADING", "BTC", "USDT")
        assert any("SPOT" in names for names in one["permissionSets"])
        filters = {row["filterType"]: row for row in one["filters"]}
        assert D(filters["PRICE_FILTER"]["tickSize"]) > 0
        assert D(filters["LOT_SIZE"]["minQty"]) > 0
        assert D((filters.get("MIN_NOTIONAL") or filters["NOTIONAL"])["minNotional"]) > 0
        _, account = await venue.call("GET", "/account")
        assert {row["asset"] for row in account["balances"] if D(row["free"]) + D(row["locked"])} >= {"USDT"}
        _, book = await venue.call("GET", "/depth", {"symbol": "BTCUSDT", "limit": "1000"}, signed=False)
        assert book["lastUpdateId"] > 0
        assert len(book["bids"][0]) == len(book["asks"][0]) == 2
        _, day = await venue.call("GET", "/ticker/24hr", {"symbol": "BTCUSDT"}, signed=False)
        assert float(day["lastPrice"]) > 0
        _, best = await venue.call("GET", "/ticker/bookTicker", signed=False)
        assert {"BTCUSDT", "ETHUSDT"} <= {row["symbol"] for row in best if D(row["bidPrice"]) and D(row["askPrice"])}

    async def test_it_trades(self, venue: Binance) -> None:
        """Its user stream first, then an order at the market and one that it cancels; then it polls."""
        async with websockets.connect(venue.at["ws_api"]) as user:
            await user.send(json.dumps(venue.subscription()))
            assert (await receive(user))["status"] == 200
            bought = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "type": "MARKET", "newClientOrderId": new_id()}
            status, order = await venue.call("POST", "/order", bought)
            assert (status, order["transactTime"] > 0) == (200, True)
            told = [await event(user, "executionReport") for _ in ("NEW", "TRADE")]
            assert [(one["x"], one["c"]) for one in told] == [("NEW", order["clientOrderId"]), ("TRADE", order["clientOrderId"])]
            assert (told[1]["i"], told[1]["N"], D(told[1]["l"]) * D(told[1]["L"]) > 0) == (order["orderId"], "BTC", True)
            assert {row["a"] for row in (await event(user, "outboundAccountPosition"))["B"]} >= {"BTC", "USDT"}
            rests = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "type": "LIMIT", "newClientOrderId": new_id()}
            rests |= {"price": "20000.00", "timeInForce": "GTC"}
            name = (await venue.call("POST", "/order", rests))[1]["clientOrderId"]
            _, cancelled = await venue.call("DELETE", "/order", {"symbol": "BTCUSDT", "origClientOrderId": name})
            assert cancelled["status"] == "CANCELED"
            while (one := await event(user, "executionReport"))["x"] != "CANCELED":
                pass
            assert (one["C"], one["X"]) == (name, "CANCELED")
        _, asked = await venue.call("GET", "/order", {"symbol": "BTCUSDT", "origClientOrderId": name})
        assert (asked["status"], asked["updateTime"] > 0) == ("CANCELED", True)
        _, trades = await venue.call("GET", "/myTrades", {"symbol": "BTCUSDT", "orderId": order["orderId"]})
        assert sum(D(row["qty"]) for row in trades) == D("0.01")
        names = {"id", "orderId", "commission", "commissionAsset", "quoteQty", "price", "time", "isBuyer", "isMaker"}
        assert names <= trades[0].keys()
        _, since = await venue.call("GET", "/myTrades", {"symbol": "BTCUSDT", "startTime": 1000})
        assert since == trades

    async def test_it_makes_a_market(self, venue: Binance) -> None:
        maker = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.01", "type": "LIMIT_MAKER", "newClientOrderId": new_id()}
        status, order = await venue.call("POST", "/order", maker | {"price": "20000.00"})
        assert (status, len(order["clientOrderId"])) == (200, 32)
        _, best = await venue.call("GET", "/ticker/bookTicker", {"symbol": "BTCUSDT"}, signed=False)
        above = {"price": f"{D(best['askPrice']) + 100:.2f}", "newClientOrderId": new_id()}
        status, refused = await venue.call("POST", "/order", maker | above)
        assert (status, refused["code"]) == (400, -2010)

    async def test_it_reads_errors_by_number_and_text(self, venue: Binance) -> None:
        unknown = {"symbol": "BTCUSDT", "origClientOrderId": "never"}
        assert await venue.call("GET", "/order", unknown) == (400, {"code": -2013, "msg": "Order does not exist."})
        assert await venue.call("DELETE", "/order", unknown) == (400, {"code": -2011, "msg": "Unknown order sent."})
        venue.offset = 60_000
        status, late = await venue.call("GET", "/account")
        assert (status, late["code"]) == (400, -1021)
        assert late["msg"].startswith("Timestamp for this request")

    async def test_it_hears_the_market(self, venue: Binance, running: RunningSandbox) -> None:
        async with websockets.connect(venue.at["ws"] + "/ws") as market:
            for number, stream in ((1, "trade"), (2, "depth@100ms")):
                await market.send(json.dumps({"method": "SUBSCRIBE", "params": [f"btcusdt@{stream}"], "id": number}))
                while "result" not in (frame := await receive(market)):
                    pass
                assert frame == {"result": None, "id": number}
            running.trade("binance", "BTC-USDT", "65123.45", "0.1")
            heard: dict[str, Any] = {}
            while {"trade", "depthUpdate"} - heard.keys():
                frame = await receive(market)
                heard[frame["e"]] = frame
            assert {"s", "E", "m", "t", "p", "q"} <= heard["trade"].keys()
            assert {"s", "U", "u", "b", "a"} <= heard["depthUpdate"].keys()
            both = ["btcusdt@trade", "btcusdt@depth@100ms"]
            await market.send(json.dumps({"method": "UNSUBSCRIBE", "params": both, "id": 100}))
            while "result" not in (frame := await receive(market)):
                pass
            assert frame == {"result": None, "id": 100}


def new_id() -> str:
    """With the prefix of its broker, in 32 signs."""
    return "x-MG43PCSN" + secrets.token_hex(11)


async def event(socket: Any, kind: str) -> Any:
    """The next of the kind, out of its container."""
    while (told := (await receive(socket))["event"])["e"] != kind:
        pass
    return told


class Coinbase:
    """Signs as `coinbase_advanced_trade_auth.py` does: a token for each request and message, public ones too."""

    def __init__(self, running: RunningSandbox, http: aiohttp.ClientSession) -> None:
        self.at, self.http = running.addresses["coinbase"], http

    def token(self, uri: str = "") -> str:
        now = int(time.time())
        claims = {"sub": self.at["api_key"], "iss": "cdp", "nbf": now, "exp": now + 120} | ({"uri": uri} if uri else {})
        headers = {"kid": self.at["api_key"], "nonce": secrets.token_hex()}
        return jwt.encode(claims, self.at["api_secret"], "ES256", headers=headers)

    async def call(self, method: str, path: str, given: dict[str, Any] | None = None, *, signed: bool = True) -> tuple[int, Any]:
        path = path if path.startswith("/v2") else f"/api/v3/brokerage{path}"
        kind = "application/x-www-form-urlencoded" if method == "GET" else "application/json"
        headers = {"Content-Type": kind, "Host": NAMED}
        if signed:
            headers |= {"content-type": "application/json", "Authorization": f"Bearer {self.token(f'{method} {NAMED}{path}')}"}
        sent: dict[str, Any] = {"data": json.dumps(given)} if method == "POST" else {"params": given}
        async with self.http.request(method, self.at["rest"] + path, headers=headers, **sent) as answer:
            return answer.status, await answer.json()

    async def subscribe(self, socket: Any, channel: str, kind: str = "subscribe") -> None:
        asked = {"type": kind, "product_ids": ["BTC-USD"], "channel": channel, "jwt": self.token()}
        await socket.send(json.dumps(asked))

    async def place(self, side: str, configuration: dict[str, Any]) -> Any:
        order = {"client_order_id": "CBAT-" + secrets.token_hex(13), "product_id": "BTC-USD", "side": side}
        status, answer = await self.call("POST", "/orders", order | {"order_configuration": configuration})
        assert status == 200
        return answer


class TestCoinbase:
    @pytest.fixture
    def running(self) -> Any:
        with running_sandbox() as sandbox:
            sandbox.trade("coinbase", "BTC-USD", "50000")
            yield sandbox

    @pytest.fixture
    def venue(self, running: RunningSandbox, http: aiohttp.ClientSession) -> Coinbase:
        return Coinbase(running, http)

    async def test_it_starts(self, venue: Coinbase) -> None:
        _, now = await venue.call("GET", "/time", signed=False)
        assert abs(datetime.fromisoformat(now["iso"]).timestamp() - time.time()) < 60
        for path in ("/market/products", "/products"):
            _, found = await venue.call("GET", path)
            [one] = [row for row in found["products"] if row["product_id"] == "BTC-USD"]
            assert one["product_type"] == "SPOT"
            assert not any(one[name] for name in ("trading_disabled", "is_disabled", "cancel_only", "auction_mode"))
            names = ("base_min_size", "base_max_size", "quote_increment", "base_increment", "quote_min_size", "price")
            assert all(D(one[name]) > 0 for name in names)
        status, accounts = await venue.call("GET", "/accounts", {"limit": 250})
        assert (status, accounts["has_next"]) == (200, False)
        assert all({"value"} <= row["hold"].keys() & row["available_balance"].keys() for row in accounts["accounts"])
        assert (await venue.call("GET", "/transaction_summary"))[1]["fee_tier"]["taker_fee_rate"]
        _, book = await venue.call("GET", "/product_book", {"product_id": "BTC-USD"})
        assert datetime.fromisoformat(book["pricebook"]["time"]).tzinfo == UTC
        assert {"price", "size"} <= book["pricebook"]["bids"][0].keys() & book["pricebook"]["asks"][0].keys()
        for path in ("/market/products/BTC-USD/ticker", "/products/BTC-USD/ticker"):
            assert float((await venue.call("GET", path, {"limit": 1}))[1]["trades"][0]["price"]) == 50_000
        _, rates = await venue.call("GET", "/v2/exchange-rates", {"currency": "USD"}, signed=False)
        assert D(rates["data"]["rates"]["BTC"]) > 0

    async def test_it_trades(self, venue: Coinbase) -> None:
        """Its user stream first, then an order at the market and one that it cancels; then it polls."""
        async with websockets.connect(venue.at["ws_user"]) as user:
            for channel in ("heartbeats", "user"):
                await venue.subscribe(user, channel)
            answer = await venue.place("BUY", {"market_market_ioc": {"quote_size": "500.00"}})
            bought = answer["success_response"]["order_id"]
            assert (await order_told(user, bought, "FILLED"))["order_side"] == "BUY"
            answer = await venue.place("BUY", {"limit_limit_gtc": {"base_size": "0.01", "limit_price": "20000.00"}})
            rests = answer["success_response"]["order_id"]
            told = await order_told(user, rests, "OPEN")
            assert (told["order_type"], told["product_id"]) == ("Limit", "BTC-USD")
            assert [D(told[name]) for name in ("cumulative_quantity", "leaves_quantity", "avg_price", "total_fees")] == [
                0,
                D("0.01"),
                0,
                0,
            ]
            assert datetime.fromisoformat(told["creation_time"]).timestamp() > 0
            assert (await venue.call("GET", f"/orders/historical/{rests}"))[1]["order"]["status"] == "OPEN"
            [done] = (await venue.call("POST", "/orders/batch_cancel", {"order_ids": [rests]}))[1]["results"]
            assert done["success"]
            await order_told(user, rests, "CANCELLED")
        _, asked = await venue.call("GET", f"/orders/historical/{bought}")
        assert (asked["order"]["status"], D(asked["order"]["completion_percentage"])) == ("FILLED", D(100))
        _, fills = await venue.call("GET", "/orders/historical/fills", {"order_ids": [bought]})
        names = {"trade_id", "order_id", "size", "price", "commission", "trade_time", "size_in_quote"}
        assert names <= fills["fills"][0].keys()
        since = {"product_ids": ["BTC-USD"], "start_sequence_timestamp": datetime.fromtimestamp(0, UTC).isoformat()}
        assert (await venue.call("GET", "/orders/historical/fills", since))[1]["fills"] == fills["fills"]

    async def test_it_reads_refusals_by_name(self, venue: Coinbase) -> None:
        too_much = {"limit_limit_gtc": {"base_size": "100", "limit_price": "20000.00"}}
        answer = await venue.place("BUY", too_much)
        assert (answer["success"], "INSUFFICIENT_FUND" in answer["error_response"]["error"]) == (False, True)
        never = str(uuid.uuid4())
        [failed] = (await venue.call("POST", "/orders/batch_cancel", {"order_ids": [never]}))[1]["results"]
        assert (failed["success"], failed["failure_reason"]) == (False, "UNKNOWN_CANCEL_ORDER")
        status, unknown = await venue.call("GET", f"/orders/historical/{never}")
        assert (status, unknown["message"]) == (404, "order with this orderID was not found")
        status, refused = await venue.call("POST", "/orders/batch_cancel", {"order_ids": [never] * 101})
        assert (status, refused["message"]) == (400, "Too many orderIDs entered, limit is 100")  # it goes by the last word

    async def test_it_hears_the_market(self, venue: Coinbase, running: RunningSandbox) -> None:
        async with websockets.connect(venue.at["ws"]) as market:
            for channel in ("heartbeats", "level2", "market_trades"):
                await venue.subscribe(market, channel)
            heard: dict[tuple[str, str], Any] = {}
            while {("l2_data", "snapshot"), ("market_trades", "snapshot")} - heard.keys():
                note(heard, await receive(market))
            running.trade("coinbase", "BTC-USD", "50001")
            while {("l2_data", "update"), ("market_trades", "update")} - heard.keys():
                note(heard, await receive(market))
            [trade], [change, *_] = heard["market_trades", "update"]["trades"], heard["l2_data", "update"]["updates"]
            assert {"product_id", "trade_id", "price", "size", "time", "side"} <= trade.keys()
            assert {"side", "event_time", "price_level", "new_quantity"} <= change.keys()
            await venue.subscribe(market, "level2", "unsubscribe")
            while "level2" in (last := await subscriptions(market)):
                pass
            assert {"heartbeats", "market_trades"} <= last.keys()

    async def test_a_token_that_is_none_is_told_as_it_waits_for_it(self, venue: Coinbase) -> None:
        async with websockets.connect(venue.at["ws_user"]) as user:
            await user.send(json.dumps({"type": "subscribe", "product_ids": ["BTC-USD"], "channel": "user", "jwt": "x.y.z"}))
            told = await receive(user)
            assert (told["type"], "authentication failure" in told["message"]) == ("error", True)


def note(heard: dict[Any, Any], frame: Any) -> None:
    first = frame["events"][0]
    heard[frame["channel"], first.get("type", "")] = first


async def subscriptions(socket: Any) -> Any:
    while (frame := await receive(socket))["channel"] != "subscriptions":
        pass
    return frame["events"][0]["subscriptions"]


async def order_told(socket: Any, order_id: str, status: str) -> Any:
    """The next update of the order that says so."""
    while True:
        frame = await receive(socket)
        for one in frame["events"] if frame["channel"] == "user" else ():
            for order in one["orders"]:
                if (order["order_id"], order["status"]) == (order_id, status):
                    return order
