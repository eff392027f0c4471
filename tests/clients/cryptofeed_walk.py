"""cryptofeed against the sandbox behind TLS: what it hears of Binance and of Coinbase.
`python -m tests.clients.cryptofeed_walk ADDRESSES`.

Its Coinbase still signs with keys of the old kind, also where no key is needed; the venue took its last one out of service, and
the sandbox has never had any. So it is shown the venue's public addresses, and its signature is left out.
"""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import Any

from cryptofeed import FeedHandler  # type: ignore[import-not-found]
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint  # type: ignore[import-not-found]
from cryptofeed.defines import CANDLES, L2_BOOK, TICKER, TRADES  # type: ignore[import-not-found]
from cryptofeed.exchanges import Binance, Coinbase  # type: ignore[import-not-found]
from cryptofeed.exchanges import coinbase as coinbase_module

from tests.clients.steps import print_steps, read_addresses, try_await

HEARD = {"binance": (TRADES, TICKER, L2_BOOK, CANDLES), "coinbase": (TRADES, L2_BOOK)}
SYMBOLS = {"binance": "BTC-USDT", "coinbase": "BTC-USD"}


def point_to(venue: str, address: dict[str, Any]) -> Any:
    """The feed of a venue, with the sandbox's addresses."""
    if venue == "binance":
        Binance.websocket_endpoints = [WebsocketEndpoint(address["ws"])]
        routes = Binance.rest_endpoints[0].routes
        Binance.rest_endpoints = [RestEndpoint(address["rest"], routes=routes)]
        return Binance
    coinbase_module.get_private_parameters = lambda *args, **given: {}
    Coinbase.websocket_endpoints = [WebsocketEndpoint(address["ws"], options={"compression": None})]
    market = Routes("/market/products", l3book="/market/product_book?product_id={}")
    Coinbase.rest_endpoints = [RestEndpoint(f"{address['rest']}/api/v3/brokerage", routes=market)]
    return Coinbase


async def hear_all(venue: str, feed: Any) -> dict[str, str]:
    """What of each channel came, at least once."""
    heard = {name: asyncio.Event() for name in HEARD[venue]}

    async def take(name: str, *given: Any) -> None:
        heard[name].set()

    calls = {name: partial(take, name) for name in heard}
    more = {"candle_interval": "1m", "candle_closed_only": False} if venue == "binance" else {}
    handler = FeedHandler(config={"log": {"disabled": True}, "uvloop": False})
    handler.add_feed(feed(symbols=[SYMBOLS[venue]], channels=list(heard), callbacks=calls, **more))
    handler.run(start_loop=False, install_signal_handlers=False)
    found = {name: await try_await(event.wait) for name, event in heard.items()}
    await handler.stop_async(loop=asyncio.get_running_loop())
    return found


def main(path: str) -> int:
    """Prints each step and what went wrong; 1 where something did."""
    addresses, code = read_addresses(path)["secure"], 0
    for venue in HEARD:
        code = max(code, print_steps(venue, asyncio.run(hear_all(venue, point_to(venue, addresses[venue])))))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
