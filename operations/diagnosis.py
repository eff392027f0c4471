"""What `manage.py doctor` looks at: each part of a desk, and what to do about its faults."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from core.venues import venue_key
from market.clocks import MOST_APART, clocks_get
from market.selectors import list_streams, stream_json
from operations import state
from operations.embedded.layout import VarFolder
from operations.embedded.lock import is_held
from operations.embedded.preparation import find_newer_migration, static_files_changed
from operations.state import HealthCheck
from operations.surroundings import check_pooler, check_redis
from wallets import selectors

CLOCK_SECONDS = 2.0
CHANNEL_SECONDS = 3.0


def run_checks() -> list[HealthCheck]:
    """All checks, the foundation first. Checks of what stands on something that is down are left out."""
    found = [*check_desk(), state.check_database()]
    if found[-1].state == "up":
        found += [check_schema(), check_clock(), state.check_beat()]
        found += [check_secrets(), check_books(), *check_streams(), *state.check_sandbox()] if found[-3].state == "up" else []
        found.append(check_pooler())
    broker = state.broker_and_workers()
    found += broker
    if broker[0].state == "up":
        found += [channel_layer(), *check_redis()]
    return [*found, static_files(), check_disk()]


def check_desk() -> list[HealthCheck]:
    """Whether a desk is open on the embedded services. Nothing if the operator runs the processes one by one."""
    layout = VarFolder(settings.VAR)
    if layout.database_url != settings.DATABASE_URL:
        return []
    if is_held(layout.run / "desk.lock"):
        return [HealthCheck("Desk", "up", f"Open on {layout.var}")]
    return [HealthCheck("Desk", "down", f"None is open on {layout.var}", "Open it with `make run`.")]


def check_schema() -> HealthCheck:
    if newer := find_newer_migration():
        return HealthCheck("Schema", "down", f"This build does not know the migration {newer}", "Update Quarterdeck.")
    executor = MigrationExecutor(connection)
    if waiting := executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return HealthCheck(
            "Schema", "down", f"{len(waiting)} migrations are not applied", "Restart the desk, or run `manage.py migrate`."
        )
    return HealthCheck("Schema", "up", "All migrations are applied")


def check_clock() -> HealthCheck:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        apart = abs((cursor.fetchone()[0] - datetime.now(UTC)).total_seconds())
    if apart > CLOCK_SECONDS:
        remedy = "Set both machines by a time server (NTP): exchanges refuse orders that are stamped wrongly."
        return HealthCheck("Clock", "down", f"{apart:.1f} s apart from the database's", remedy)
    return HealthCheck("Clock", "up", f"Agrees with the database's to {apart * 1000:.0f} ms")


def check_secrets() -> HealthCheck:
    if faults := selectors.secret_faults():
        return HealthCheck(
            "Exchange keys", "down", f"Cannot be opened: {', '.join(faults)}", " ".join(dict.fromkeys(faults.values()))
        )
    return HealthCheck("Exchange keys", "up", "Every stored secret opens")


def check_books() -> HealthCheck:
    if wrong := selectors.balance_check():
        named = ", ".join(f"{item.asset} of {item.wallet}" for item in wrong[:5])
        remedy = "Stop the bots of these wallets. The entries are the record: something other than the desk wrote to the balances."
        return HealthCheck("Books", "down", f"{len(wrong)} balances are not the sums of their entries: {named}", remedy)
    return HealthCheck("Books", "up", "Balances are the sums of their entries")


def check_streams() -> list[HealthCheck]:
    """Each venue's sockets that somebody wants, and its clock where a stream worker has measured it lately."""
    known = [one for one in map(stream_json, list_streams()) if one["wanted"]]
    offsets = clocks_get(venue_key(one["venue"], one["environment"]) for one in known)
    return [check_stream(one) for one in known] + [venue_clock(*item) for item in sorted(offsets.items())]


def check_stream(told: dict[str, Any]) -> HealthCheck:
    state, heard = told["state"], told["last_message_age_s"]
    last = "nothing heard yet" if heard is None else f"last message {heard:.0f} s ago"
    detail = f"{venue_key(told['venue'], told['environment'])}: {state}, {last}"
    if state in ("live", "paused"):
        return HealthCheck("Stream", "up", detail)
    if state == "stopped":
        return HealthCheck("Stream", "down", detail, "No stream worker holds it. Start one: `manage.py stream`, or open the desk.")
    remedy = "It is tried again without end. Look whether the venue can be reached from here."
    return HealthCheck("Stream", "down" if state == "stale" else "unknown", f"{detail}. {told['detail']}", remedy)


def venue_clock(key: str, offset: float) -> HealthCheck:
    if abs(offset) > MOST_APART:
        remedy = "Set this machine by a time server (NTP): the venue refuses orders that are stamped wrongly."
        detail = f"{key}: {abs(offset):.1f} s {'ahead of' if offset > 0 else 'behind'} ours"
        return HealthCheck("Venue clock", "down", detail, remedy)
    return HealthCheck("Venue clock", "up", f"{key}: agrees with ours to {abs(offset) * 1000:.0f} ms")


def channel_layer() -> HealthCheck:
    try:
        async_to_sync(through_the_layer)()
    except (RedisError, TimeoutError, OSError) as error:
        remedy = "Pages fall back on asking. Look into the broker's log, and whether it has room for more connections."
        return HealthCheck("Channel layer", "down", f"A message did not come through ({type(error).__name__})", remedy)
    return HealthCheck("Channel layer", "up", "Messages come through")


async def through_the_layer() -> None:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    try:
        await layer.send(channel, {"type": "doctor"})
        await asyncio.wait_for(layer.receive(channel), CHANNEL_SECONDS)
    finally:
        await layer.flush()


def static_files() -> HealthCheck:
    if static_files_changed():
        return HealthCheck(
            "Static files", "down", "Missing or older than their sources", "Restart the desk, or run `manage.py collectstatic`."
        )
    return HealthCheck("Static files", "up", "Collected")


def check_disk() -> HealthCheck:
    room = state.disk_room()
    detail = f"{room['free'] / 1e9:.1f} of {room['total'] / 1e9:.1f} GB free"
    if room["low"]:
        return HealthCheck("Disk", "down", detail, f"Make room where {room['folder']} is, or move it ({room['variable']}).")
    return HealthCheck("Disk", "up", detail)
