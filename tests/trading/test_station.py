"""A stream worker in this process, on the sandbox exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from market.sandbox.server import running_sandbox
from tests.chaos.desk import scenario, wallet
from trading.live.station import Station
from trading.live.worker import StreamWorker

PATIENCE = 30.0


async def come(worker: StreamWorker, wanted: Callable[[Station], bool]) -> Station:
    """The station that is wanted, once it is there."""
    async with asyncio.timeout(PATIENCE):
        while True:
            for station in worker.stations.values():
                if wanted(station):
                    return station
            await asyncio.sleep(0.05)


def is_live(station: Station) -> bool:
    return station.key == "binance-sandbox" and station.state == "live"


@pytest.mark.django_db(transaction=True)
def test_a_stream_whose_task_ends_is_opened_anew(settings: Any) -> None:
    settings.WATCHLIST = {"binance-sandbox": ["BTC-USDT"]}

    async def opened_twice() -> bool:
        worker = StreamWorker(warm=True)
        running = asyncio.create_task(worker.run())
        try:
            first = await come(worker, is_live)
            first.tasks[0].cancel()
            second = await come(worker, lambda station: station is not first and is_live(station))
            return first.stopped and not second.died()
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    with running_sandbox(scenario(1)) as sandbox:
        wallet(sandbox, "binance")
        assert asyncio.run(opened_twice())
