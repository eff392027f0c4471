"""The three nodes together: as a part of the sandbox exchange, and alone in a thread for tests."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiohttp import web

from market.sandbox.chains.esplora import EsploraNode
from market.sandbox.chains.evm import EvmNode
from market.sandbox.chains.rpc import ChainNode
from market.sandbox.chains.solana import SolanaNode

HOST = "127.0.0.1"


@dataclass
class Nodes:
    """By the chain's name here. What a test changes, it changes while nobody asks."""

    ethereum: EvmNode = field(default_factory=EvmNode)
    solana: SolanaNode = field(default_factory=SolanaNode)
    bitcoin: EsploraNode = field(default_factory=EsploraNode)
    port: int = 0

    def all(self) -> list[ChainNode]:
        return [self.ethereum, self.solana, self.bitcoin]

    def add_routes(self, app: web.Application) -> None:
        for node in self.all():
            node.add_routes(app)

    def urls(self, port: int = 0) -> dict[str, str]:
        """By the chains' keys."""
        return {f"{node.path.rpartition('/')[2]}-sandbox": f"http://{HOST}:{port or self.port}{node.path}" for node in self.all()}


@contextmanager
def running_nodes(nodes: Nodes | None = None) -> Iterator[Nodes]:
    """These nodes, or fresh ones, on a loop in a thread of its own."""
    nodes, loop = nodes or Nodes(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="chains", daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(start_nodes(nodes), loop).result(10)
    try:
        yield nodes
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def start_nodes(nodes: Nodes) -> web.AppRunner:
    app = web.Application(client_max_size=1 << 22)
    nodes.add_routes(app)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    nodes.port = runner.addresses[0][1]
    return runner
