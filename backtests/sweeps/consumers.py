"""Live progress of sweeps, in the same form as that of runs."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async

from backtests.consumers import UNKNOWN, RunsConsumer
from backtests.models import ENDED
from backtests.sweeps import selectors
from core.errors import NotFound


class SweepConsumer(RunsConsumer):
    """`ws/sweeps/<sweep_id>/`: the present state first, then `sweep_progress` and `sweep_finished` of this sweep."""

    async def connect(self) -> None:
        self.sweep_id = self.scope["url_route"]["kwargs"]["sweep_id"]
        self.group = f"sweep.{self.sweep_id}"
        await super().connect()

    async def begin(self) -> None:
        # After joining the group: a change in between is told twice rather than not at all.
        try:
            state: dict[str, Any] = await database_sync_to_async(self.state)()
        except NotFound:
            await self.close(code=UNKNOWN)
            return
        await self.tell("sweep_finished" if state["status"] in ENDED else "sweep_progress", state)

    def state(self) -> dict[str, Any]:
        return selectors.sweep_progress(selectors.sweep_get(self.sweep_id))
