"""Market streams: who listens to what. Each frame is made once for all of its listeners."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from market.sandbox import sockets
from market.sandbox.binance.channels import EVERYTHING, BinanceChannel, find_channel
from market.sandbox.events import BookChange, Event, PublicTrade
from market.sandbox.exchange import SandboxExchange
from market.sandbox.sockets import ClientSocket

MOST_STREAMS = 1024
"""Streams that one connection may listen to."""
MOST_MESSAGES = 5
"""Messages a second that one connection may send. One that sends more is cut off."""


@dataclass(eq=False, slots=True)
class StreamClient:
    """A connection. `combined` wraps its frames as `{"stream", "data"}`."""

    socket: ClientSocket
    combined: bool
    names: dict[str, None] = field(default_factory=dict)
    heard: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_MESSAGES))
    """When its newest messages came, in seconds."""

    def exceeds_pace(self, now: float) -> bool:
        """Counts a message, and says whether it is one too many for this second."""
        over = len(self.heard) == MOST_MESSAGES and now - self.heard[0] < 1
        self.heard.append(now)
        return over


@dataclass(slots=True)
class OpenStream:
    """A channel that somebody listens to."""

    name: str
    channel: BinanceChannel
    clients: set[StreamClient] = field(default_factory=set)

    def send(self, frame: Any) -> None:
        text = orjson.dumps(frame).decode()
        wrapped = ""
        for client in tuple(self.clients):
            if client.combined:
                wrapped = wrapped or f'{{"stream":"{self.name}","data":{text}}}'
                client.socket.send(wrapped, self.name)
            else:
                client.socket.send(text, self.name)


class BinanceStreams:
    """All market streams of the venue."""

    def __init__(self, exchange: SandboxExchange) -> None:
        self.exchange = exchange
        self._streams: dict[str, OpenStream] = {}
        self._on_trade: dict[str, list[OpenStream]] = {}
        self._on_book: dict[str, list[OpenStream]] = {}

    def on_event(self, event: Event) -> None:
        if isinstance(event, PublicTrade):
            listeners = self._on_trade
        elif isinstance(event, BookChange):
            listeners = self._on_book
        else:
            return
        for symbol in (event.symbol, EVERYTHING):
            for stream in listeners.get(symbol, ()):
                if stream.channel.due(event.time):
                    self._send_frames(stream, event.time)
                else:
                    stream.channel.waiting = True

    def advance(self, now: int) -> None:
        """Sends what waited for its pace until `now` (ms), and closes candles."""
        for stream in tuple(self._streams.values()):
            if stream.channel.waiting and stream.channel.due(now):
                self._send_frames(stream, now)
            for frame in stream.channel.closing(now):
                stream.send(frame)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """`/ws`, `/ws/<stream>/<stream>` and `/stream?streams=<stream>/<stream>`."""
        combined = request.path == "/stream"
        wanted = request.query.get("streams", "") if combined else request.match_info.get("names", "")
        names = [name for name in wanted.split("/") if name]
        socket = await sockets.accept_socket(request, "/".join(["stream" if combined else "ws", *names]))
        client = StreamClient(socket, combined)
        self.subscribe(client, names)
        try:
            async for text in socket:
                if client.exceeds_pace(asyncio.get_running_loop().time()):
                    socket.abort()
                    break
                socket.send(orjson.dumps(self._answer(client, text)).decode(), "answer")
        finally:
            self.unsubscribe(client, list(client.names))
        return socket.response

    def subscribe(self, client: StreamClient, names: list[str]) -> None:
        for name in names:
            client.names[name] = None
            stream = self._streams.get(name)
            if stream is None:
                if (made := find_channel(self.exchange, name)) is None:
                    continue
                stream = self._streams[name] = OpenStream(name, made)
                self._listeners(made).append(stream)
            stream.clients.add(client)

    def unsubscribe(self, client: StreamClient, names: list[str]) -> None:
        for name in names:
            client.names.pop(name, None)
            if (stream := self._streams.get(name)) is None:
                continue
            stream.clients.discard(client)
            if not stream.clients:
                del self._streams[name]
                self._listeners(stream.channel).remove(stream)

    def _listeners(self, made: BinanceChannel) -> list[OpenStream]:
        listeners = self._on_trade if made.on_trades else self._on_book
        return listeners.setdefault(made.symbol, [])

    def _send_frames(self, stream: OpenStream, now: int) -> None:
        stream.channel.sent, stream.channel.waiting = now, False
        for frame in stream.channel.frames(now):
            stream.send(frame)

    def _answer(self, client: StreamClient, text: str) -> Mapping[str, Any]:
        try:
            request = orjson.loads(text)
            method, id_ = request["method"], request.get("id")
            given = request.get("params", [])
        except (orjson.JSONDecodeError, TypeError, KeyError, AttributeError):
            return _error_answer(None, 3, "Invalid JSON: expected a request with 'method', 'params' and 'id'.")
        if not isinstance(given, list) or (id_ is not None and not isinstance(id_, int | str)):
            return _error_answer(None, 2, "Invalid request: request ID must be an integer or a string, params a list.")
        return self._run_method(client, method, [str(item) for item in given], id_, given)

    def _run_method(self, client: StreamClient, method: str, names: list[str], id_: Any, given: list[Any]) -> Mapping[str, Any]:
        if method == "SUBSCRIBE":
            if len(client.names) + len(names) > MOST_STREAMS:
                return _error_answer(id_, 4, f"Too many streams: {MOST_STREAMS} is the most for one connection.")
            self.subscribe(client, names)
        elif method == "UNSUBSCRIBE":
            self.unsubscribe(client, names)
        elif method == "LIST_SUBSCRIPTIONS":
            return {"result": list(client.names), "id": id_}
        elif method == "SET_PROPERTY" and given[:1] == ["combined"] and isinstance(given[-1], bool):
            client.combined = given[-1]
        else:
            return _error_answer(id_, 2, f"Invalid request: unknown method {method!r}.")
        return {"result": None, "id": id_}


def _error_answer(id_: Any, code: int, message: str) -> Mapping[str, Any]:
    return {"error": {"code": code, "msg": message}, "id": id_}
