"""Fan-out to WebSocket clients: `python -m benchmarks.sockets [clients] [events a second]`.

A desk of its own, clients in this process, and a third process that records events as the order path does: in a transaction, and
pushed on commit. Each event carries the time before its transaction: a delay is from there to the client's receipt. One more client
never reads.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.api import ROOT, BenchDesk
from benchmarks.report import format_table

CLIENTS, RATE, SECONDS = 500, 5, 20
PADDING = "x" * 200


def write(count: int, rate: float) -> None:
    """The third process: `count` events at a rate."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from operations.embedded import services_for_command

    with services_for_command(["stream"]):
        import django

        django.setup()
        from django.db import transaction

        from core.events import News, events_record

        began = time.time() + 1.0
        for number in range(count):
            time.sleep(max(0.0, began + number / rate - time.time()))
            with transaction.atomic():
                events_record([News("fill", "bench", {"sent": time.time(), "number": number, "padding": PADDING})])


class Listener:
    """One client: the text of each message and when it came; read later, so that reading costs the measurement nothing."""

    def __init__(self) -> None:
        self.got: list[tuple[float, str]] = []

    async def listen(self, session: aiohttp.ClientSession, url: str, ready: asyncio.Semaphore, count: int) -> None:
        async with session.ws_connect(url, compress=0) as channel:
            await channel.receive()  # hello
            ready.release()
            while len(self.got) < count:
                message = await channel.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                self.got.append((time.time(), message.data))

    def delays(self) -> dict[int, float]:
        """By the event's number, in ms."""
        payloads = ((moment, json.loads(text)["payload"]) for moment, text in self.got)
        return {payload["number"]: (moment - payload["sent"]) * 1e3 for moment, payload in payloads if "number" in payload}


def never_reads(port: int, token: str) -> socket.socket:
    """A client with a small buffer that sends its handshake, and never reads."""
    channel = socket.socket()
    channel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    channel.connect(("127.0.0.1", port))
    lines = ["GET /ws/live/ HTTP/1.1", "Host: 127.0.0.1", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", f"Authorization: Bearer {token}", "", ""]
    channel.sendall("\r\n".join(lines).encode())
    return channel


async def fan_out(desk: BenchDesk, clients: int, rate: float, count: int) -> list[Listener]:
    listeners, ready = [Listener() for _ in range(clients)], asyncio.Semaphore(0)
    headers = {"Authorization": f"Bearer {desk.token}"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:
        url = f"ws://127.0.0.1:{desk.port}/ws/live/"
        tasks = [asyncio.create_task(one.listen(session, url, ready, count)) for one in listeners]
        for _ in listeners:
            await asyncio.wait_for(ready.acquire(), 120)
        with never_reads(desk.port, desk.token):
            writer = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "benchmarks.sockets", "write", str(count), str(rate)), cwd=ROOT, env=desk.environment
            )
            await asyncio.wait(tasks, timeout=count / rate + 60)
            await writer.wait()
        for task in tasks:
            task.cancel()
    return listeners


def figures(listeners: list[Listener], count: int) -> list[list[Any]]:
    delays = [one.delays() for one in listeners]
    every = sorted(delay for one in delays for delay in one.values())
    last = sorted(max(one.get(number, float("inf")) for one in delays) for number in range(count))
    lost = count * len(listeners) - len(every)

    def quantile(values: list[float], share: float) -> str:
        return f"{values[min(len(values) - 1, int(share * len(values)))]:.0f} ms"

    return [
        ["to a client, median", f"{statistics.median(every):.0f} ms"],
        ["to a client, p99", quantile(every, 0.99)],
        ["to the last client, median", quantile(last, 0.5)],
        ["to the last client, p99", quantile(last, 0.99)],
        ["events lost", f"{lost:,} of {count * len(listeners):,}"],
    ]


def report(clients: int, rate: float) -> str:
    count = int(rate * SECONDS)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        desk = BenchDesk(Path(folder) / "var", SOCKETS_PER_TOKEN=str(clients + 1))
        desk.start()
        try:
            desk.token = desk.command("create_api_token", "bench", "--scopes", "read")["token"]
            rows = figures(asyncio.run(fan_out(desk, clients, rate, count)), count)
        finally:
            desk.stop()
    return format_table([f"{count} events at {rate:g} a second, {clients} clients and one that never reads", "delay"], rows)


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["write"]:
        write(int(given[1]), float(given[2]))
    else:
        print(report(int(given[0]) if given else CLIENTS, float(given[1]) if len(given) > 1 else RATE))
