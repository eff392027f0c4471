"""A stream worker."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import Any

from django.core.management.base import CommandParser
from prometheus_client import start_http_server

from core.commands import DeskCommand
from trading.live.consumer import serve


class Command(DeskCommand):
    help = "Holds the exchanges' sockets and trades for the running bots. Any number may run: each venue has one holder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--metrics-port", type=int, default=0, help="serve Prometheus metrics on 127.0.0.1 at this port")

    def handle(self, *args: Any, metrics_port: int, **options: Any) -> None:
        if metrics_port:
            start_http_server(metrics_port, addr="127.0.0.1")
        with suppress(KeyboardInterrupt, asyncio.CancelledError):
            asyncio.run(run_until_signal())


async def run_until_signal() -> None:
    """Runs until SIGTERM or Ctrl-C, which end it in order: leases are given back, the next worker finishes what is under way."""
    task = asyncio.ensure_future(serve())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    await task
