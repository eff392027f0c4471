"""Sending to WebSockets under Daphne.

Daphne's `send` never waits, so what a client does not read piles up in memory. Here it waits until most of it is out. Besides, a
message passes layers on its way to the wire that cost several times what the wire does, for each client again. Here all clients
get the same frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

TEXT = 0x81
"""RFC 6455, 5.2: a final frame of text; a server's frames are not masked."""


@implementer(IPushProducer)
class WriteGate:
    """Shut while more than the transport's buffer size (64 KiB) waits to be written to one client."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()

    def pauseProducing(self) -> None:  # noqa: N802 (Twisted names it)
        self.open.clear()

    def resumeProducing(self) -> None:  # noqa: N802
        self.open.set()

    def stopProducing(self) -> None:  # noqa: N802
        self.open.set()


def with_backpressure(application: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """The application for WebSockets, directly under Daphne. Under a server whose `send` waits by itself, it changes nothing."""

    async def patient(scope: dict[str, Any], receive: Any, send: Any) -> Any:
        # Daphne's `send` is a partial over the connection's protocol.
        protocol = next(iter(getattr(send, "args", ())), None)
        transport: Any = getattr(protocol, "transport", None)
        if not hasattr(transport, "registerProducer"):
            return await application(scope, receive, send)
        gate = WriteGate()
        transport.unregisterProducer()  # that of the HTTP request which became this socket
        transport.registerProducer(gate, True)

        async def send_and_wait(message: dict[str, Any]) -> None:
            text = message.get("text")
            if text and writes_at_once(protocol):
                transport.write(text_frame(text))
            else:
                await send(message)
            if message["type"] == "websocket.send":
                await gate.open.wait()

        return await application(scope, receive, send_and_wait)

    return patient


def writes_at_once(protocol: Any) -> bool:
    """Whether what is sent goes to the wire as it is: the socket is open and not compressed, and autobahn's own queue is empty."""
    if getattr(protocol, "state", None) != getattr(protocol, "STATE_OPEN", 0):
        return False
    return protocol._perMessageCompress is None and not protocol.send_queue


@lru_cache(maxsize=256)
def text_frame(text: str) -> bytes:
    """The text as a frame of RFC 6455, 5.2."""
    data = text.encode()
    size = len(data)
    if size < 126:
        return bytes([TEXT, size]) + data
    if size < 65_536:
        return bytes([TEXT, 126]) + size.to_bytes(2, "big") + data
    return bytes([TEXT, 127]) + size.to_bytes(8, "big") + data
