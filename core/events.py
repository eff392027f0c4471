"""The event store: what happened, in one table, in the order in which it was committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db.models import Max, Model

from core.batch import WriteBatch
from core.models import Event
from core.push import push_all
from core.text import utc_text

# One lock for all writers, held from here to the commit: ids then grow in the order of commits, and a reader that has seen
# event n has seen all before it. Hence events are a transaction's last statement.
EVENTS_LOCK = 0x5157_4556
TYPES = (
    "intent",
    "plan_generated",
    "plan_judged",
    "trade_blocked",
    "order_submitted",
    "order_update",
    "fill",
    "fee_valued",
    "position_update",
    "portfolio_update",
    "bot_status",
    "reconciliation",
    "drift",
    "movement",
    "incident",
    "approval",
    "alert",
)
"""What an event may be."""


@dataclass(frozen=True, slots=True)
class News:
    """An event that is to be written. `payload` in JSON's own types; money and quantities as text."""

    type: str
    source: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str = ""
    row: Model | None = None
    """A row that is inserted in the same batch; its key goes into the payload as `id`."""


def events_record(news: Sequence[News], *, bot: str = "", run_id: str = "") -> list[Event]:
    """Writes rows for `news`, which are pushed to every page once the transaction has committed. Call it last: it holds a lock
    until then. `bot`: the bot_id of the bot that they are about."""
    batch = WriteBatch()
    events = events_add(batch, news, bot=bot, run_id=run_id)
    batch.run()
    return events


def events_add(batch: WriteBatch, news: Sequence[News], *, bot: str = "", run_id: str = "") -> list[Event]:
    """Adds them as the last part of `batch`; otherwise like `events_record`."""
    events = [
        Event(
            type=one.type, source=one.source, bot=bot, run_id=run_id, correlation_id=one.correlation_id, payload=dict(one.payload)
        )
        for one in news
    ]
    if events:
        inserted = {place: one.row for place, one in enumerate(news) if one.row is not None}
        batch.insert(*events, tells=inserted, lock=EVENTS_LOCK)
        batch.after.append(partial(events_push, events, inserted))
    return events


def events_push(events: Sequence[Event], inserted: Mapping[int, Model]) -> None:
    """`inserted`: by the place of an event, the row whose key its payload is to give."""
    for place, row in inserted.items():
        events[place].payload["id"] = row.pk
    push_all("live", [(event.type, event_message(event)) for event in events])


def events_between(after: int, upto: int | None = None, *, limit: int) -> list[Event]:
    """Events with `after` < id <= `upto`, oldest first. All of them: ids grow in the order of commits."""
    rows = Event.objects.filter(id__gt=after).order_by("id")
    return list((rows if upto is None else rows.filter(id__lte=upto))[:limit])


def last_seq() -> int:
    """The newest event's number, or 0. A page that shows rows as of now listens from here on: `/ws/live/?since=`."""
    return Event.objects.aggregate(last=Max("id"))["last"] or 0


def event_message(event: Event) -> dict[str, Any]:
    """An event as sockets carry it."""
    return {
        "type": event.type,
        "seq": event.pk,
        "ts": utc_text(event.ts),
        "correlation_id": event.correlation_id or None,
        "payload": {**event.payload, **({"bot": event.bot} if event.bot else {}), "run_id": event.run_id or None},
    }
