"""Coinbase's own SDK against the sandbox behind TLS, as it ships: REST, market streams, and what happens to one's own orders.
`python -m tests.clients.coinbase_sdk_walk ADDRESSES`."""

from __future__ import annotations

import json
import queue
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from coinbase.rest import RESTClient
from coinbase.websocket import WSClient, WSUserClient

from tests.clients.steps import print_steps, read_addresses, take_frame, try_steps

SYMBOL = "BTC-USD"
PLAIN = ("get_unix_time", "get_accounts", "get_portfolios", "get_transaction_summary", "get_api_key_permissions", "get_products")
MORE = ("list_orders", "get_fills", "list_payment_methods", "get_public_products")
MARKET = ("get_product", "get_product_book", "get_public_product", "get_public_product_book")
CHANNELS = {
    "ticker": "ticker",
    "ticker_batch": "ticker_batch",
    "candles": "candles",
    "market_trades": "market_trades",
    "level2": "l2_data",
    "status": "status",
    "heartbeats": "heartbeats",
}
"""A method of the SDK, and the channel of the frames that it brings."""


class StreamTaker:
    """A socket of the SDK, with all frames of it."""

    def __init__(self, kind: Any, url: str, keys: dict[str, str]) -> None:
        self.frames: queue.Queue[Any] = queue.Queue()
        self.socket = kind(**keys, base_url=url, on_message=lambda text: self.frames.put(json.loads(text)), retry=False)
        self.socket.open()

    def wait_for(self, channel: str) -> Any:
        """The next frame of a channel that has an event."""
        frame = take_frame(
            self.frames, lambda frame: frame.get("type") == "error" or (frame.get("channel") == channel and frame["events"])
        )
        if frame.get("type") == "error":
            raise ValueError(frame)
        return frame


def list_calls(client: RESTClient) -> dict[str, Callable[[], Any]]:
    """Later ones need the orders of earlier ones."""
    made: dict[str, str] = {}

    def place(name: str, **given: Any) -> None:
        answer = getattr(client, name)(client_order_id=str(uuid4()), product_id=SYMBOL, **given)
        assert answer.success, answer.to_dict()
        made[name] = answer.success_response["order_id"]

    def ask(name: str, *given: Any) -> Callable[[], Any]:
        return lambda: getattr(client, name)(*given)

    price = round(float(client.get_product(SYMBOL).price), 2)
    limit = {"base_size": "0.001", "limit_price": f"{price * 0.9:.2f}"}
    stop = {"base_size": "0.001", "limit_price": f"{price * 0.8:.2f}", "stop_price": f"{price * 0.85:.2f}"}
    span = (SYMBOL, str(int(client.get_unix_time().epoch_seconds) - 3600), client.get_unix_time().epoch_seconds, "ONE_MINUTE")
    return {
        **{name: ask(name) for name in (*PLAIN, *MORE)},
        **{name: ask(name, SYMBOL) for name in MARKET},
        **{name: ask(name, SYMBOL, 10) for name in ("get_market_trades", "get_public_market_trades")},
        "get_best_bid_ask": ask("get_best_bid_ask", [SYMBOL]),
        "get_candles": ask("get_candles", *span),
        "get_public_candles": ask("get_public_candles", *span),
        "market_order_buy": lambda: place("market_order_buy", quote_size="50"),
        "limit_order_gtc_buy": lambda: place("limit_order_gtc_buy", **limit),
        "limit_order_ioc_buy": lambda: place("limit_order_ioc_buy", base_size="0.001", limit_price=f"{price * 1.05:.2f}"),
        "limit_order_fok_buy": lambda: place("limit_order_fok_buy", base_size="0.001", limit_price=f"{price * 1.05:.2f}"),
        "stop_limit_order_gtc_sell": lambda: place("stop_limit_order_gtc_sell", stop_direction="STOP_DIRECTION_STOP_DOWN", **stop),
        "get_order": lambda: client.get_order(made["limit_order_gtc_buy"]),
        "cancel_orders": lambda: client.cancel_orders([made["limit_order_gtc_buy"], made["stop_limit_order_gtc_sell"]]),
        "get_portfolio_breakdown": lambda: client.get_portfolio_breakdown(client.get_portfolios().portfolios[0].uuid),
    }


def list_streams(client: RESTClient, market: StreamTaker, own: StreamTaker) -> dict[str, Callable[[], Any]]:
    def hear(name: str) -> Any:
        getattr(market.socket, name)(*([] if name == "heartbeats" else [[SYMBOL]]))
        return market.wait_for(CHANNELS[name])

    def follow_order() -> None:
        own.socket.user([SYMBOL])
        own.wait_for("user")
        ours = str(uuid4())
        client.market_order_sell(client_order_id=ours, product_id=SYMBOL, base_size="0.0005")
        while not any(ours == order["client_order_id"] for event in own.wait_for("user")["events"] for order in event["orders"]):
            pass

    return {name: lambda name=name: hear(name) for name in CHANNELS} | {"user: an order of one's own": follow_order}


def main(path: str) -> int:
    """Prints each step and what went wrong; 1 where something did."""
    address = read_addresses(path)["secure"]["coinbase"]
    keys = {"api_key": address["api_key"], "api_secret": address["api_secret"]}
    client = RESTClient(**keys, base_url=address["rest"].removeprefix("https://"), timeout=10)
    found = try_steps(list_calls(client))
    market, own = StreamTaker(WSClient, address["ws"], keys), StreamTaker(WSUserClient, address["ws_user"], keys)
    found |= try_steps(list_streams(client, market, own))
    for taker in (market, own):
        taker.socket.close()
    return print_steps("coinbase", found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
