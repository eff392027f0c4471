"""Whether prices arrive. One rule for the top bar of every page and for what sockets send."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from core.text import utc_text
from core.venues import venue_split
from market.models import VenueStream
from market.selectors import SILENT_AFTER, stream_silent
from trading.models import Bot, Mode
from trading.selectors.status import Feed, streams_by_feed

BRINGING = (VenueStream.State.LIVE, VenueStream.State.POLLING, VenueStream.State.STALE)


@dataclass(frozen=True, slots=True)
class Prices:
    """`stale`: a stream that should bring prices does not. `heard`: when it last did; None where it never has."""

    stale: bool = False
    heard: datetime | None = None

    @property
    def words(self) -> str:
        """For a person; empty while prices come."""
        if not self.stale:
            return ""
        if self.heard is None:
            return "Stale, no prices"
        today = timezone.now() - self.heard < timedelta(hours=12)
        return f"Stale, prices of {self.heard:%H:%M:%S} UTC" if today else f"Stale, prices of {self.heard:%Y-%m-%d}"


def prices_state() -> Prices:
    """By the server's clock alone; two queries. Streams that are paused or switched off do not count unless a bot lives on them."""
    silent = list(silent_streams(timezone.now()))
    if not silent:
        return Prices()
    return Prices(True, None if None in silent else min(filter(None, silent)))


def silent_streams(now: datetime) -> Iterator[datetime | None]:
    """For each stream that should bring prices and does not, the time of its last message."""
    streams, needed = streams_by_feed(), feeds_needed(now)
    yield from (None for _ in needed - streams.keys())
    for feed, stream in streams.items():
        if (feed in needed or (stream.wanted and stream.state in BRINGING)) and stream_silent(stream, now):
            yield stream.last_message_at


def feeds_needed(now: datetime) -> set[Feed]:
    """Those that bots live on. A bot that has just been started is given the time that its stream takes to come."""
    bots = Bot.objects.filter(archived_at=None, run__ended_at=None, run__started_at__lt=now - timedelta(seconds=SILENT_AFTER))
    return {venue_split(venue) for venue in bots.exclude(mode=Mode.REPLAY).order_by().values_list("venue", flat=True).distinct()}


def prices_json(prices: Prices) -> dict[str, str | bool | None]:
    return {"stale": prices.stale, "heard_at": utc_text(prices.heard)}
