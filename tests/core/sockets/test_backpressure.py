"""Under Daphne, sending waits for a client that does not read."""

from __future__ import annotations

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.abstract import FileDescriptor
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from config.backpressure import text_frame, with_backpressure

CHUNK = "x" * 10_000


class Wire(FileDescriptor):
    """Twisted's own transport over a wire that takes only what it is told to."""

    connected = 1

    def __init__(self) -> None:
        reactor: Any = SimpleNamespace(addWriter=lambda _: None, removeWriter=lambda _: None, addReader=lambda _: None)
        super().__init__(reactor)
        self.room = 0

    def writeSomeData(self, data: bytes) -> int:
        taken = min(len(data), self.room)
        self.room -= taken
        return taken


async def reply(protocol: Any, message: dict[str, Any]) -> None:
    """As daphne's server: hands it to the connection and never waits."""
    if message["type"] == "websocket.send":
        protocol.transport.write(message["text"].encode())


async def test_a_client_that_does_not_read_holds_up_its_own_sending_only() -> None:
    wire, sent = Wire(), 0

    async def application(scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        for _ in range(20):
            await send({"type": "websocket.send", "text": CHUNK})
            sent += 1
        await send({"type": "websocket.close"})

    async def settled() -> None:
        for _ in range(100):
            await asyncio.sleep(0)

    waiting: Any = with_backpressure(application)({}, None, partial(reply, SimpleNamespace(transport=wire)))
    task: asyncio.Task[None] = asyncio.create_task(waiting)
    await settled()
    assert sent == 6  # the seventh is over 64 KiB
    wire.room = 65_000
    wire.doWrite()  # type: ignore[no-untyped-call]
    await settled()
    assert sent == 6  # it waits until all is out
    wire.room = 10**9
    while not task.done():
        wire.doWrite()  # type: ignore[no-untyped-call]
        await settled()
    assert sent == 20


async def test_under_another_server_nothing_changes() -> None:
    got: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.send", "text": "hello"})

    async def send(message: dict[str, Any]) -> None:
        got.append(message["text"])

    await with_backpressure(application)({}, None, send)
    assert got == ["hello"]


@pytest.mark.parametrize("size", [1, 125, 126, 65_535, 65_536, 100_000])
def test_frames_are_as_a_client_library_reads_them(size: int) -> None:
    text = "é" + "x" * (size - 2) if size > 1 else "x"
    reader = StreamReader()
    reader.feed_data(text_frame(text))
    parsing = Frame.parse(reader.read_exact, mask=False)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    found = parsed.value.value
    assert (found.opcode, found.fin, found.data.decode()) == (Opcode.TEXT, True, text)


class Open:
    """A connection as autobahn keeps it."""

    STATE_OPEN = 3
    _perMessageCompress = None  # noqa: N815 (autobahn names it)

    def __init__(self, wire: Wire, **changed: Any) -> None:
        self.transport, self.state, self.send_queue = wire, 3, list[bytes]()
        vars(self).update(changed)


@pytest.mark.parametrize("changed", [{"state": 1}, {"_perMessageCompress": object()}, {"send_queue": [b"before"]}])
async def test_what_cannot_go_straight_to_the_wire_goes_by_way_of_daphne(changed: dict[str, Any]) -> None:
    by_daphne: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.send", "text": "hello"})

    async def reply(protocol: Any, message: dict[str, Any]) -> None:
        by_daphne.append(message["text"])

    for protocol in (Open(Wire()), Open(Wire(), **changed)):
        await with_backpressure(application)({}, None, partial(reply, protocol))
    assert by_daphne == ["hello"]
