"""The event store, read: pages, and the chain of one decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from core import paging
from core.errors import NotFound
from core.events import TYPES
from core.models import Event
from core.text import decimal_text, utc_text
from trading.models import BlockEvent, Fill, Order, RiskAllocation
from trading.selectors.filters import SHOWN, Filter, PageOf, filter_rows, one_of
from trading.selectors.orders import (
    ANYTHING,
    BLOCK_REASONS,
    ORDER_REASONS,
    block_json,
    blocks_matching,
    fill_json,
    fills_matching,
    order_json,
    orders_matching,
)

EVENT_COLUMNS = {
    "symbol": "payload__symbol",
    "bot": "bot",
    "run_id": "run_id",
    "reason": "payload__reason",
    "since": "ts__gte",
}
STAGES = ("intent", "block", "claim", "order", "fill", "event")
"""The kinds of a chain's links, in the order in which they follow where their times are equal."""
DECIDED = ("intent", "claim", "order")
"""What is decided and written at once."""


def events_matching(wanted: Filter = ANYTHING, *, type: str = "", source: str = "", correlation_id: str = "") -> QuerySet[Event]:
    """Events, newest first."""
    one_of("type", type, TYPES)
    one_of("reason", wanted.reason, (*ORDER_REASONS, *BLOCK_REASONS))
    exact = {"type": type, "source": source, "correlation_id": correlation_id}
    rows = filter_rows(Event.objects.order_by("-id"), wanted, **EVENT_COLUMNS)
    return rows.filter(**{name: value for name, value in exact.items() if value})


def events_page(wanted: Filter = ANYTHING, *, cursor: str = "", limit: int = SHOWN, **exact: str) -> PageOf[Event]:
    return PageOf(*paging.read_page(events_matching(wanted, **exact), cursor=cursor, limit=limit))


def event_json(event: Event) -> dict[str, Any]:
    """The form that the API lists."""
    return {
        "id": event.pk,
        "ts": utc_text(event.ts),
        "type": event.type,
        "source": event.source,
        "bot": event.bot or None,
        "run_id": event.run_id or None,
        "correlation_id": event.correlation_id or None,
        "payload": event.payload,
    }


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a decision. `row` is what it is about; `after`, in seconds, the time since the step before."""

    kind: str
    at: datetime
    row: Event | BlockEvent | Order | RiskAllocation | Fill
    after: float | None = None


def decision_chain(correlation_id: str) -> list[Link]:
    """All that one decision led to, in order of our time: four queries. `NotFound` where nothing bears this id."""
    wanted = correlation_id[:32].replace("\x00", "")
    found = [*event_links(wanted), *order_links(wanted)] if wanted else []
    found += [Link("block", row.ts, row) for row in blocks_matching().filter(correlation_id=wanted)]
    found += [Link("fill", row.created_at, row) for row in fills_matching().filter(order__correlation_id=wanted)]
    if not found:
        raise NotFound(f"Nothing bears the correlation id {correlation_id[:40]!r}.")
    # What is written in one transaction is stamped in the order of writing, which is not that of deciding.
    decided = min((link.at for link in found if link.kind in DECIDED), default=None)
    times = {id(link): decided if decided and link.kind in DECIDED else link.at for link in found}
    return add_times(sorted(found, key=lambda link: (times[id(link)], STAGES.index(link.kind), link.row.pk)))


def event_links(correlation_id: str) -> list[Link]:
    rows = events_matching(correlation_id=correlation_id).order_by("id")
    return [Link("intent" if row.type == "intent" else "event", row.ts, row) for row in rows]


def order_links(correlation_id: str) -> list[Link]:
    links = []
    for order in orders_matching().select_related("allocation").filter(correlation_id=correlation_id):
        links.append(Link("order", order.created_at, order))
        if hasattr(order, "allocation"):
            links.append(Link("claim", order.allocation.created_at, order.allocation))
    return links


def add_times(links: Iterable[Link]) -> list[Link]:
    steps: list[Link] = []
    for link in links:
        after = (link.at - steps[-1].at).total_seconds() if steps else None
        steps.append(Link(link.kind, link.at, link.row, after))
    return steps


def link_json(link: Link) -> dict[str, Any]:
    return {"kind": link.kind, "at": utc_text(link.at), "after_seconds": link.after, "data": row_json(link.row)}


def row_json(row: Event | BlockEvent | Order | RiskAllocation | Fill) -> dict[str, Any]:
    if isinstance(row, Event):
        return event_json(row)
    if isinstance(row, BlockEvent):
        return block_json(row)
    if isinstance(row, Order):
        return order_json(row)
    return fill_json(row) if isinstance(row, Fill) else claim_json(row)


def claim_json(claim: RiskAllocation) -> dict[str, Any]:
    return {
        "order_id": claim.order.order_id,
        "run_id": claim.order.run.run_id,
        "trigger_id": claim.trigger_id,
        "symbol": claim.symbol,
        "currency": claim.currency,
        "amount": decimal_text(claim.amount),
        "open": decimal_text(claim.open),
        "used": decimal_text(claim.used),
        "released": decimal_text(claim.released),
        "status": claim.status,
        "created_at": utc_text(claim.created_at),
        "closed_at": utc_text(claim.closed_at),
        "released_at": utc_text(claim.released_at),
    }
