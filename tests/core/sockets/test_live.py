"""`/ws/live/`: every event once, in order, whatever breaks."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.db import transaction
from django.utils import timezone
from redis import Redis

from core import events
from core.broker import Pause, broker_address
from core.events import News, events_record
from core.models import Event
from core.push import push_message
from core.sockets import SLOW, UNUSABLE
from tests.core.sockets.clients import Client
from tests.trading.live.fixtures import Rows
from trading.consumers import REPLAYED, LiveConsumer, LiveHub

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.services]
Headers = list[tuple[bytes, bytes]]
LIVE = "/ws/live/"


def record(count: int = 1) -> list[int]:
    with transaction.atomic():
        return [event.pk for event in events_record([News("fill", "test", {"symbol": "BTC-USDT"}, "abc")] * count)]


def record_unheard(count: int = 1) -> list[int]:
    """Rows of whose push nobody hears: the broker is away."""
    Pause.until = time.monotonic() + 60
    try:
        return record(count)
    finally:
        Pause.until = 0.0


def roll_back() -> None:
    """Takes numbers that no event will ever have."""
    with transaction.atomic():
        events_record([News("fill", "test")])
        transaction.set_rollback(True)


async def do(work: Any, *arguments: Any) -> Any:
    return await database_sync_to_async(work)(*arguments)


async def test_a_newcomer_is_told_where_to_go_on_from_and_then_everything(headers: Headers) -> None:
    (old,) = await do(record)
    async with Client(LIVE, headers) as client:
        hello = (await client.until_heard())[0]
        assert (hello["type"], hello["seq"]) == ("hello", old)
        (new,) = await do(record)
        told = (await client.until_heard(2))[1]
        assert told == await do(lambda: events.event_message(Event.objects.get(pk=new)))
        assert set(told) == {"type", "seq", "ts", "correlation_id", "payload"}
        assert (told["type"], told["correlation_id"], told["payload"]) == ("fill", "abc", {"symbol": "BTC-USDT", "run_id": None})


async def test_what_is_no_event_is_passed_on_without_a_number(headers: Headers) -> None:
    async with Client(LIVE, headers) as client:
        await client.until_heard()
        sent = {"type": "bot_metrics", "seq": None, "ts": "2026-01-01T00:00:00Z", "correlation_id": None, "payload": {"pnl": "1"}}
        await do(lambda: push_message("live", "bot_metrics", **sent))
        assert (await client.until_heard(2))[1] == sent


async def test_after_a_break_it_goes_on_where_it_was(headers: Headers) -> None:
    ids = await do(record, 5)
    async with Client(f"{LIVE}?since={ids[1]}", headers) as client:
        await client.until_heard(3)
        ids += await do(record)
        await client.until_heard(4)
        assert client.seqs == ids[2:]


@pytest.mark.parametrize("since", ["0", str(10**17)])
async def test_who_missed_too_much_or_names_a_number_to_come_loads_afresh(headers: Headers, since: str) -> None:
    ids = await do(record, REPLAYED + 1)
    async with Client(f"{LIVE}?since={since}", headers) as client:
        reset = (await client.until_heard())[0]
        assert (reset["type"], reset["seq"]) == ("reset", ids[-1])
        ids = await do(record)
        await client.until_heard(2)
        assert client.seqs == ids


@pytest.mark.parametrize("since", ["yesterday", "-1", "1" * 40])
async def test_an_address_that_makes_no_sense_is_refused(headers: Headers, since: str) -> None:
    async with Client(f"{LIVE}?since={since}", headers) as client:
        assert await client.until_closed() == UNUSABLE


async def test_a_lost_push_is_made_up_for_by_the_next(headers: Headers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LiveHub, "quiet", 60)
    async with Client(LIVE, headers) as client:
        await client.until_heard()
        ids = await do(record)
        await client.until_heard(2)  # so that we are subscribed
        await do(roll_back)
        ids += await do(record_unheard, 3)
        ids += await do(record, 2)
        await client.until_heard(1 + len(ids))
        assert client.seqs == ids


async def test_a_lost_push_that_no_other_follows_comes_a_little_later(headers: Headers) -> None:
    async with Client(LIVE, headers) as client:
        await client.until_heard()
        ids = await do(record_unheard, 2)
        await client.until_heard(3)
        assert client.seqs == ids


async def test_pushes_that_come_twice_or_late_are_told_once(headers: Headers) -> None:
    async with Client(LIVE, headers) as client:
        await client.until_heard()
        ids = await do(record_unheard, 3)
        rows = await do(lambda: [events.event_message(row) for row in Event.objects.order_by("id")])
        for row in (rows[2], rows[0], rows[1], rows[2]):
            await do(lambda row=row: push_message("live", row["type"], **row))
        ids += await do(record)
        await client.until_heard(5)
        assert client.seqs == ids


async def test_a_broker_that_restarts_costs_no_event(headers: Headers) -> None:
    async with Client(LIVE, headers) as client:
        await client.until_heard()
        ids = await do(record)
        await do(lambda: Redis.from_url(broker_address()).client_kill_filter(_type="pubsub"))
        ids += await do(record, 3)
        await client.until_heard(5)
        ids += await do(record)
        await client.until_heard(6)
        assert client.seqs == ids


async def test_prices_that_stop_and_come_again_are_told_once_each(headers: Headers, rows: Rows) -> None:
    heard = timezone.now()
    await do(rows.stream)
    async with Client(LIVE, headers) as client:
        await client.until_heard()
        await do(lambda: rows.stream(last_message_at=heard - timedelta(minutes=1)))
        told = (await client.until_heard(2))[1]
        at = (heard - timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
        assert (told["type"], told["seq"], told["payload"]) == ("prices", None, {"stale": True, "heard_at": at})
        await do(rows.stream)
        assert (await client.until_heard(3))[2]["payload"] == {"stale": False, "heard_at": None}
        await do(record)
        assert [one["type"] for one in await client.until_heard(4)] == ["hello", "prices", "prices", "fill"]


async def test_a_push_that_cannot_be_read_ends_nothing(headers: Headers) -> None:
    async with Client(LIVE, headers) as client:
        await client.until_heard()
        await do(lambda: push_message("live", "fill", nonsense=True))
        ids = await do(record)
        await client.until_heard(2)
        assert client.seqs == ids


@pytest.mark.parametrize("seed", range(4))
async def test_random_breaks_leave_no_hole_and_no_double(headers: Headers, seed: int) -> None:
    chance = random.Random(seed)
    start = (await do(record))[0]
    written: list[int] = []

    async def write() -> None:
        for _ in range(25):
            work = chance.choice([record, record, record_unheard, roll_back])
            written.extend(await do(work, *([] if work is roll_back else [chance.randint(1, 4)])) or [])

    async def listen() -> list[int]:
        heard = [start]
        while not writing.done() or heard[-1] != written[-1]:
            async with Client(f"{LIVE}?since={heard[-1]}", headers) as client:
                with suppress(TimeoutError):
                    await asyncio.wait_for(client.until_heard(chance.randint(1, 12)), chance.uniform(0, 0.5))
                heard += client.seqs
        return heard

    writing = asyncio.create_task(write())
    heard = await asyncio.gather(*(listen() for _ in range(3)))
    await writing
    assert all(one == [start, *written] for one in heard)


async def test_one_that_stops_reading_is_dropped_and_fifty_others_get_all(
    headers: Headers, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.SOCKETS_PER_TOKEN = 51
    monkeypatch.setattr(LiveConsumer, "most", 20)
    async with AsyncExitStack() as stack:
        stuck = await stack.enter_async_context(Client(LIVE, headers, stuck=True))
        clients = [await stack.enter_async_context(Client(LIVE, headers)) for _ in range(50)]
        for client in clients:
            await client.until_heard()
        ids: list[int] = []
        for _ in range(8):
            ids += await do(record, 5)
            for client in clients:
                await client.until_heard(1 + len(ids))
        assert all(client.seqs == ids for client in clients)
        assert await stuck.until_closed() == SLOW
    assert not LiveHub.here().clients
