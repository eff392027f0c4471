"""coinbase-advanced-py, made fit for a loop: REST in threads that have a session each, and sockets that check the certificate of
the other side."""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import requests
import websockets
from coinbase.constants import BASE_URL, USER_AGENT, WS_BASE_URL, WS_USER_BASE_URL
from coinbase.rest import RESTClient
from coinbase.websocket import WSClient
from requests.adapters import HTTPAdapter

from market.exchanges.base import Endpoint
from market.exchanges.coinbase.tokens import Signer

API, APP = "/api/v3/brokerage", "/v2"
"""Of Advanced Trade, and of the app: of movements only the latter tells."""
THREADS = 4
TIMEOUT = (5, 10)
"""Seconds to connect, and to wait for each part of an answer. By default the library waits without end."""

# Their handlers write to standard error, whole answers included. Our own errors say what matters.
for _name in ("coinbase.RESTClient", "coinbase.WSClient"):
    logging.getLogger(_name).handlers.clear()
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class Loopback(HTTPAdapter):
    """The library writes https before every address, but a sandbox on this machine uses http."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = "http://" + str(request.url).removeprefix("https://")
        return super().send(request, *args, **kwargs)


class CoinbaseSession(RESTClient):
    """The client of one thread. `headers` are those of its last answer."""

    def __init__(self, endpoint: Endpoint, signer: Signer | None) -> None:
        address = urlsplit(endpoint.rest)
        self._signer = signer
        super().__init__(
            api_key=endpoint.api_key or None,
            api_secret=endpoint.api_secret or None,
            base_url=address.netloc or BASE_URL,
            timeout=TIMEOUT,
        )
        self.headers: Mapping[str, str] = {}
        self.session.hooks["response"].append(self._keep)
        if address.scheme == "http":
            self.session.mount(f"https://{address.netloc}", Loopback())

    def set_headers(self, method: str, path: str) -> dict[str, str]:
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}
        if self._signer is not None:
            headers["Authorization"] = f"Bearer {self._signer.token(f'{method} {self.base_url}{path}')}"
        return headers

    def _keep(self, response: requests.Response, **_: Any) -> None:
        self.headers = response.headers


class CoinbaseRest:
    """`get` and `post` give the venue's JSON. `on_headers` gets the headers of each answer, on the loop."""

    def __init__(self, endpoint: Endpoint, on_headers: Callable[[Mapping[str, str]], Awaitable[None]]) -> None:
        self.signer = Signer(endpoint) if endpoint.api_key else None
        self._endpoint, self._on_headers = endpoint, on_headers
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="coinbase")
        self._own = threading.local()

    async def get(self, path: str, **parameters: Any) -> dict[str, Any]:
        """`public=True` is for what needs no key."""
        public = bool(parameters.get("public"))
        return await self._send(lambda session: session.get(f"{API}/{path}", **parameters), counted=not (public and self.signer))

    async def get_app(self, path: str, **parameters: Any) -> dict[str, Any]:
        """Of the app's API. What comes behind a question mark must be in `params`: the token is for the path alone."""
        return await self._send(lambda session: session.get(f"{APP}/{path}", **parameters), counted=False)

    async def post(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        return await self._send(lambda session: session.post(f"{API}/{path}", data=dict(data)), counted=True)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _send(self, request: Callable[[CoinbaseSession], dict[str, Any]], *, counted: bool) -> dict[str, Any]:
        """`counted` means by the limit of the key, and not by that of the address."""
        loop = asyncio.get_running_loop()
        headers, answer = await loop.run_in_executor(self._threads, self._in_thread, request)
        if counted:
            await self._on_headers(headers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _in_thread(
        self, request: Callable[[CoinbaseSession], dict[str, Any]]
    ) -> tuple[Mapping[str, str], dict[str, Any] | Exception]:
        session = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = CoinbaseSession(self._endpoint, self.signer)
        session.headers = {}
        answer: dict[str, Any] | Exception
        try:
            answer = request(session)
        except Exception as error:
            answer = error
        return session.headers, answer


class CoinbaseSocket(WSClient):
    """The life of one connection, read straight from `websocket`. The library does not check the certificate when it connects, and
    its reader ends in silence on a clean close, on a frame that comes with the close, and on an error in a callback."""

    def __init__(self, endpoint: Endpoint, signer: Signer | None, *, user: bool) -> None:
        self._signer = signer
        super().__init__(
            api_key=endpoint.api_key or None,
            api_secret=endpoint.api_secret or None,
            base_url=_socket_address(endpoint, user),
            timeout=10,
            retry=False,
            on_message=_ignore_message,
        )

    async def open_async(self) -> None:
        self.websocket = await websockets.connect(
            self.base_url,
            open_timeout=self.timeout,
            close_timeout=1,
            max_size=self.max_size,
            user_agent_header=USER_AGENT,
            ssl=ssl.create_default_context() if self.base_url.startswith("wss://") else None,
        )

    def _build_subscription_message(self, product_ids: list[str], channel: str, message_type: str, public: bool) -> dict[str, Any]:
        message = {"type": message_type, "product_ids": product_ids, "channel": channel}
        return message | ({"jwt": self._signer.token()} if self._signer is not None else {})

    async def subscribe_all(self, channels: Mapping[str, list[str]]) -> None:
        for channel, products in channels.items():
            await self.subscribe_async(products, [channel])

    async def end(self) -> None:
        if self.websocket is not None:
            await self.websocket.close()


def _socket_address(endpoint: Endpoint, user: bool) -> str:
    if user:
        return endpoint.ws_user or (f"{endpoint.ws}/user" if endpoint.ws else WS_USER_BASE_URL)
    return endpoint.ws or WS_BASE_URL


def _ignore_message(message: str) -> None:
    """The library wants a callback; nothing calls it."""
