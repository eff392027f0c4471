"""What a page receives about a run or a sweep over its WebSocket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser, User
from prometheus_client import REGISTRY

from backtests import services
from backtests.sweeps import services as sweeps
from backtests.urls import websocket_urlpatterns
from core.sockets import Socket
from tests.backtests.fixtures import CONFIG

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
GRID = {**CONFIG, "params": {"slow": 20}, "space": {"fast": "5,6,7"}}


def socket(path: str, user: Any) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)
    communicator.scope["user"] = user
    return communicator


@database_sync_to_async  # type: ignore[untyped-decorator]
def create() -> str:
    return services.run_create(config=CONFIG).run_id


@database_sync_to_async  # type: ignore[untyped-decorator]
def execute(run_id: str) -> None:
    services.run_execute(run_id=run_id)


@database_sync_to_async  # type: ignore[untyped-decorator]
def create_sweep() -> str:
    return sweeps.sweep_create(config=GRID).sweep_id


@database_sync_to_async  # type: ignore[untyped-decorator]
def run_sweep(sweep_id: str) -> None:
    sweeps.sweep_run(sweep_id=sweep_id)


@database_sync_to_async  # type: ignore[untyped-decorator]
def somebody() -> User:
    return User.objects.create(username="ada")


def count_messages(direction: str) -> float:
    return REGISTRY.get_sample_value("websocket_messages_total", {"channel": "backtests", "direction": direction}) or 0.0


async def until(listener: WebsocketCommunicator, kind: str) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    while not messages or messages[-1]["type"] != kind:
        messages.append(await listener.receive_json_from(timeout=10))
    return messages


async def test_a_run_is_followed_to_its_end(hold: Any) -> None:
    await database_sync_to_async(hold)()
    user, run_id = await somebody(), await create()
    one, every = socket(f"/ws/backtests/{run_id}/", user), socket("/ws/backtests/", user)
    assert (await one.connect())[0]
    assert (await every.connect())[0]
    first = await one.receive_json_from(timeout=10)
    assert set(first) == {"type", "seq", "ts", "correlation_id", "payload"}
    assert (first["type"], first["seq"], first["correlation_id"]) == ("run_progress", 1, run_id)
    assert first["payload"]["status"] == "queued"
    await execute(run_id)
    heard = await until(one, "run_finished")
    assert heard[-1]["payload"]["status"] == "completed"
    assert [message["seq"] for message in heard] == list(range(2, len(heard) + 2))
    assert (await until(every, "run_finished"))[-1]["payload"]["run_id"] == run_id
    await asyncio.gather(one.disconnect(), every.disconnect())


async def test_a_process_hears_each_push_once_for_all_who_listen(hold: Any) -> None:
    await database_sync_to_async(hold)()
    user, run_id = await somebody(), await create()
    every = [socket("/ws/backtests/", user) for _ in range(3)]
    for listener in every:
        assert (await listener.connect())[0]
    before = count_messages("in"), count_messages("out")
    await execute(run_id)
    told = [[message["type"] for message in await until(listener, "run_finished")] for listener in every]
    assert told[0] == told[1] == told[2]
    await asyncio.gather(*(listener.disconnect() for listener in every))
    assert count_messages("in") - before[0] == len(told[0])
    assert count_messages("out") - before[1] == 3 * len(told[0])


@pytest.mark.parametrize("path", ["/ws/backtests/", "/ws/sweeps/{}/"])
async def test_who_may_not_listen_any_more_is_sent_away(path: str, monkeypatch: pytest.MonkeyPatch, hold: Any) -> None:
    await database_sync_to_async(hold)()
    monkeypatch.setattr(Socket, "asked_again", 0.1)
    listener = socket(path.format(await create_sweep()), await somebody())  # signed in by no session that there is
    await listener.connect()
    closed = await listener.receive_output(timeout=10)
    while closed["type"] != "websocket.close":
        closed = await listener.receive_output(timeout=10)
    assert closed["code"] == 4401
    await listener.disconnect()


async def test_a_run_that_has_ended_says_so_at_once(hold: Any) -> None:
    await database_sync_to_async(hold)()
    user, run_id = await somebody(), await create()
    await execute(run_id)
    listener = socket(f"/ws/backtests/{run_id}/", user)
    await listener.connect()
    state = await listener.receive_json_from(timeout=10)
    assert (state["type"], state["payload"]["share"]) == ("run_finished", 1.0)
    await listener.disconnect()


async def test_a_sweep_is_followed_to_its_end_and_other_sweeps_are_not_heard(hold: Any) -> None:
    await database_sync_to_async(hold)()
    user, sweep_id, other = await somebody(), await create_sweep(), await create_sweep()
    listener = socket(f"/ws/sweeps/{sweep_id}/", user)
    await listener.connect()
    first = await listener.receive_json_from(timeout=10)
    assert (first["type"], first["seq"], first["correlation_id"]) == ("sweep_progress", 1, sweep_id)
    assert (first["payload"]["status"], first["payload"]["trials_done"], first["payload"]["trials_total"]) == ("queued", 0, 3)
    await run_sweep(other)
    await run_sweep(sweep_id)
    heard = await until(listener, "sweep_finished")
    assert {message["payload"]["sweep_id"] for message in heard} == {sweep_id}
    assert [message["seq"] for message in heard] == list(range(2, len(heard) + 2))
    done = [message["payload"]["trials_done"] for message in heard]
    assert done == sorted(done)
    assert (heard[-1]["payload"]["status"], done[-1], heard[-1]["payload"]["share"]) == ("completed", 3, 1.0)
    await listener.disconnect()


async def test_a_sweep_that_has_ended_says_so_at_once_with_its_best(hold: Any) -> None:
    await database_sync_to_async(hold)()
    user, sweep_id = await somebody(), await create_sweep()
    await run_sweep(sweep_id)
    listener = socket(f"/ws/sweeps/{sweep_id}/", user)
    await listener.connect()
    state = await listener.receive_json_from(timeout=10)
    assert (state["type"], state["payload"]["share"]) == ("sweep_finished", 1.0)
    assert set(state["payload"]["best"]["params"]) == {"fast"}
    await listener.disconnect()


@pytest.mark.parametrize("path", ["/ws/backtests/", "/ws/backtests/any/", "/ws/sweeps/any/"])
async def test_nobody_listens_without_signing_in(path: str) -> None:
    listener = socket(path, AnonymousUser())
    await listener.connect()
    closed = await listener.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4401)
    await listener.disconnect()


@pytest.mark.parametrize("path", ["/ws/backtests/nothing/", "/ws/sweeps/nothing/"])
async def test_what_is_unknown_closes_the_socket(path: str) -> None:
    listener = socket(path, await somebody())
    await listener.connect()
    closed = await listener.receive_output(timeout=10)
    assert (closed["type"], closed["code"]) == ("websocket.close", 4404)
    await listener.disconnect()
