"""What a bot does at this moment, computed from what happened: never from a column that says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.venues import venue_split
from engine.types import INTERVALS
from market.models import VenueStream
from market.selectors import stream_state
from trading.models import Bot, BotRun, DesiredStatus, KillSwitch, Mode
from trading.selectors.remainders import remainder_words

STATUSES = ("stopped", "stopping", "starting", "running", "paused", "closing", "holding", "failed", "lost")
GRACE = timedelta(seconds=60)
"""How late an evaluation may be, and how long a start may take, before something must be wrong."""

Feed = tuple[str, str]
"""(venue, environment)"""
Streams = Mapping[Feed, VenueStream]


@dataclass(frozen=True, slots=True)
class BotStatus:
    """`word` is one of STATUSES; `why` says in a sentence what is behind it, empty where there is nothing to say."""

    word: str
    why: str = ""


def streams_by_feed() -> dict[Feed, VenueStream]:
    return {(stream.venue, stream.environment): stream for stream in VenueStream.objects.all()}


def feed_of(bot: Bot) -> Feed:
    """Whose prices the bot lives on. A replay has its own: what it holds has no price of today."""
    return (bot.venue, f"replay.{bot.bot_id}") if bot.mode == Mode.REPLAY else venue_split(bot.venue)


def bot_status(bot: Bot, *, streams: Streams, switch: KillSwitch, now: datetime, compiling: str = "") -> BotStatus:
    """`bot` with its run, wallet and account loaded. `compiling`: what is told while bots wait for the engine."""
    run = bot.run
    if run is not None and run.ended_at and (run.error or run.end_reason == "failed"):
        return BotStatus(
            "failed", run.error.strip().splitlines()[-1] if run.error.strip() else "It ended by a fault that it did not name."
        )
    if run is None or run.ended_at:
        return BotStatus("stopped", ended_why(bot, run))
    if bot.wanted == DesiredStatus.STOPPED:
        return BotStatus("stopping", "Its open orders are being cancelled and its run ended.")
    if compiling and run.evaluated_at is None:
        return BotStatus("starting", compiling)
    stream = streams.get(feed_of(bot))
    unattended = "" if bot.mode == Mode.REPLAY else unattended_why(bot, stream, now)
    if run.evaluated_at is None and now - run.started_at <= GRACE and not run.held_reason:
        return BotStatus("starting", "It waits for a stream worker." if run.history_from is None else "It has its candles.")
    if lost := unattended or overdue_why(bot, run, now):
        return BotStatus("lost", lost)
    if held := stream_why(bot, stream, now) or run.held_reason or switch_why(switch):
        return BotStatus("holding", held)
    if bot.wanted == DesiredStatus.CLOSING:
        return BotStatus("closing", "It sells what it holds, then stops.")
    if bot.wanted == DesiredStatus.PAUSED:
        return BotStatus("paused", "No entries; exits go on.")
    return BotStatus(
        "running", "" if run.evaluated_at else f"It decides for the first time when a candle of {bot.interval} closes."
    )


def ended_why(bot: Bot, run: BotRun | None) -> str:
    if run is None:
        return "It waits for a stream worker." if bot.wanted != DesiredStatus.STOPPED else "It was never started."
    if run.end_reason == "finished":
        return "The replay is at its end."
    if bot.wanted != DesiredStatus.STOPPED:
        return f"Its run ended: {run.end_reason or 'no reason was given'}."
    return remainder_words(run.left)


def unattended_why(bot: Bot, stream: VenueStream | None, now: datetime) -> str:
    """Whether a stream worker holds the prices that the bot lives on."""
    if stream is None:
        return f"There is no stream of {bot.venue} yet. Start a stream worker: manage.py stream."
    if stream.wanted and (stream.held_until is None or stream.held_until < now):
        return f"No stream worker holds {bot.venue}. Start one: manage.py stream."
    return ""


def overdue_why(bot: Bot, run: BotRun, now: datetime) -> str:
    """Why a decision is overdue, empty where none is. It waits for two candles, as one may be missing where nobody trades."""
    pace = timedelta(milliseconds=INTERVALS[bot.interval])
    if bot.mode == Mode.REPLAY:
        if bot.wanted == DesiredStatus.PAUSED:
            return ""
        speed = float(bot.replay.get("speed") or 0)
        pace = pace / speed if speed else timedelta(0)
    if now - (run.evaluated_at or run.started_at) <= 2 * pace + GRACE:
        return ""
    if run.evaluated_at is None:
        return "It was started and never evaluated."
    return f"It has not been evaluated since {run.evaluated_at:%Y-%m-%d %H:%M:%S} UTC."


def switch_why(switch: KillSwitch) -> str:
    return f"Killed by {switch.changed_by or 'nobody known'}: no order is sent." if switch.killed else ""


def stream_why(bot: Bot, stream: VenueStream | None, now: datetime) -> str:
    """Whether its prices are such that it may decide, as of now: a stream that has fallen silent does not say so itself. A replay
    has no stream."""
    if stream is None:
        return ""
    if not stream.wanted:
        return f"The stream of {bot.venue} is switched off."
    said = {
        VenueStream.State.STALE: f"No prices of {bot.venue} {since_words(stream.last_message_at, now)}.",
        VenueStream.State.CONNECTING: f"The stream of {bot.venue} is connecting.",
        VenueStream.State.STOPPED: f"The stream of {bot.venue} is stopped.",
    }.get(VenueStream.State(stream_state(stream, now)), "")
    return f"{said} {stream.detail}".strip() if said else ""


def since_words(moment: datetime | None, now: datetime) -> str:
    if moment is None:
        return "yet"
    return f"since {moment:%H:%M:%S} UTC" if now - moment < timedelta(hours=12) else f"since {moment:%Y-%m-%d %H:%M} UTC"
