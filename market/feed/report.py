"""Tells the caller of a feed how the feed is: its status, and each time in which the venue was not heard as it should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from market.exchanges.base import StreamGap
from market.feed.status import FeedStatus, Incident, Kind, State

OnStatus = Callable[[FeedStatus | Incident], None]


class FeedReport:
    """`now` is the venue's time. `count_all` gives the fields of `FeedStatus` that others count, whenever a status is told;
    `say_more`, from the detail that was told, what a person is to read at that moment."""

    def __init__(
        self,
        venue: str,
        on_status: OnStatus,
        now: Callable[[], datetime],
        count_all: Callable[[], Mapping[str, Any]],
        say_more: Callable[[str], str] = str,
    ) -> None:
        self.now = now
        self.status = FeedStatus(venue, "connecting", now(), ())
        self._on_status, self._count_all, self._say_more = on_status, count_all, say_more
        self._detail = ""
        self._incidents: dict[tuple[Kind, str], Incident] = {}

    @property
    def without_socket(self) -> bool:
        """Prices are asked for by REST, or there are none."""
        return self.status.state in ("polling", "stale")

    def tell(self, state: State, detail: str) -> None:
        """`detail` says why it is so, for a person."""
        self._detail = detail
        since = self.status.since if state == self.status.state else self.now()
        self.status = replace(self.status, state=state, since=since, detail=self._say_more(detail), **self._count_all())
        self._on_status(self.status)

    def tell_again(self) -> None:
        """The same state, with what is counted and what more there is to say now: what is over is said no more."""
        self.tell(self.status.state, self._detail)

    def note_connection(self) -> None:
        """A socket has opened, and the venue has taken all subscriptions."""
        reconnects = self.status.reconnects + (self.status.connected_at is not None)
        self.status = replace(self.status, connected_at=self.now(), reconnects=reconnects)
        self.end_incidents("")

    def note_gap(self, gap: StreamGap) -> None:
        self.status = replace(self.status, gaps=self.status.gaps + 1)
        self._on_status(Incident(self.status.venue, "gap", gap.since, self.now(), gap.symbol, gap.reason))

    def begin_incident(self, kind: Kind, symbol: str, detail: str) -> None:
        """Nothing is told of an incident that goes on already, nor of a reconnection on purpose during another incident."""
        if (kind, symbol) not in self._incidents and not (kind == "reconnect" and self._incidents):
            incident = Incident(self.status.venue, kind, self.now(), None, symbol, detail[:300])
            self._incidents[kind, symbol] = incident
            self._on_status(incident)

    def end_incidents(self, detail: str) -> None:
        """All that go on are over. `detail` takes the place of what was said when they began, unless it is empty."""
        for incident in self._incidents.values():
            self._on_status(replace(incident, end=self.now(), detail=detail or incident.detail))
        self._incidents = {}
