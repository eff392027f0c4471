"""Coinbase's own client library, pointed at a sandbox. Apart from the address, the tests use it as its documentation shows."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from queue import Queue
from typing import Any

import pytest
from coinbase.rest import RESTClient
from coinbase.websocket import WSClient, WSUserClient
from requests import HTTPError, PreparedRequest, Response
from requests.adapters import HTTPAdapter

from market.sandbox.coinbase.face import CoinbaseFace
from market.sandbox.server import RunningSandbox

SECONDS = 20
"""How long a test waits, on a busy machine too."""
Message = dict[str, Any]

for name in ("coinbase.RESTClient", "coinbase.WSClient"):
    # The library writes to the terminal as soon as it is imported.
    logging.getLogger(name).handlers.clear()


class PlainHTTP(HTTPAdapter):
    """Sends by http what the library, which only knows https, sends by https."""

    def send(self, request: PreparedRequest, *args: Any, **more: Any) -> Response:
        assert request.url is not None
        request.url = request.url.replace("https://", "http://", 1)
        return super().send(request, *args, **more)


def rest_client(running: RunningSandbox, **more: Any) -> RESTClient:
    """A REST client with the sandbox's key, unless `api_key` and `api_secret` say otherwise."""
    address = running.addresses["coinbase"]
    keys = {"api_key": address["api_key"], "api_secret": address["api_secret"]}
    client = RESTClient(base_url=address["rest"].removeprefix("http://"), **{"timeout": SECONDS, **keys, **more})
    client.session.mount("https://", PlainHTTP())
    return client


def error_response(error: pytest.ExceptionInfo[HTTPError]) -> Response:
    """The answer behind the library's error."""
    response = error.value.response
    assert response is not None
    return response


def coinbase_face(running: RunningSandbox) -> CoinbaseFace:
    return running.sandbox.coinbase


def price_of(running: RunningSandbox, symbol: str = "BTC-USD") -> Decimal:
    return running.exchange("coinbase").book(symbol).last


class ReceivedMessages:
    """What a socket's client received, oldest first."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.all: list[Message] = []
        self._queue: Queue[str] = Queue()

    def put(self, text: str) -> None:
        self._queue.put(text)

    def next(self) -> Message:
        """Waits for the next message."""
        message: Message = json.loads(self._queue.get(timeout=SECONDS))
        self.all.append(message)
        return message

    def until(self, wanted: Callable[[Message], bool]) -> Message:
        """Waits for the next wanted message."""
        while not wanted(message := self.next()):
            pass
        return message

    def on(self, channel: str, kind: str | None = None) -> Message:
        """Waits for the next event of a channel, and of a type if one is given."""
        message = self.until(lambda item: item.get("channel") == channel and kind in (None, item["events"][0].get("type")))
        event: Message = message["events"][0]
        return event

    def order(self) -> Message:
        """Waits for the next update of the user channel."""
        [order] = self.on("user", "update")["orders"]
        return dict(order)


@contextmanager
def open_socket(running: RunningSandbox, *, user: bool = False, key: bool = True) -> Iterator[ReceivedMessages]:
    """Opens a socket: that of the user channel with `user`, one that signs with `key`."""
    address = running.addresses["coinbase"]
    keys = {"api_key": address["api_key"], "api_secret": address["api_secret"]} if key else {"api_key": None, "api_secret": None}
    kind, url = (WSUserClient, address["ws_user"]) if user else (WSClient, address["ws"])
    heard = ReceivedMessages(None)
    heard.client = kind(base_url=url, timeout=SECONDS, retry=False, on_message=heard.put, **keys)
    heard.client.open()
    try:
        yield heard
    finally:
        if heard.client.websocket.open:
            heard.client.close()
        else:
            finish_closing(heard.client)


def finish_closing(client: Any) -> None:
    """Does what `close` leaves undone after a lost connection. Closing may still be under way: a task that is left on a closed loop
    becomes an error of whichever test runs when it is collected."""
    asyncio.run_coroutine_threadsafe(cancel_others(), client.loop).result(SECONDS)
    client.loop.call_soon_threadsafe(client.loop.stop)
    client.thread.join(SECONDS)
    client.loop.close()


async def cancel_others() -> None:
    """Cancels all other tasks of this loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
