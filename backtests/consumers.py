"""Live progress of runs and sweeps, as workers push it, in the form of message that every socket carries."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async

from backtests.models import ENDED
from backtests.selectors import run_get, run_progress
from backtests.services import PUSH_GROUP
from backtests.sweeps.selectors import sweep_get, sweep_progress
from core.errors import NotFound
from core.hub import Hub
from core.sockets import UNKNOWN, Refusal, Socket, socket_message


class BacktestsHub(Hub):
    """Hears every run and sweep once for this process; each client takes what it is there for."""

    group = PUSH_GROUP

    async def on_push(self, kind: str, payload: dict[str, Any]) -> None:
        for client in self.clients:
            client.take_push(kind, payload)


class RunsConsumer(Socket):
    """`ws/backtests/`: progress and ends of all runs. A push may be lost; what is true stands at GET backtests."""

    channel = "backtests"
    id_field = "run_id"
    wanted_id = ""
    """The one run or sweep that the client listens to; empty: all runs."""
    seq = 0

    async def begin(self) -> list[str]:
        await BacktestsHub.here().join(self)
        return []

    def end(self) -> None:
        BacktestsHub.here().leave(self)

    def take_push(self, kind: str, payload: dict[str, Any]) -> None:
        about = payload.get(self.id_field)
        if about and self.wanted_id in ("", about):
            self.outbox.put(self.next_message(kind, payload))

    def next_message(self, kind: str, payload: dict[str, Any]) -> str:
        """Messages are numbered for each client by itself, from 1."""
        self.seq += 1
        return socket_message(kind, payload, seq=self.seq, correlation_id=payload[self.id_field])


class RunConsumer(RunsConsumer):
    """`ws/backtests/<run_id>/`: the present state first, then `run_progress` and `run_finished` of this run."""

    kind = "run"

    async def begin(self) -> list[str]:
        self.wanted_id = self.scope["url_route"]["kwargs"][self.id_field]
        self.seq = 1  # of the state; pushes that come while it is read stand behind it
        # Read after joining: a change in between is sent twice rather than not at all.
        await super().begin()
        try:
            state: dict[str, Any] = await database_sync_to_async(self.read_state)()
        except NotFound:
            raise Refusal(UNKNOWN) from None
        word = "finished" if state["status"] in ENDED else "progress"
        return [socket_message(f"{self.kind}_{word}", state, seq=1, correlation_id=state[self.id_field])]

    def read_state(self) -> dict[str, Any]:
        """As the API gives it; `NotFound`."""
        return run_progress(run_get(self.wanted_id))


class SweepConsumer(RunConsumer):
    """`ws/sweeps/<sweep_id>/`: the present state first, then `sweep_progress` and `sweep_finished` of this sweep."""

    id_field, kind = "sweep_id", "sweep"

    def read_state(self) -> dict[str, Any]:
        return sweep_progress(sweep_get(self.wanted_id))
