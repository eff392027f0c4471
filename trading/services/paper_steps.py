"""A step of a bot on paper or in a replay: the engine executes its orders itself, so they are written before their executions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.utils import timezone

from core.batch import WriteBatch
from core.events import News
from core.fields import EXACT
from core.times import from_ms
from engine.live import Ended, Executed, Intent, Step
from market.exchanges.base import Execution
from market.rounding import PLACES, exact_decimal
from trading import metrics
from trading.models import AllocationStatus, Mode, Order, OrderStatus
from trading.services.admission import Blocked, ClaimsInTurn
from trading.services.fills import fill_news, fills_book
from trading.services.loaded_bot import Overtaken
from trading.services.order_rows import ORDER_FILLED, ORDER_OVER, order_payload
from trading.services.paper_funds import NOTHING, PaperFunds
from trading.services.step_writer import StepEffects, StepWriter, exact_quantity


@dataclass(slots=True)
class PaperStepWriter(StepWriter):
    """The caller has a transaction around it all."""

    funds: PaperFunds = field(init=False)

    first_status = OrderStatus.ACCEPTED
    claims_class = ClaimsInTurn

    def __post_init__(self) -> None:
        StepWriter.__post_init__(self)
        self.funds = self.admission.funds = PaperFunds(self.loaded_bot)

    def refuse_one(self, expected: Step) -> bool:
        """Looks at the entries that the engine is about to execute, and ends the first that must not be: it is forgotten in time.
        False: all of them may."""
        self.forget_admitted()
        self.funds.expect(expected.executed)
        for intent in expected.wanted:
            if intent.side == "buy" and intent.type == "market":
                decision = self.decide(intent)
                if isinstance(decision, Blocked):
                    self.take(self.refuse(decision))
                    return True
        return self.end_one_unpaid(expected.executed)

    def forget_admitted(self) -> None:
        """What was admitted beside one that was refused is looked at anew: it may have grown into that one's place."""
        claimed = sum((one.claim or NOTHING for one in self.admitted.values()), NOTHING)
        self.books.draw.settle(unclaim=claimed)
        self.funds.taken = NOTHING
        self.admitted.clear()

    def end_one_unpaid(self, executed: Sequence[Executed]) -> bool:
        """The first of the orders that wait already and would now cost more than the wallet has."""
        waiting = {one.number: one for one in self.loaded_bot.trader.working() if one.number in self.loaded_bot.orders}
        bought = {one.number for one in executed if one.side == "buy"}
        if self.loaded_bot.bot.mode == Mode.REPLAY or not bought & set(waiting):
            return False
        number = self.funds.find_short(executed)
        if number in waiting:
            self.end_unpaid(waiting[number])
        return number in waiting

    def end_unpaid(self, intent: Intent) -> None:
        denial = self.funds.deny(self.funds.costs[intent.number], self.funds.read())
        self.take(self.refuse(Blocked(intent, denial)))
        self.end_order(self.find_row(intent.number), Ended(intent, "cancelled", denial.reason, intent.created_at))

    def exact_price(self, intent: Intent, price: float | None, *, is_stop: bool = False) -> Decimal | None:
        """As the engine has it: its own executions need no tick."""
        return None if price is None else exact_decimal(price)

    def write_ahead(self) -> None:
        """At once, because the executions of the step refer to the orders' rows."""
        if not self.fresh.rows:
            return
        self.fresh.insert_into(self.batch)
        self.batch.run()
        self.batch = WriteBatch()
        self.effects.news += self.fresh.list_news(self.loaded_bot.bot.strategy)
        self.fresh.note_insertion(self.loaded_bot, self.market)

    def book_executions(self, executions: Sequence[Executed]) -> None:
        by_order: dict[int, list[Executed]] = {}
        for one in executions:
            by_order.setdefault(one.number, []).append(one)
        for number, parts in by_order.items():
            self.book_order(self.find_row(number), parts)

    def book_order(self, order: Order, parts: Sequence[Executed]) -> None:
        position = self.loaded_bot.positions[order.symbol]
        already = order.fills.count() if order.filled_quantity else 0
        executions = [self.make_execution(order, one, already + i) for i, one in enumerate(parts)]
        booked = fills_book(order, position, executions, self.batch, self.books)
        # What an order asked for may be cut to what could be paid or sold: its quantity follows.
        order.quantity = max(order.quantity, order.filled_quantity)
        order.status = OrderStatus.PARTIALLY_FILLED
        self.batch.update(order, *ORDER_FILLED)
        metrics.fills.labels(order.venue).inc(len(booked))
        self.effects.news += fill_news(booked, order, position, self.loaded_bot.bot.strategy)

    def make_execution(self, order: Order, one: Executed, index: int) -> Execution:
        price, fee = exact_decimal(one.price), exact_decimal(one.fee).quantize(PLACES)
        quantity = exact_quantity(self.loaded_bot, order.symbol, one.quantity)
        if order.side == "sell" and one.position == 0.0:
            quantity = self.loaded_bot.positions[order.symbol].quantity  # all of it: sums of floats would leave their noise behind
        elif order.side == "buy":
            quantity, fee = self.funds.cut_noise(price, quantity, fee)
        value = EXACT.multiply(price, quantity)
        self.funds.changed += value - fee if order.side == "sell" else -value - fee
        return Execution(
            trade_id=f"{order.number}-{index}",
            price=price,
            quantity=quantity,
            fee=fee,
            fee_asset=order.symbol.split("-")[1],
            maker=bool(one.maker),
            time=from_ms(one.time),
        )

    def end_order(self, order: Order, ended: Ended) -> None:
        """One that the engine cut short was refused what it could not get, and ends there."""
        status = OrderStatus.CANCELLED if ended.status == "refused" else OrderStatus(ended.status)
        order.status, order.status_reason, order.closed_at = status, ended.refusal, timezone.now()
        self.batch.update(order, *ORDER_OVER)
        released = AllocationStatus.EXPIRED if status == OrderStatus.EXPIRED else AllocationStatus.RELEASED
        self.books.release(order, released)
        self.loaded_bot.orders.pop(order.number, None)
        payload = order_payload(order, self.loaded_bot.bot.strategy)
        self.effects.news.append(News("order_update", order.mode, payload, order.correlation_id))
        metrics.orders.labels(order.venue, status).inc()

    def finish(self) -> StepEffects:
        """What is left: executions, ends, blocks and the engine's memory."""
        if not self.write(self.batch):
            raise Overtaken(f"The budgets of {self.loaded_bot.bot.name} changed meanwhile.")
        return self.effects
