"""The sandbox's Coinbase sockets, through Coinbase's own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from coinbase.rest import RESTClient

from market.sandbox.coinbase.frames import Frame
from market.sandbox.coinbase.notation import parse_time
from market.sandbox.server import RunningSandbox, running_sandbox
from tests.market.sandbox.coinbase import SECONDS, Message, ReceivedMessages, coinbase_face, open_socket, rest_client
from tests.running import wait_for

D = Decimal
CHANNELS = ["ticker", "ticker_batch", "market_trades", "candles", "level2", "status"]


@pytest.fixture
def running() -> Iterator[RunningSandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def client(running: RunningSandbox) -> RESTClient:
    return rest_client(running)


class RecordingClient:
    """A client inside the sandbox that keeps what it is sent."""

    def __init__(self) -> None:
        self.messages: list[Frame] = []

    def send(self, message: Frame) -> None:
        self.messages.append(message)


def beat(running: RunningSandbox, times: int = 1) -> None:
    """Lets the channels that go by the clock send, without waiting for the clock."""
    for _ in range(times):
        running.do(coinbase_face(running).channels.beat)


class TestMarket:
    def test_every_channel_begins_with_what_is(self, running: RunningSandbox) -> None:
        with open_socket(running, key=False) as heard:
            for channel in CHANNELS:
                heard.client.subscribe(["BTC-USD", "ETH-USD"], [channel])
            heard.client.heartbeats()
            snapshots = {}
            for _ in range(2 * len(CHANNELS) + 1):
                message = heard.next()
                snapshots[message["channel"]] = message["events"]
        assert set(snapshots) == {"subscriptions", *CHANNELS, "l2_data"} - {"level2"}
        assert {row["product_id"] for row in snapshots["ticker"][0]["tickers"]} == {"BTC-USD", "ETH-USD"}
        assert [event["product_id"] for event in snapshots["l2_data"]] == ["BTC-USD", "ETH-USD"]
        assert all(event["type"] == "snapshot" for name, events in snapshots.items() if name != "subscriptions" for event in events)
        assert snapshots["subscriptions"][0]["subscriptions"] == {name: ["BTC-USD", "ETH-USD"] for name in CHANNELS} | {
            "heartbeats": ["heartbeats"]
        }

    def test_messages_are_numbered_from_zero_on_each_connection(self, running: RunningSandbox) -> None:
        with open_socket(running) as one, open_socket(running) as other:
            for heard in (one, other):
                heard.client.ticker(["BTC-USD"])
                heard.on("ticker", "snapshot")
            for _ in range(3):
                running.trade("coinbase", "BTC-USD", "65000")
                assert one.on("ticker", "update") == other.on("ticker", "update")
            assert [message["sequence_num"] for message in one.all] == [0, 1, 2, 3, 4]

    def test_the_ticker_tells_each_price(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            heard.client.ticker(["BTC-USD"])
            heard.on("ticker", "snapshot")
            running.trade("coinbase", "BTC-USD", "50000.01", buyer_is_maker=True)
            [row] = heard.on("ticker", "update")["tickers"]
        assert (row["price"], row["best_bid"], row["low_24_h"]) == ("50000.01", "50000.01", "50000.01")
        assert D(row["best_bid"]) < D(row["best_ask"])

    def test_the_slow_ticker_and_heartbeats_go_by_the_clock(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            heard.client.subscribe(["SOL-USD"], ["ticker_batch"])
            heard.client.heartbeats()
            heard.until(lambda message: "heartbeats" in message["events"][0].get("subscriptions", {}))
            beat(running, 10)
            first, second = heard.on("heartbeats"), heard.on("heartbeats")
            [row] = heard.on("ticker_batch", "update")["tickers"]
        assert second["heartbeat_counter"] == first["heartbeat_counter"] + 1
        assert row["product_id"] == "SOL-USD"

    def test_heartbeats_come_by_themselves(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            heard.client.heartbeats()
            assert heard.on("heartbeats")["current_time"].endswith("+00:00")

    def test_the_trades_make_the_candles(self, running: RunningSandbox, client: RESTClient) -> None:
        start = running.exchange("coinbase").clock() // 300_000 * 300_000 + 300_000
        running.step(start - running.exchange("coinbase").clock())
        with open_socket(running) as heard:
            heard.client.subscribe(["ETH-USD"], ["candles", "market_trades"])
            heard.on("candles", "snapshot")
            heard.on("market_trades", "snapshot")
            trades: list[Message] = []
            candles: dict[str, Message] = {}
            for _ in range(11):
                running.step(60_000)
            running.trade("coinbase", "ETH-USD", "3333.33", "1.5")
            beat(running)
            while not trades or trades[-1]["price"] != "3333.33" or candles.get("last", {}).get("close") != "3333.33":
                message = heard.until(lambda item: item["channel"] in ("candles", "market_trades"))
                [event] = message["events"]
                trades += event.get("trades", [])
                for candle in event.get("candles", []):
                    candles[candle["start"]] = candles["last"] = candle
        del candles["last"]
        for begin in range(start // 1000, start // 1000 + 900, 300):
            rows = [row for row in trades if begin * 1000 <= parse_time(row["time"]) < begin * 1000 + 300_000]
            prices = [D(row["price"]) for row in rows]
            assert D(candles[str(begin)]["volume"]) == sum((D(row["size"]) for row in rows), D(0))
            told = [D(candles[str(begin)][name]) for name in ("open", "high", "low", "close")]
            assert told == [prices[0], max(prices), min(prices), prices[-1]]
        [asked] = client.get_candles("ETH-USD", str(start // 1000), str(start // 1000), "FIVE_MINUTE").candles
        assert asked.to_dict() | {"product_id": "ETH-USD"} == candles[str(start // 1000)]
        ids = [int(row["trade_id"]) for row in trades]
        assert ids == list(range(ids[0], ids[0] + len(ids)))

    def test_a_candle_that_closed_is_told_though_another_came_to_listen(self, running: RunningSandbox) -> None:
        with open_socket(running) as one, open_socket(running) as other:
            one.client.candles(["ETH-USD"])
            growing = one.on("candles", "snapshot")["candles"][-1]
            running.trade("coinbase", "ETH-USD", "3001.5")
            running.step(300_000)
            running.trade("coinbase", "ETH-USD", "3002.5")
            other.client.candles(["ETH-USD"])
            other.on("candles", "snapshot")
            told = one.on("candles", "update")["candles"]
        assert int(told[-1]["start"]) >= int(growing["start"]) + 300
        assert "3001.5" in {value for candle in told[:-1] for value in candle.values()}

    def test_what_a_snapshot_tells_is_not_told_again(self, running: RunningSandbox) -> None:
        channels, exchange = coinbase_face(running).channels, running.exchange("coinbase")
        early, late = RecordingClient(), RecordingClient()

        def come_between() -> None:
            channels.join(early, "market_trades", "BTC-USD")
            exchange.trade("BTC-USD", D(65000), D(1), buyer_is_maker=True)
            channels.snapshot("market_trades", ["BTC-USD"])
            channels.join(late, "market_trades", "BTC-USD")

        running.do(come_between)
        running.trade("coinbase", "BTC-USD", "65001")
        running.do(channels.flush)
        assert (len(early.messages), len(late.messages)) == (2, 1)

    def test_changes_of_the_book_lead_to_the_book(self, running: RunningSandbox, client: RESTClient) -> None:
        book: dict[tuple[str, Decimal], Decimal] = {}
        with open_socket(running) as heard:
            heard.client.level2(["BTC-USD"])
            apply(book, heard.on("l2_data", "snapshot"))
            for price in ("65100", "65099.5", "64950.25", "65000"):
                running.trade("coinbase", "BTC-USD", price)
                apply(book, heard.on("l2_data", "update"))
            client.limit_order_gtc_buy("mine", "BTC-USD", "0.25", "64990")
            apply(book, heard.on("l2_data", "update"))
            asked = client.get_product_book("BTC-USD", limit=50).pricebook
        told = {side: {price: qty for (name, price), qty in book.items() if name == side} for side in ("bid", "offer")}
        assert told["bid"] == {D(level.price): D(level.size) for level in asked.bids}
        assert told["offer"] == {D(level.price): D(level.size) for level in asked.asks}
        assert told["bid"][D(64990)] >= D("0.25")

    def test_a_delisting_is_told(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            heard.client.status([])
            assert len(heard.on("status", "snapshot")["products"]) == 3
            running.fault({"fault": "delist", "venue": "coinbase", "symbol": "SOL-USD"})
            [product] = heard.on("status", "update")["products"]
        assert (product["id"], product["status"]) == ("SOL-USD", "delisted")

    def test_what_was_unsubscribed_comes_no_more(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            heard.client.ticker(["BTC-USD", "ETH-USD"])
            heard.on("ticker", "snapshot")
            heard.client.ticker_unsubscribe(["BTC-USD"])
            assert heard.on("subscriptions") == {"subscriptions": {"ticker": ["ETH-USD"]}}
            running.trade("coinbase", "BTC-USD", "65000")
            running.trade("coinbase", "ETH-USD", "3200")
            assert heard.on("ticker")["tickers"][0]["product_id"] == "ETH-USD"
            heard.client.ticker_unsubscribe([])
            assert heard.on("subscriptions") == {"subscriptions": {}}

    def test_what_cannot_be_subscribed_is_told(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            for products, channel, words in (
                (["NO-USD"], "ticker", "NO-USD"),
                ([], "ticker", "product_ids"),
                (["BTC-USD"], "gossip", "channel must be"),
            ):
                heard.client.subscribe(products, [channel])
                message = heard.next()
                assert message["type"] == "error"
                assert words in message["message"]
            heard.client.ticker(["BTC-USD"])
            assert heard.next()["sequence_num"] == 0

    async def test_whatever_a_client_sends_it_is_answered(self, running: RunningSandbox) -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(running.addresses["coinbase"]["ws"]) as socket,
        ):
            for text in (
                "",
                "{",
                "[]",
                "5",
                '{"type":"shout"}',
                '{"type":"subscribe","channel":["a"],"product_ids":7}',
                '{"type":"subscribe","channel":"ticker","product_ids":[1]}',
                '{"type":"subscribe","channel":"user","jwt":5}',
                '{"type":"subscribe","channel":"user"}',
            ):
                await socket.send_str(text)
                answer = json.loads(await asyncio.wait_for(socket.receive_str(), SECONDS))
                assert answer["type"] == "error", text


class TestUser:
    def test_it_needs_a_key(self, running: RunningSandbox) -> None:
        revoked = coinbase_face(running).keys[running.addresses["coinbase"]["api_key"]]
        with open_socket(running, user=True) as heard:
            running.do(lambda: coinbase_face(running).revoke(revoked.name))
            heard.client.user([])
            assert heard.next() == {"type": "error", "message": "authentication failure"}

    def test_it_needs_a_key_that_may_view(self, running: RunningSandbox) -> None:
        name = running.addresses["coinbase"]["api_key"]
        running.do(lambda: coinbase_face(running).permit(name, can_view=False))
        with open_socket(running, user=True) as heard:
            heard.client.user([])
            assert heard.next() == {"type": "error", "message": "authentication failure"}

    def test_asking_again_replaces_what_was_asked(self, running: RunningSandbox, client: RESTClient) -> None:
        with open_socket(running, user=True) as heard:
            for products in ([], ["ETH-USD"]):
                heard.client.user(products)
                heard.on("user", "snapshot")
            for name, product, price in (("a", "BTC-USD", "60000"), ("b", "ETH-USD", "3000"), ("c", "ETH-USD", "3000")):
                assert client.limit_order_gtc_buy(name, product, "0.1", price).success
            assert [heard.order()["client_order_id"] for _ in range(2)] == ["b", "c"]

    def test_it_hears_of_no_market(self, running: RunningSandbox) -> None:
        with open_socket(running, user=True) as heard:
            heard.client.subscribe(["BTC-USD"], ["ticker"])
            assert "channel must be" in heard.next()["message"]

    def test_an_order_is_told_from_its_placing_to_its_last_fill(self, running: RunningSandbox, client: RESTClient) -> None:
        with open_socket(running, user=True) as heard:
            heard.client.user([])
            assert heard.on("user", "snapshot")["orders"] == []
            running.trade("coinbase", "BTC-USD", "65000")
            order_id = client.limit_order_gtc_buy("one", "BTC-USD", "0.2", "64000").success_response["order_id"]
            placed = heard.order()
            [resting] = running.exchange("coinbase").open_orders(running.addresses["coinbase"]["api_key"])
            running.trade("coinbase", "BTC-USD", "64000", str(resting.queue + D("0.05")))
            partly = heard.order()
            running.trade("coinbase", "BTC-USD", "63999")
            filled = heard.order()
        told = [
            [order[name] for name in ("status", "cumulative_quantity", "leaves_quantity", "avg_price", "number_of_fills")]
            for order in (placed, partly, filled)
        ]
        assert told == [
            ["OPEN", "0", "0.2", "0", "0"],
            ["OPEN", "0.05", "0.15", "64000", "1"],
            ["FILLED", "0.2", "0", "64000", "2"],
        ]
        assert {order["order_id"] for order in (placed, partly, filled)} == {order_id}
        assert D(filled["total_fees"]) == D("0.2") * 64000 * D("0.004")
        assert (filled["order_side"], filled["order_type"], filled["client_order_id"]) == ("BUY", "Limit", "one")

    def test_every_part_of_a_taking_order_is_told(self, running: RunningSandbox, client: RESTClient) -> None:
        with open_socket(running, user=True) as heard:
            heard.client.user([])
            heard.on("user", "snapshot")
            client.market_order_buy("one", "BTC-USD", quote_size="10000")
            orders = [heard.order()]
            while orders[-1]["status"] == "OPEN":
                orders.append(heard.order())
        assert [int(order["number_of_fills"]) for order in orders] == list(range(len(orders)))
        assert len(orders) > 2
        assert orders[-1]["status"] == "FILLED"

    def test_a_cancellation_is_told_to_all_sockets_of_the_account(self, running: RunningSandbox, client: RESTClient) -> None:
        order_id = client.limit_order_gtc_buy("one", "BTC-USD", "0.2", "60000").success_response["order_id"]
        with open_socket(running, user=True) as one, open_socket(running) as other:
            for heard in (one, other):
                heard.client.subscribe([], ["user"])
                assert [order["order_id"] for order in heard.on("user", "snapshot")["orders"]] == [order_id]
            client.cancel_orders([order_id])
            assert one.order() == other.order()
            assert one.all[-1]["events"][0]["orders"][0]["status"] == "CANCELLED"

    def test_it_may_be_narrowed_to_products(self, running: RunningSandbox, client: RESTClient) -> None:
        with open_socket(running, user=True) as heard:
            heard.client.user(["ETH-USD"])
            heard.on("user", "snapshot")
            client.limit_order_gtc_buy("btc", "BTC-USD", "0.2", "60000")
            client.limit_order_gtc_buy("eth", "ETH-USD", "0.2", "3000")
            assert heard.order()["client_order_id"] == "eth"

    def test_many_open_orders_come_in_batches(self, running: RunningSandbox, client: RESTClient) -> None:
        with open_socket(running, user=True) as heard:
            for number in range(51):
                coinbase_face(running).rest.limits.now = lambda number=number: 1000 * number  # type: ignore[misc] # a second for each
                client.limit_order_gtc_buy(str(number), "BTC-USD", "0.001", "60000")
            heard.client.user([])
            assert [len(heard.on("user", "snapshot")["orders"]) for _ in range(2)] == [50, 1]


class TestFaults:
    def heard_ticker(self, running: RunningSandbox, heard: ReceivedMessages) -> None:
        heard.client.ticker(["BTC-USD"])
        heard.on("ticker", "snapshot")

    def test_a_lost_message_leaves_a_gap_in_the_numbers(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            self.heard_ticker(running, heard)
            running.fault({"fault": "gap", "venue": "coinbase", "stream": "ticker"})
            for price in ("65001", "65002"):
                running.trade("coinbase", "BTC-USD", price)
            assert heard.on("ticker")["tickers"][0]["price"] == "65002"
            assert [message["sequence_num"] for message in heard.all] == [0, 1, 3]

    def test_messages_come_twice_and_in_the_wrong_order(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            self.heard_ticker(running, heard)
            running.fault({"fault": "duplicate", "stream": "coinbase/ws"})
            for price in ("65001", "65002"):
                running.trade("coinbase", "BTC-USD", price)
            running.do(lambda: None)
            running.fault({"fault": "reorder", "stream": "coinbase/ws"})
            for price in ("65003", "65004"):
                running.trade("coinbase", "BTC-USD", price)
            numbers = [heard.next()["sequence_num"] for _ in range(5)]
        assert numbers == [2, 2, 3, 5, 4]

    def test_a_malformed_message_is_no_json(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            self.heard_ticker(running, heard)
            running.fault({"fault": "malformed", "stream": "ticker"})
            running.trade("coinbase", "BTC-USD", "65001")
            with pytest.raises(json.JSONDecodeError):
                heard.next()

    def test_a_stalled_socket_is_silent_but_open(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            self.heard_ticker(running, heard)
            running.fault({"fault": "stall", "venue": "coinbase"})
            running.trade("coinbase", "BTC-USD", "65001")
            beat(running)
            running.mend()
            running.trade("coinbase", "BTC-USD", "65002")
            assert heard.on("ticker")["tickers"][0]["price"] == "65002"
            assert heard.all[-1]["sequence_num"] == 3

    @pytest.mark.parametrize("rule", [{"fault": "drop"}, {"fault": "close", "code": 1001}, {"fault": "outage", "for": 60_000}])
    def test_a_socket_is_cut(self, running: RunningSandbox, rule: dict[str, Any]) -> None:
        with open_socket(running) as heard, open_socket(running, user=True) as other:
            self.heard_ticker(running, heard)
            running.fault(rule | {"venue": "coinbase", "stream": "coinbase/ws"})
            wait_for(lambda: not heard.client.websocket.open, "a socket that is cut", SECONDS)
            assert other.client.websocket.open
        assert not coinbase_face(running).channels.clients()

    def test_a_client_that_left_is_forgotten(self, running: RunningSandbox) -> None:
        with open_socket(running) as heard:
            self.heard_ticker(running, heard)
            assert coinbase_face(running).channels.clients()
        wait_for(lambda: not coinbase_face(running).channels.clients(), "an empty house", SECONDS)


def apply(book: dict[tuple[str, Decimal], Decimal], event: Message) -> None:
    for row in event["updates"]:
        key = (row["side"], D(row["price_level"]))
        if D(row["new_quantity"]):
            book[key] = D(row["new_quantity"])
        else:
            book.pop(key, None)
