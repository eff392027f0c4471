"""Events and decisions in words: one line each, and the picture of a decision step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from core.models import Event
from core.text import decimal_text
from core.times import from_ms
from engine.risk import REASONS
from market.templatetags import desk
from trading import selectors
from trading.models import BlockEvent, Fill, Order, RiskAllocation
from trading.selectors import Link

TOLD_ELSEWHERE = ("order_submitted", "fill", "trade_blocked", "position_update", "bot_metrics", "portfolio_update")
"""Events that say what a row of the chain says already."""
SAME_MARKET = timedelta(days=1)
"""A decision on an older candle is a replay's: the time between the two says nothing."""


@dataclass(frozen=True, slots=True)
class DecisionStep:
    """What happened, in words; `after` is in seconds since the step before."""

    key: str
    kind: str
    title: str
    text: str
    at: datetime
    after: float | None = None


def event_words(event: Event) -> str:
    """What an event says, in one line."""
    given = event.payload
    if given.get("cancel_requested") and given.get("status") == "cancelled":
        # The venue's words for a cancel of ours read as if a person had asked for it.
        given = given | {"status": "cancelled by the desk", "status_reason": ""}
    trade = " ".join(str(given[name]) for name in ("side", "qty", "symbol") if given.get(name) not in (None, ""))
    price = given.get("fill_price") or given.get("price")
    parts = [f"{trade} at {price}" if trade and price else trade]
    parts += [
        str(given[name]).replace("_", " ") for name in ("signal_reason", "reason", "status", "change", "by") if given.get(name)
    ]
    parts += [str(given[name]) for name in ("detail", "message", "candle", "status_reason") if given.get(name)]
    return ", ".join(part for part in parts if part)


def steps_of(correlation_id: str) -> list[DecisionStep]:
    """From the candle that a decision was made on to the profit that came of it. `NotFound` where nothing bears the id."""
    links = [link for link in selectors.decision_chain(correlation_id) if not told_elsewhere(link)]
    return with_times([*candle_step(links), *(step_of(link) for link in links), *profit_step(links)])


def told_elsewhere(link: Link) -> bool:
    return isinstance(link.row, Event) and link.row.type in TOLD_ELSEWHERE


def candle_step(links: Sequence[Link]) -> list[DecisionStep]:
    order = next((link.row for link in links if isinstance(link.row, Order)), None)
    if order is None:
        return []
    title, text = trigger_words(order.trigger_id, order.symbol)
    price = f", at {desk.quantity(order.reference_price)}" if order.reference_price else ""
    return [DecisionStep("candle", "candle", title, f"{text}{price}", order.decided_at)]


def trigger_words(trigger_id: str, symbol: str) -> tuple[str, str]:
    """What was decided on, as a title and in words; see docs/reference/events.md for the forms of a trigger."""
    kind, _, rest = trigger_id.partition(":")
    if kind in ("candle", "open"):
        interval, _, opened = rest.partition(":")
        at = f"{from_ms(int(opened)):%Y-%m-%d %H:%M} UTC" if opened.isdecimal() else opened
        return "Candle", f"{interval} candle of {at} {'closed' if kind == 'candle' else 'began'}"
    if kind == "tick":
        return "Price", f"{rest.partition(':')[0] or symbol} reached a price that was waited for"
    if kind in ("report", "order"):
        return "Report", "The venue told what became of an order"
    if kind == "person":
        return "Person", f"A person asked for it: {rest}"
    return "Candle", f"{trigger_id or symbol} closed"


def step_of(link: Link) -> DecisionStep:
    kind, title, text = row_words(link.row)
    return DecisionStep(f"{link.kind}-{link.row.pk}", kind or link.kind, title, text, link.at)


def row_words(row: Event | BlockEvent | Order | RiskAllocation | Fill) -> tuple[str, str, str]:
    """Kind, title, text."""
    if isinstance(row, Order):
        price = row.limit if row.limit is not None else row.stop
        asked = row.type if price is None else f"{row.type} at {desk.quantity(price)}"
        sent = ", not sent" if row.submitted_at is None else f", sent after {desk.duration(row.submitted_at - row.created_at)}"
        return "order", "Order", f"{row.side} {decimal_text(row.quantity)} {row.symbol}, {asked}{sent}"
    if isinstance(row, Fill):
        return (
            "fill",
            "Fill",
            f"{row.side} {decimal_text(row.quantity)} at {desk.quantity(row.price)}, "
            f"fee {decimal_text(row.fee_paid)} {row.fee_asset}{f' ({row.fee_valued})' if row.fee_valued else ''}",
        )
    if isinstance(row, RiskAllocation):
        return "claim", "Claim", f"{desk.money(row.amount, row.currency)} of the risk budget, now {row.status}"
    if isinstance(row, BlockEvent):
        return "block", "Blocked", row.detail or REASONS.get(row.reason, row.reason)
    return "", row.type.replace("_", " ").capitalize(), event_words(row)


def profit_step(links: Sequence[Link]) -> list[DecisionStep]:
    """What the fills came to: a profit where something was sold."""
    fills = [link.row for link in links if isinstance(link.row, Fill)]
    if not fills:
        return []
    quote = fills[0].symbol.partition("-")[2]
    profits = [fill.profit for fill in fills if fill.profit is not None]
    last = max(fill.created_at for fill in fills)
    if profits:
        return [DecisionStep("profit", "profit", "Profit", f"{desk.money(sum(profits), quote)} after the fees of both sides", last)]
    held = sum((fill.quantity for fill in fills), Decimal(0))
    cost = sum((fill.cost + (fill.fee or 0) for fill in fills), Decimal(0))
    return [
        DecisionStep(
            "position", "profit", "Position", f"{decimal_text(held)} {fills[0].symbol} more, for {desk.money(cost, quote)}", last
        )
    ]


def with_times(steps: Sequence[DecisionStep]) -> list[DecisionStep]:
    """Each with the time since the step before, where that says something."""
    timed: list[DecisionStep] = []
    for step in steps:
        passed = step.at - timed[-1].at if timed else timedelta(-1)
        says = timedelta(0) <= passed < SAME_MARKET and step.kind != "profit"
        timed.append(replace(step, after=passed.total_seconds() if says else None))
    return timed
