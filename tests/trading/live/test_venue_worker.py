"""A stream worker in this process, on the sandbox exchange."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from market.sandbox.server import RunningSandbox
from tests.chaos.desk import wallet
from tests.trading.working import sandbox, until, working
from trading.live.venue_worker import VenueWorker
from trading.live.worker import StreamWorker

__all__ = ["sandbox"]
PATIENCE = 30.0


def live(worker: StreamWorker) -> VenueWorker | None:
    return next((one for one in worker.venues.values() if one.key == "binance-sandbox" and one.market.state == "live"), None)


@pytest.mark.django_db(transaction=True)
def test_a_stream_whose_task_ends_is_opened_anew(sandbox: RunningSandbox, settings: Any) -> None:
    settings.WATCHLIST = {"binance-sandbox": ["BTC-USDT"]}
    wallet(sandbox, "binance")

    async def opened_twice() -> None:
        async with working(sandbox) as worker:
            await until(lambda: live(worker) is not None, PATIENCE)
            first = live(worker)
            assert first is not None
            first.tasks[0].cancel()
            await until(lambda: live(worker) not in (None, first), PATIENCE)
            second = live(worker)
            assert second is not None
            assert first.host.stopped
            assert not second.has_died()

    asyncio.run(opened_twice())
