"""Live progress: what workers push, in the form of message that API.md gives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer

from backtests import selectors
from backtests.models import ENDED
from backtests.services import LIST_GROUP
from core.errors import NotFound
from core.text import utc_text

SIGN_IN, UNKNOWN = 4401, 4404
"""Close codes: not signed in, no such run or sweep."""


class RunsConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """`ws/backtests/`: progress and ends of all runs. A push may be lost; what is true stands at GET backtests."""

    group = LIST_GROUP
    seq = 0

    async def connect(self) -> None:
        # Accepted first: a socket that is refused before cannot say why.
        await self.accept()
        if not self.scope["user"].is_authenticated:
            await self.close(code=SIGN_IN)
            return
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.begin()

    async def begin(self) -> None:
        """What a new listener is told first."""

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def pushed(self, event: dict[str, Any]) -> None:
        await self.tell(event["kind"], event["payload"])

    async def tell(self, kind: str, payload: dict[str, Any]) -> None:
        self.seq += 1
        now = utc_text(datetime.now(UTC))
        about = payload.get("run_id") or payload.get("sweep_id")
        await self.send_json({"type": kind, "seq": self.seq, "ts": now, "correlation_id": about, "payload": payload})

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        """Nothing is asked over this socket."""


class RunConsumer(RunsConsumer):
    """`ws/backtests/<run_id>/`: the present state first, then `run_progress` and `run_finished` of this run."""

    async def connect(self) -> None:
        self.run_id = self.scope["url_route"]["kwargs"]["run_id"]
        self.group = f"backtest.{self.run_id}"
        await super().connect()

    async def begin(self) -> None:
        # After joining the group: a change in between is told twice rather than not at all.
        try:
            run = await database_sync_to_async(selectors.run_get)(self.run_id)
        except NotFound:
            await self.close(code=UNKNOWN)
            return
        await self.tell("run_finished" if run.status in ENDED else "run_progress", selectors.run_progress(run))
