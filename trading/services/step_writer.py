"""One step of the engine becomes rows: risk checked, budgets claimed, orders written ahead, paper executions booked, all or
nothing, with the engine's memory. Nothing has been sent to a venue when that is committed, and all that will be sent is on record.

What paper and venues share is here; `paper_steps` and `venue_steps` have the rest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from secrets import token_hex
from typing import ClassVar

from django.db.models import Model
from django.utils import timezone

from core.batch import WriteBatch
from core.events import News, events_add
from core.times import to_ms
from engine import risk
from engine.live import Ended, Executed, HeldOrder, Intent, Refusal, Step
from engine.order_rules import is_dust
from market.rounding import ALMOST, PLACES, exact_decimal, round_quantity
from trading import metrics
from trading.models import BlockEvent, BotState, Order, OrderStatus
from trading.services.admission import (
    Admission,
    Admitted,
    Blocked,
    ClaimsInTurn,
    ClaimsTogether,
    Decision,
    ExecutedAlready,
)
from trading.services.allocations import ClaimChanges
from trading.services.budgets import Draw
from trading.services.fee_valuation import FeeValuation
from trading.services.fills import Books
from trading.services.loaded_bot import LoadedBot, MarketNow, Overtaken, StaleBot
from trading.services.order_rows import NewOrders, block_payload


@dataclass(slots=True)
class StepEffects:
    """What a step left behind: orders to send, and orders whose cancelling is to be asked for."""

    send: list[Order] = field(default_factory=list)
    cancel: list[Order] = field(default_factory=list)
    blocked: list[BlockEvent] = field(default_factory=list)
    news: list[News] = field(default_factory=list)


@dataclass(slots=True)
class StepWriter(ABC):
    """Gathers what a step of a bot comes to, and writes it by `finish`."""

    loaded_bot: LoadedBot
    market: MarketNow
    effects: StepEffects = field(default_factory=StepEffects)
    admitted: dict[int, Admitted] = field(default_factory=dict)
    """Orders that may be written, by the engine's number."""
    rows: dict[int, Order] = field(default_factory=dict)
    """Orders that the step is about, old and new."""
    fresh: NewOrders = field(default_factory=NewOrders)
    batch: WriteBatch = field(default_factory=WriteBatch)
    correlation_id: str = field(default_factory=lambda: token_hex(16))
    books: Books = field(init=False)
    admission: Admission = field(init=False)

    first_status: ClassVar[OrderStatus]
    """Of a new order."""
    claims_class: ClassVar[type[ClaimsInTurn] | type[ClaimsTogether]]
    """How its orders claim their budgets."""

    def __post_init__(self) -> None:
        loaded, draw = self.loaded_bot, Draw(self.loaded_bot.budgets)
        rules = loaded.rules if loaded.external else {}
        fees = FeeValuation(loaded.bot.venue, self.market.time, self.market.memory)
        self.books = Books(loaded.books_id, loaded.account, draw, ClaimChanges(loaded.claims), fees, rules)
        self.admission = Admission(self.loaded_bot, self.market, self.claims_class(draw))

    @abstractmethod
    def exact_price(self, intent: Intent, price: float | None, *, is_stop: bool = False) -> Decimal | None:
        """The limit or the stop of an order, in quote, as it is written."""

    @abstractmethod
    def write_ahead(self) -> None:
        """Called once the orders of a step have their rows, before its executions."""

    @abstractmethod
    def book_executions(self, executions: Sequence[Executed]) -> None: ...

    @abstractmethod
    def end_order(self, order: Order, ended: Ended) -> None:
        """The engine has given the order up, or executed it to its end."""

    @abstractmethod
    def finish(self) -> StepEffects:
        """Writes what is left to write."""

    def take(self, step: Step) -> None:
        """Takes a step in, and after it those that follow from refusals in it: a refusal may end what the step itself wants, which
        has its rows by then."""
        waiting = deque([step])
        while waiting:
            waiting += self.take_one(waiting.popleft())

    def take_one(self, step: Step) -> list[Step]:
        """Orders first, then what the engine executed, then what it ended. Returns the steps that follow from refusals."""
        following: list[Step] = []
        passed: list[Admitted | ExecutedAlready] = []
        for intent in step.wanted:
            if not self.loaded_bot.trader.is_wanted(intent.number):
                continue
            decision = self.decide(intent)
            if isinstance(decision, Blocked):
                following.append(self.refuse(decision))
            elif intent.number not in self.rows:
                passed.append(decision)
        for decision in passed:
            order = self.rows[decision.intent.number] = self.make_order(decision.intent)
            self.fresh.add(order, decision.claim, again=is_tried_again(self.loaded_bot, decision.intent))
        self.write_ahead()
        self.book_executions(step.executed)
        for ended in step.done:
            self.take_end(ended)
        note_equity(self.loaded_bot, step)
        return following

    def decide(self, intent: Intent) -> Decision:
        """On an order that has a row, or was admitted before, nothing is decided twice."""
        if intent.number in self.rows:
            return Admitted(intent)
        if intent.number in self.admitted:
            return self.admitted[intent.number]
        decision = self.admission.decide(intent)
        if isinstance(decision, Admitted):
            self.admitted[intent.number] = decision
        return decision

    def refuse(self, blocked: Blocked) -> Step:
        """The engine forgets the order, unless that is an exit, and a block says why. Returns the step that the engine makes of
        that."""
        intent, denial = blocked.intent, blocked.denial
        if is_news(self.loaded_bot, intent, denial):
            self.note_block(intent.symbol, intent.side, intent.quantity, denial)
        kind = "lasting" if denial.reason in risk.LASTING else "desk"
        refusal = Refusal(kind, denial.reason, denial.detail, to_ms(self.market.time))
        step = self.loaded_bot.trader.block(intent.number, refusal)
        if intent.side == "sell":
            mark_dust(self.batch, self.loaded_bot, self.market, intent.symbol)
        return step

    def note_block(self, symbol: str, side: str, quantity: float | None, denial: risk.Denial) -> None:
        """Keeps a block for the statement that writes the step. `quantity`: in base; None or NaN where it is not known."""
        price, _ = self.market.prices.get(symbol, (None, None))
        qty = None
        if quantity is not None and quantity == quantity:
            qty = exact_quantity(self.loaded_bot, symbol, quantity)
        self.effects.blocked.append(
            BlockEvent(
                bot=self.loaded_bot.bot,
                run_id=self.loaded_bot.run.run_id,
                correlation_id=self.correlation_id,
                trigger_id=self.market.trigger_id,
                symbol=symbol,
                side=side,
                qty=qty,
                price=price,
                reason=denial.reason,
                detail=denial.detail[:400],
            )
        )

    def take_end(self, ended: Ended) -> None:
        if ended.number in self.loaded_bot.orders or ended.number in self.rows:
            self.end_order(self.find_row(ended.number), ended)
        elif ended.status == "refused":
            # The engine itself did not make the order: no cash, below the lot size, too many positions.
            detail = risk.REASONS.get(ended.refusal, ended.refusal)
            self.note_block(ended.symbol, ended.side, ended.order.quantity, risk.Denial(ended.refusal, detail))

    def make_order(self, intent: Intent) -> Order:
        """Its row, not in the database yet. Quantities and prices are exact from here on."""
        loaded_bot, bot, now = self.loaded_bot, self.loaded_bot.bot, timezone.now()
        price, _ = self.market.prices.get(intent.symbol, (None, None))
        return Order(
            order_id=token_hex(8),
            client_order_id=f"qd-{loaded_bot.run.run_id}-{intent.number}",
            bot=bot,
            run=loaded_bot.run,
            wallet=bot.wallet,
            number=intent.number,
            mode=bot.mode,
            venue=bot.venue,
            symbol=intent.symbol,
            side=intent.side,
            type=intent.type,
            quantity=order_quantity(self.loaded_bot, intent),
            limit=self.exact_price(intent, intent.limit),
            stop=self.exact_price(intent, intent.stop, is_stop=True),
            reason=intent.reason,
            status=self.first_status,
            reference_price=price,
            correlation_id=self.correlation_id,
            trigger_id=self.market.trigger_id,
            decided_at=self.market.time,
            created_at=now,
            submitted_at=None if self.first_status == OrderStatus.PENDING else now,
        )

    def find_row(self, number: int) -> Order:
        """An order of this step, or an open one of the bot, by the engine's number."""
        if number not in self.rows:
            self.rows[number] = Order.objects.get(pk=self.loaded_bot.orders[number])
        return self.rows[number]

    def write(self, batch: WriteBatch) -> bool:
        """Everything in one statement, the events last. False: a condition of `batch` or of the claims is not met (a budget has no
        room, the kill switch is on, the lease on the venue is lost), and nothing was written. `StaleBot`; `Overtaken`."""
        loaded_bot, bot = self.loaded_bot, self.loaded_bot.bot
        self.fresh.insert_into(batch)
        batch.insert(*self.effects.blocked)
        loaded_bot.add_state(batch)
        self.books.add_to(batch)
        if self.fresh.rows:
            self.admission.claims.add_conditions(batch)
        blocked = [News("trade_blocked", bot.mode, block_payload(one), one.correlation_id) for one in self.effects.blocked]
        news = [*self.effects.news, *self.fresh.list_news(bot.strategy), *blocked]
        events_add(batch, news, bot=bot.bot_id, run_id=loaded_bot.run.run_id)
        missed = batch.run()
        if isinstance(missed, BotState):
            raise StaleBot(f"Another worker trades for {bot.name}.")
        if isinstance(missed, Model):
            raise Overtaken(f"Somebody else has written {missed} meanwhile.")
        if missed is not None:
            return False
        loaded_bot.version += 1
        self.effects.news = news
        for block in self.effects.blocked:
            metrics.blocked.labels(block.reason).inc()
        return True


