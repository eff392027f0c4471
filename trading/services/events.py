"""The event store: what happened, in one table, in the order in which it was committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db.models import Model

from core.push import push_all
from trading.models import Bot, Event
from trading.selectors.events import event_message
from trading.services.batch import Batch

# One lock for all writers, held from here to the commit: ids then grow in the order of commits, and a reader that has seen
# event n has seen all before it. Hence events are a transaction's last statement.
EVENTS_LOCK = 0x5157_4556


@dataclass(frozen=True, slots=True)
class News:
    """An event to be. `payload` in JSON's own types; money and quantities as text."""

    type: str
    source: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    correlation_id: str = ""
    row: Model | None = None
    """A row that is inserted in the same batch: the payload tells its key as `id`."""


def events_record(news: Sequence[News], *, bot: Bot | None = None, run_id: str = "") -> list[Event]:
    """Rows for `news`, pushed to every page once the transaction has committed. Call it last: it takes a lock until then."""
    batch = Batch()
    events = events_add(batch, news, bot=bot, run_id=run_id)
    batch.run()
    return events


def events_add(batch: Batch, news: Sequence[News], *, bot: Bot | None, run_id: str) -> list[Event]:
    """The same as the last part of `batch`."""
    events = [
        Event(
            type=one.type, source=one.source, bot=bot, run_id=run_id, correlation_id=one.correlation_id, payload=dict(one.payload)
        )
        for one in news
    ]
    if events:
        told = {place: one.row for place, one in enumerate(news) if one.row is not None}
        batch.insert(*events, tells=told, lock=EVENTS_LOCK)
        batch.after.append(partial(events_push, events, told))
    return events


def events_push(events: Sequence[Event], told: Mapping[int, Model]) -> None:
    for place, row in told.items():
        events[place].payload["id"] = row.pk
    push_all("live", [(event.type, event_message(event)) for event in events])
