"""A step of a bot at a venue: orders, claims, fills and the engine's memory go into one statement, outside of any transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from core.batch import WriteBatch
from core.events import News
from core.times import from_ms
from engine import risk
from engine.live import BlockedOrder, Ended, Executed, Intent
from market.rounding import round_price
from trading.models import Bot, Order, OrderStatus, Position
from trading.services.admission import Blocked, ClaimsTogether, Decision
from trading.services.budgets import is_killed
from trading.services.fills import position_payload
from trading.services.lease import LEASED, Lease
from trading.services.loaded_bot import Overtaken
from trading.services.step_writer import StepEffects, StepWriter

CAUSE_LENGTH = 300


def explain_block(blocked: BlockedOrder) -> str:
    """Why an exit is blocked, and what the desk does about it where others cancelled it."""
    if not blocked.cancelled:
        return blocked.cause[:CAUSE_LENGTH]
    then = f"; next try at {from_ms(blocked.next_try):%H:%M:%S} UTC" if blocked.next_try else ""
    said = f", {blocked.cancelled} times so far. The desk watches its price itself{then}."
    return blocked.cause.rstrip(".")[: CAUSE_LENGTH - len(said)] + said


def mark_exit(bot: Bot, position: Position, cause: str) -> list[News]:
    """Notes on the position why its exit is blocked; empty: it is not any more. Returns what there is to tell."""
    begins = not position.exit_blocked
    position.exit_blocked, position.exit_blocked_at = cause, position.exit_blocked_at if cause else None
    if not begins and cause:
        return []  # the same in other words
    news = [News("position_update", bot.mode, position_payload(position))]
    if begins:
        position.exit_blocked_at = timezone.now()
        message = f"{bot.name} cannot sell its {position.symbol}: {cause} It is tried again, ever more seldom."
        news.append(News("alert", bot.mode, {"message": message, "bot": bot.bot_id, "symbol": position.symbol}))
    return news


@dataclass(slots=True)
class VenueStepWriter(StepWriter):
    """Executions come as reports later (`trading.services.orders`)."""

    lease: Lease | None = field(init=False)
    """While it holds, orders are written as submitted: claimed for sending, which begins as soon as they are committed."""
    given_up: list[Order] = field(default_factory=list)
    changed: dict[str, Position] = field(default_factory=dict)
    """Positions whose exit is blocked now, or is no more."""

    first_status = OrderStatus.PENDING
    claims_class = ClaimsTogether

    def __post_init__(self) -> None:
        StepWriter.__post_init__(self)
        self.lease = self.market.lease

    def exact_price(self, intent: Intent, price: float | None, *, is_stop: bool = False) -> Decimal | None:
        """On the instrument's tick: limits are rounded for us (buys down, sells up), stops against us."""
        if price is None:
            return None
        return round_price(self.loaded_bot.instruments[intent.symbol], price, up=(intent.side == "sell") != is_stop)

    def write_ahead(self) -> None:
        """Not yet: `finish` writes all of the step together."""

    def book_executions(self, executions: Sequence[Executed]) -> None:
        """The engine executes nothing of what a venue has."""

    def end_order(self, order: Order, ended: Ended) -> None:
        """The wish to cancel is on record, so that whoever comes after a crash, or after a venue that did not answer, cancels
        it."""
        order.cancel_requested = True
        if order.pk:
            self.batch.update(order, "cancel_requested")
        self.given_up.append(order)

    def finish(self) -> StepEffects:
        """In one statement; where a condition of it is not met, the orders claim their budgets one after the other, as pending."""
        if not self.write_together():
            self.lease = None
            with transaction.atomic():
                self.claim_in_turn()
                if not self.write_together():
                    raise Overtaken(f"The budgets of {self.loaded_bot.bot.name} changed meanwhile.")
        self.effects.send += self.fresh.note_insertion(self.loaded_bot, self.market)
        # One that was refused in the end has no row, so there is nothing to cancel.
        self.effects.cancel = [one for one in self.given_up if one.pk]
        return self.effects

    def write_together(self) -> bool:
        """See `write`. May be tried again after False."""
        self.note_blocked_exits()
        batch = self.batch.copy()
        for position in self.changed.values():
            batch.update(position, "exit_blocked", "exit_blocked_at")
        if self.fresh.rows:
            self.mark_for_sending(batch)
        return self.write(batch)

    def note_blocked_exits(self) -> None:
        """Says on the position that its exit cannot be sold, and why; and tells people when that begins."""
        blocked = self.loaded_bot.trader.blocked_exits()
        for symbol, position in self.loaded_bot.positions.items():
            cause = explain_block(blocked[symbol]) if symbol in blocked else ""
            if cause != position.exit_blocked:
                self.effects.news += mark_exit(self.loaded_bot.bot, position, cause)
                self.changed[symbol] = position

    def mark_for_sending(self, batch: WriteBatch) -> None:
        """As submitted while the lease holds, unless they are to be cancelled already; otherwise as pending."""
        now = timezone.now()
        if self.lease:
            batch.require("lease", LEASED, self.lease.values(now))
        for row in self.fresh.rows:
            if self.lease and not row.cancel_requested:
                row.status, row.submitted_at, row.attempts = OrderStatus.SUBMITTED, now, 1
            else:
                row.status, row.submitted_at, row.attempts = OrderStatus.PENDING, None, 0

    def claim_in_turn(self) -> None:
        """There is no room for all of them, the kill switch is on or the lease is lost: orders that get no room are blocked and
        say why."""
        self.admission.claim_in_turn(self.books.draw)
        killed = risk.Denial("kill_switch", risk.REASONS["kill_switch"]) if is_killed() else None
        for order in list(self.fresh.rows):
            decision = self.decide_again(order, killed)
            if isinstance(decision, Blocked):
                self.fresh.remove(order)
                del self.rows[order.number], self.admitted[order.number]
                self.take(self.refuse(decision))

    def decide_again(self, order: Order, killed: risk.Denial | None) -> Decision:
        """`killed`: what meets an order that claims nothing."""
        earlier = self.admitted[order.number]
        if earlier.claim is not None:
            return self.admission.claim(earlier.intent, earlier.claim)
        return earlier if killed is None else Blocked(earlier.intent, killed)
