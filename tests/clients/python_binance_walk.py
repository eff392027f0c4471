"""python-binance's managers against the sandbox: its sockets, a book that keeps itself, one's own orders.
`python -m tests.clients.python_binance_walk ADDRESSES`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from binance import AsyncClient, BinanceSocketManager
from binance.ws.depthcache import DepthCacheManager

from tests.clients.steps import print_steps, read_addresses, try_await

SYMBOL = "BTCUSDT"
SOCKETS = {
    "trade_socket": (SYMBOL,),
    "aggtrade_socket": (SYMBOL,),
    "kline_socket": (SYMBOL, "1m"),
    "depth_socket": (SYMBOL,),
    "symbol_ticker_socket": (SYMBOL,),
    "symbol_miniticker_socket": (SYMBOL,),
    "symbol_book_ticker_socket": (SYMBOL,),
    "ticker_socket": (),
    "miniticker_socket": (),
}


def point_to(address: dict[str, Any]) -> None:
    AsyncClient.API_URL = f"{address['rest']}/api"
    AsyncClient.MARGIN_API_URL = f"{address['rest']}/sapi"
    AsyncClient.WS_API_URL = address["ws_api"]
    BinanceSocketManager.STREAM_URL = f"{address['ws']}/"


async def hear(socket: Any) -> None:
    async with socket as stream:
        frame = await stream.recv()
        assert "error" not in frame, frame


async def keep_book(client: AsyncClient, manager: BinanceSocketManager) -> None:
    async with DepthCacheManager(client, SYMBOL, bm=manager) as keeper:
        book = await keeper.recv()
        assert book.get_bids()[0][0] < book.get_asks()[0][0]


async def follow_order(client: AsyncClient, manager: BinanceSocketManager) -> None:
    """An order of one's own, on the user stream."""
    async with manager.user_socket() as stream:
        await client.order_market_buy(symbol=SYMBOL, quantity=0.001)
        while (frame := await stream.recv()).get("e") != "executionReport" or frame["X"] != "FILLED":
            assert frame.get("e") != "error", frame


async def walk_all(address: dict[str, Any]) -> dict[str, str]:
    client = await AsyncClient.create(address["api_key"], address["api_secret"])
    manager = BinanceSocketManager(client)
    steps: dict[str, Callable[[], Awaitable[Any]]] = {
        **{name: partial(hear_named, manager, name) for name in SOCKETS},
        "multiplex_socket": lambda: hear(manager.multiplex_socket(["btcusdt@trade", "ethusdt@kline_1m"])),
        "user_socket: an order of one's own": lambda: follow_order(client, manager),
        "DepthCacheManager": lambda: keep_book(client, manager),
        "ws_get_order_book": lambda: client.ws_get_order_book(symbol=SYMBOL),
        "ws_get_account": client.ws_get_account,
    }
    found = {name: await try_await(step) for name, step in steps.items()}
    await client.close_connection()
    return found


async def hear_named(manager: BinanceSocketManager, name: str) -> None:
    await hear(getattr(manager, name)(*SOCKETS[name]))


def main(path: str) -> int:
    """Prints each step and what went wrong; 1 where something did."""
    point_to(read_addresses(path)["binance"])
    return print_steps("binance", asyncio.run(walk_all(read_addresses(path)["binance"])))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