def find_refused(loaded_bot: LoadedBot, intent: Intent) -> HeldOrder | None:
    """How this exit, or the symbol's last entry, was refused before, if it was."""
    return loaded_bot.trader.held_order(intent) if loaded_bot.external else None


def is_news(loaded_bot: LoadedBot, intent: Intent, denial: risk.Denial) -> bool:
    """Whether a block says it: once of an exit, however often that is tried again, and of entries that wait because the venue has
    refused others."""
    before = find_refused(loaded_bot, intent)
    if intent.side == "sell":
        return before is None or before.code != denial.reason
    if before is None or denial.reason != "entry_refused":
        return True
    first, before.told = not before.told, True
    return first


def is_tried_again(loaded_bot: LoadedBot, intent: Intent) -> bool:
    """Whether such an order was refused for good, and it is tried all the same."""
    refused = find_refused(loaded_bot, intent)
    return refused is not None and refused.lasting


def exact_quantity(loaded_bot: LoadedBot, symbol: str, quantity: float) -> Decimal:
    """In base, as it is written: at a venue on a lot of the instrument; else as the engine has it, which keeps to the run's own
    rules, whatever the venue says by now."""
    if loaded_bot.external:
        return round_quantity(loaded_bot.instruments[symbol], quantity)
    return exact_decimal(quantity).quantize(PLACES)


def order_quantity(loaded_bot: LoadedBot, intent: Intent) -> Decimal:
    """As it is written. Where no lot rounds them away, floats of the engine may ask for a noise more than there is to sell."""
    quantity = exact_quantity(loaded_bot, intent.symbol, intent.quantity)
    held = loaded_bot.positions[intent.symbol].quantity
    return held if intent.side == "sell" and held < quantity <= held * (1 + ALMOST) else quantity


def note_equity(loaded_bot: LoadedBot, step: Step) -> None:
    if step.equity is not None:
        loaded_bot.run.equity = Decimal(repr(step.equity)).quantize(Decimal("1e-8"))


def mark_dust(batch: WriteBatch, loaded_bot: LoadedBot, market: MarketNow, symbol: str) -> None:
    """What cannot be sold may have become dust since it was bought: its price has fallen."""
    position, (price, _) = loaded_bot.positions[symbol], market.prices.get(symbol, (None, None))
    if is_dust(loaded_bot.rules[symbol], float(position.quantity), float(price or 0)):
        position.dust = True
        batch.update(position, "dust")
