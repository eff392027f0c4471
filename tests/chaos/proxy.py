"""A proxy between a child process and its database or Redis, whose connections a test can cut."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.db import connection

from core.broker import broker_address


@dataclass(slots=True)
class Proxy:
    """Serves on 127.0.0.1, at `port`. `target`: a host and a port, or the path of a unix socket."""

    target: tuple[str, int] | str
    port: int = 0
    up: bool = True
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    lines: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> None:
        """Every line is broken off, and new ones at once."""
        self.up = False
        self.loop.call_soon_threadsafe(self.drop)

    def mend(self) -> None:
        self.up = True

    def drop(self) -> None:
        for line in self.lines:
            line.transport.abort()

    async def serve(self) -> asyncio.Server:
        server = await asyncio.start_server(self.join, "127.0.0.1")
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.up:
            writer.transport.abort()
            return
        there = asyncio.open_unix_connection(self.target) if isinstance(self.target, str) else asyncio.open_connection(*self.target)
        back, forth = await there
        ends = {writer, forth}
        self.lines |= ends
        try:
            await asyncio.gather(pour(reader, forth), pour(back, writer))
        finally:
            self.lines -= ends


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    sink.close()


def database() -> tuple[str, int] | str:
    """Where PostgreSQL is."""
    host, port = str(connection.settings_dict["HOST"]), int(connection.settings_dict["PORT"] or 5432)
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host or "127.0.0.1", port)


def redis() -> tuple[str, int] | str:
    parts = urlsplit(broker_address())
    return parts.path if parts.scheme == "unix" else (parts.hostname or "127.0.0.1", parts.port or 6379)


@contextmanager
def proxied(target: tuple[str, int] | str) -> Iterator[Proxy]:
    """On a loop in a thread of its own."""
    proxy = Proxy(target)
    thread = threading.Thread(target=proxy.loop.run_forever, name="proxy", daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(proxy.serve(), proxy.loop).result(10)
    try:
        yield proxy
    finally:
        asyncio.run_coroutine_threadsafe(closed(proxy, server), proxy.loop).result(10)
        proxy.loop.call_soon_threadsafe(proxy.loop.stop)
        thread.join(10)
        proxy.loop.close()


async def closed(proxy: Proxy, server: asyncio.Server) -> None:
    server.close()
    proxy.drop()
    rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    await asyncio.wait(rest, timeout=5) if rest else None
