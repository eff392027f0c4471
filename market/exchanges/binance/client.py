"""python-binance's client, pointed at the addresses of an endpoint. It also tells what the library keeps to itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
from binance import AsyncClient
from binance.exceptions import BinanceWebsocketUnableToConnect
from binance.ws.constants import WSListenerState
from binance.ws.reconnecting_websocket import ReconnectingWebsocket
from binance.ws.websocket_api import WebsocketAPI

from market.exchanges.base import Endpoint, Unauthorised
from market.exchanges.parsing import from_milliseconds

Headers = Callable[[Any], Awaitable[None]]
ENDED = {"e": "error", "type": "Ended", "m": "the reader has ended"}
BACKLOG = 10_000

# Our own errors say what the library logs there, and its debug lines contain whole frames.
logging.getLogger("binance").setLevel(logging.CRITICAL)


class BinanceClient(AsyncClient):
    """The addresses go in before the library copies them. `on_headers` gets the headers of each answer: the library keeps only
    those of the last one, which belongs to another call if several run at once."""

    REQUEST_RECVWINDOW = 5000
    REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=10, sock_connect=5)

    def __init__(self, endpoint: Endpoint, on_headers: Headers) -> None:
        if endpoint.rest:
            self.API_URL, self.MARGIN_API_URL = f"{endpoint.rest}/api", f"{endpoint.rest}/sapi"
        if endpoint.ws_api:
            self.WS_API_URL = endpoint.ws_api
        self._on_headers = on_headers
        pem = endpoint.api_secret.strip() if endpoint.api_secret.startswith("-----BEGIN") else None
        super().__init__(
            api_key=endpoint.api_key or None,
            api_secret=None if pem else endpoint.api_secret or None,
            private_key=pem,
            testnet=endpoint.environment == "testnet" and not endpoint.rest,
            # Shorter than the venue's own time-out, so that no order goes out on a connection that the venue has just closed.
            session_params={"connector": aiohttp.TCPConnector(keepalive_timeout=10)},
        )

    def _hmac_signature(self, query_string: str) -> str:
        if not self.API_SECRET:
            raise Unauthorised("Binance needs a key for this, and the account has none.", code="key")
        return str(super()._hmac_signature(query_string))

    async def _handle_response(self, response: aiohttp.ClientResponse) -> Any:
        await self._on_headers(response.headers)
        return await super()._handle_response(response)

    async def measure_offset(self) -> float:
        """Seconds that the venue's clock is ahead, taken in the middle of the round trip. Later signatures use it."""
        begun = time.time()
        server = from_milliseconds((await self.get_server_time())["serverTime"]).timestamp()
        offset = server - (begun + time.time()) / 2
        self.timestamp_offset = int(offset * 1000)
        return offset

    async def get_spot_rebates(self, **params: Any) -> Any:
        """The library has no method for them."""
        return await self._request_margin_api("get", "rebate/taxQuery", True, data=params)

    def market_socket(self, url: str) -> MarketSocket:
        return MarketSocket(url=url or self._stream_url(), path="", prefix="stream")

    def user_socket(self) -> UserSocket:
        """Takes the place of the library's own connection, which nothing else uses."""
        socket = UserSocket(url=self.ws_api._url)
        self.ws_api: WebsocketAPI = socket
        return socket

    def _stream_url(self) -> str:
        return "wss://stream.testnet.binance.vision/" if self.testnet else "wss://stream.binance.com:9443/"


class MarketSocket(ReconnectingWebsocket):
    """The life of one connection, read straight from `ws`. The library's own reader drops its queue when it is full, gives up for
    good after four attempts, and hides reconnections from the code that has to fill the gap."""

    async def _read_loop(self) -> None:
        self._handle_read_loop = None


class UserSocket(WebsocketAPI):
    """The life of one subscription. The library would reconnect without subscribing again, and then nothing would ever arrive, so
    it is kept from reconnecting. The end is always put into the queue, behind everything that came before it."""

    def __init__(self, url: str) -> None:
        super().__init__(url=url)
        self.max_queue_size = BACKLOG

    async def next_event(self) -> dict[str, Any]:
        event: dict[str, Any] = await self._queue.get()
        return event

    async def _run_reconnect(self) -> None:
        raise BinanceWebsocketUnableToConnect("one connection, one life")

    async def _read_loop(self) -> None:
        try:
            await super()._read_loop()
        finally:
            self._queue.put_nowait(ENDED)

    async def end(self) -> None:
        """Closes at once. The library's own close waits for its reader, which looks up only every ten seconds."""
        await self.close()

    async def _kill_read_loop(self) -> None:
        self.ws_state = WSListenerState.EXITING
