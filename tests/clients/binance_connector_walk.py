"""Binance's older connector against the sandbox, as it ships: REST, market streams and the WebSocket API.
`python -m tests.clients.binance_connector_walk ADDRESSES`."""

from __future__ import annotations

import json
import queue
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from binance.spot import Spot
from binance.websocket.spot.websocket_api import SpotWebsocketAPIClient
from binance.websocket.spot.websocket_stream import SpotWebsocketStreamClient

from tests.clients.steps import print_steps, read_addresses, take_frame, try_steps

SYMBOL = "BTCUSDT"
PLAIN = (
    "ping",
    "time",
    "exchange_info",
    "account",
    "get_order_rate_limit",
    "get_oco_orders",
    "get_oco_open_orders",
    "system_status",
)
WALLET = ("coin_info", "deposit_history", "withdraw_history", "account_status", "api_key_permissions", "trade_fee", "dust_log")
MARKET = ("depth", "trades", "historical_trades", "agg_trades", "avg_price", "ticker_24hr", "ticker_price", "book_ticker")
MARKET_MORE = ("trading_day_ticker", "rolling_window_ticker")
ACCOUNT = ("get_open_orders", "get_orders", "my_trades", "query_commission_rates", "query_allocations")
STREAMS = ("agg_trade", "trade", "mini_ticker", "ticker", "book_ticker", "diff_book_depth")
API_PLAIN = ("ping_connectivity", "server_time", "exchange_info", "account", "order_rate_limit", "get_open_orders")
API_MARKET = ("order_book", "recent_trades", "aggregate_trades", "avg_price")
API_NAMED = ("order_history", "my_trades", "ticker_24hr", "ticker_price", "ticker_book", "ticker")


class FrameTaker:
    """All frames of a socket of the connector."""

    def __init__(self, kind: Any, **given: Any) -> None:
        self.frames: queue.Queue[Any] = queue.Queue()
        self.socket = kind(**given, on_message=lambda socket, text: self.frames.put(json.loads(text)))

    def wait_for(self, wanted: Callable[[Any], Any]) -> Any:
        frame = take_frame(self.frames, wanted)
        if isinstance(frame, dict) and (frame.get("error") or frame.get("status", 200) != 200):
            raise ValueError(frame)
        return frame


def list_calls(client: Any) -> dict[str, Callable[[], Any]]:
    price = float(client.ticker_price(SYMBOL)["price"])
    order = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": 0.001,
        "price": round(price * 0.9, 2),
    }
    made: dict[str, Any] = {}

    def place(**given: Any) -> None:
        made["id"] = client.new_order(**order | given)["orderId"]

    def replace() -> None:
        made["id"] = client.cancel_and_replace(**order, cancelReplaceMode="STOP_ON_FAILURE", cancelOrderId=made["id"])

    return {
        **{name: getattr(client, name) for name in (*PLAIN, *WALLET)},
        **{name: lambda name=name: getattr(client, name)(SYMBOL) for name in (*MARKET, *MARKET_MORE, *ACCOUNT)},
        "klines": lambda: client.klines(SYMBOL, "1m"),
        "ui_klines": lambda: client.ui_klines(SYMBOL, "1m"),
        "new_order_test": lambda: client.new_order_test(**order),
        "new_order": place,
        "get_order": lambda: client.get_order(SYMBOL, orderId=made["id"]),
        "cancel_and_replace": replace,
        "cancel_open_orders": lambda: client.cancel_open_orders(SYMBOL),
        "new_order market": lambda: client.new_order(SYMBOL, "BUY", "MARKET", quoteOrderQty=50),
    }


def list_streams(url: str) -> dict[str, Callable[[], Any]]:
    """Each on a connection of its own: one connection may say five things a second."""

    def hear(name: str, *given: Any, wanted: Callable[[Any], Any] = lambda frame: "result" not in frame) -> None:
        taker = FrameTaker(SpotWebsocketStreamClient, stream_url=url)
        getattr(taker.socket, name)(SYMBOL, *given)
        taker.wait_for(lambda frame: "error" in frame or wanted(frame))
        taker.socket.stop()

    return {
        **{f"stream {name}": partial(hear, name) for name in STREAMS},
        "stream kline": lambda: hear("kline", "1m"),
        "stream partial_book_depth": lambda: hear("partial_book_depth", 10, 100, wanted=lambda frame: "bids" in frame),
        "stream rolling_window_ticker": lambda: hear(
            "rolling_window_ticker", "1h", wanted=lambda frame: frame.get("e") == "1hTicker"
        ),
    }


def list_api_calls(api: FrameTaker, price: float) -> dict[str, Callable[[], Any]]:
    order = {"timeInForce": "GTC", "quantity": 0.001, "price": round(price * 0.9, 2), "newClientOrderId": "over-the-socket"}

    def ask(name: str, *given: Any, **more: Any) -> Any:
        getattr(api.socket, name)(*given, **more)
        return api.wait_for(lambda frame: True)

    return {
        **{f"api {name}": partial(ask, name) for name in API_PLAIN},
        **{f"api {name}": partial(ask, name, SYMBOL) for name in API_MARKET},
        "api klines": lambda: ask("klines", SYMBOL, "1m"),
        **{f"api {name}": partial(ask, name, symbol=SYMBOL) for name in API_NAMED},
        "api new_order": lambda: ask("new_order", SYMBOL, "BUY", "LIMIT", newOrderRespType="RESULT", **order),
        "api get_order": lambda: ask("get_order", SYMBOL, origClientOrderId="over-the-socket"),
        "api cancel_order": lambda: ask("cancel_order", SYMBOL, origClientOrderId="over-the-socket"),
    }


def main(path: str) -> int:
    """Prints each step and what went wrong; 1 where something did."""
    address = read_addresses(path)["binance"]
    keys = {"api_key": address["api_key"], "api_secret": address["api_secret"]}
    client = Spot(**keys, base_url=address["rest"])
    api = FrameTaker(SpotWebsocketAPIClient, stream_url=address["ws_api"], **keys)
    price = float(client.ticker_price(SYMBOL)["price"])
    found = try_steps(list_calls(client)) | try_steps(list_streams(address["ws"])) | try_steps(list_api_calls(api, price))
    api.socket.stop()
    return print_steps("binance", found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
