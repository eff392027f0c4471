"""A sandbox whose market only moves when the test moves it, and python-binance pointed at it as its documentation shows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from binance import AsyncClient, BinanceSocketManager
from binance.ws.constants import WSListenerState

from market.sandbox.scenario import Scenario
from market.sandbox.server import RunningSandbox, running_sandbox

START = 1_700_000_000_000


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """A sandbox whose time begins at `START`. Its walk trades about once in 30 years, so that only the test's trades happen."""
    with running_sandbox(Scenario(speed=None, start=START, minutes=120, rate=1e-9)) as running:
        yield running


@pytest.fixture
async def client(sandbox: RunningSandbox) -> AsyncIterator[AsyncClient]:
    at = sandbox.addresses["binance"]

    class Client(AsyncClient):  # type: ignore[misc] # the library is untyped
        API_URL = at["rest"] + "/api"
        MARGIN_API_URL = at["rest"] + "/sapi"
        WS_API_URL = at["ws_api"]

    made = await Client.create(at["api_key"], at["api_secret"])
    yield made
    closing = asyncio.create_task(made.close_connection())
    while made.ws_api.ws_state != WSListenerState.EXITING and not closing.done():  # noqa: ASYNC110 # the library shows it in no other way
        await asyncio.sleep(0)
    # The library's reader wakes up only when something arrives, or after ten seconds. A cut connection counts as something.
    sandbox.fault({"fault": "drop"})
    await closing


@pytest.fixture
def sockets(sandbox: RunningSandbox, client: AsyncClient) -> BinanceSocketManager:
    class Manager(BinanceSocketManager):  # type: ignore[misc]
        STREAM_URL = sandbox.addresses["binance"]["ws"] + "/"

    return Manager(client, max_queue_size=10_000)


@pytest.fixture
def wait_for() -> Callable[[Callable[[], bool]], None]:
    """Waits until a condition holds; fails after ten seconds."""

    def wait(condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, "the condition never held"
            time.sleep(0.01)

    return wait
