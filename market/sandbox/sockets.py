"""The WebSockets of clients. The exchange's callbacks send frames through the faults that are in force, and never wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Iterable

from aiohttp import WSMsgType, web

from market.sandbox.faults import FaultRule, FaultScript
from market.sandbox.strange import spoil_text, strange_frame
from market.sandbox.wording import reword_text

MOST_WAITING = 20_000
"""Frames that may wait for a client. One that falls further behind is cut off, as venues do."""
READ_LIMIT = 1 << 20


class ClientSockets:
    """All open sockets of a sandbox."""

    def __init__(self, faults: FaultScript) -> None:
        self.faults = faults
        self.open: set[ClientSocket] = set()

    def strike(self, rule: FaultRule) -> None:
        """Drops or closes the sockets that the rule matches."""
        for socket in [socket for socket in self.open if socket.matches(rule)]:
            socket.strike(rule)

    def close(self) -> None:
        for socket in list(self.open):
            socket.abort()


SOCKETS: web.AppKey[ClientSockets] = web.AppKey("sockets", ClientSockets)


async def accept_socket(request: web.Request, stream: str) -> ClientSocket:
    """Opens the socket that a request asks for. `stream` is its path as faults name it: `ws/btcusdt@trade`, `coinbase/ws`."""
    sockets = request.app[SOCKETS]
    response = web.WebSocketResponse(max_msg_size=READ_LIMIT, compress=False)
    await response.prepare(request)
    return ClientSocket(sockets, request, response, stream)


class ClientSocket:
    """One client's socket. Iterating over it gives the texts that the client sends, until the client is gone."""

    def __init__(self, sockets: ClientSockets, request: web.Request, response: web.WebSocketResponse, stream: str) -> None:
        self.response, self.stream = response, stream
        self.venue = "coinbase" if stream.startswith("coinbase") else "binance"
        self._sockets, self._transport = sockets, request.transport
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self._held_back: list[str] = []
        self._channels: set[str] = set()
        self._close_code: int | None = None
        self._writer = asyncio.get_running_loop().create_task(self._write())
        sockets.open.add(self)

    @property
    def is_closed(self) -> bool:
        return self.response.closed or self not in self._sockets.open

    def send(self, frame: str, channel: str = "") -> None:
        """Queues a frame as far as the faults let it pass."""
        self._channels.add(channel)
        rules = self._sockets.faults.match_frame(self.venue, self.stream, channel)
        if not rules:
            self._put(frame)
            while self._held_back:
                self._put(self._held_back.pop(0))
            return
        for rule in rules:
            if rule.fault in ("drop", "close"):
                self.strike(rule)
                return
        frame = _reword_frame(frame, rules)
        faults = {rule.fault for rule in rules}
        if faults & {"gap", "stall"}:
            return
        if "strange" in faults:
            self._put(strange_frame(frame))
            frame = spoil_text(frame)
        if "malformed" in faults:
            frame = frame[: len(frame) // 2]
        if "reorder" in faults:
            self._held_back.append(frame)
            return
        self._put(frame)
        if "duplicate" in faults:
            self._put(frame)

    def strike(self, rule: FaultRule) -> None:
        if rule.fault == "close":
            self.close(int(rule.options.get("code", 1001)))
        else:
            self.abort()

    def matches(self, rule: FaultRule) -> bool:
        return rule.path == "*" and rule.matches(self.venue, (self.stream, *self._channels), rule.stream)

    def close(self, code: int) -> None:
        """Closes with this code once the queued frames are sent."""
        self._close_code = code
        self._wake.set()

    def abort(self) -> None:
        """Cuts the connection off without a closing frame."""
        self._sockets.open.discard(self)
        self._writer.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            async for message in self.response:
                if message.type == WSMsgType.TEXT:
                    yield message.data
        finally:
            self._sockets.open.discard(self)
            self._writer.cancel()

    def _put(self, frame: str) -> None:
        self._waiting.append(frame)
        if len(self._waiting) > MOST_WAITING:
            self.abort()
        self._wake.set()

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            while self._close_code is None:
                await self._wake.wait()
                self._wake.clear()
                while self._waiting:
                    await self.response.send_str(self._waiting.popleft())
            await self.response.close(code=self._close_code)


def _reword_frame(frame: str, rules: Iterable[FaultRule]) -> str:
    for rule in rules:
        if rule.fault == "say":
            frame = reword_text(frame, rule.options["set"]).decode()
    return frame
