"""One step of the engine becomes rows: risk checked, budget claimed, orders written ahead, paper executions booked, all or nothing,
with the engine's memory. Nothing has been told to a venue when that is committed, and everything that will be is on record."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from secrets import token_hex

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from core.batch import Batch
from core.events import News, events_add
from core.text import decimal_text
from core.times import from_ms
from engine import risk
from engine.live import OHLCV, Ended, Executed, Intent, SignalRow, Step
from market.exchanges.base import Execution
from trading import metrics
from trading.models import AllocationStatus, BlockEvent, BotState, Order, OrderStatus, RiskAllocation
from trading.services.budgets import ALIVE, Draw, budget_claim, is_killed
from trading.services.fills import Books, allocation_release, fill_news, fills_book
from trading.services.loaded_bot import LEASED, Lease, LoadedBot, MarketNow, Overtaken, StaleBot
from trading.services.runs import runs_progress_write

ORDER_OVER = ("status", "status_reason", "closed_at", "updated_at")
ORDER_FILLED = (*ORDER_OVER, "quantity", "filled_quantity", "average_price", "fees")
PROTECTIVE = frozenset({"stop_loss", "trailing_stop", "take_profit", "time_limit"})


@dataclass(slots=True)
class StepEffects:
    """What a step left behind: orders to send, and orders whose cancelling is to be asked for."""

    send: list[Order] = field(default_factory=list)
    cancel: list[Order] = field(default_factory=list)
    blocked: list[BlockEvent] = field(default_factory=list)
    news: list[News] = field(default_factory=list)


@dataclass(slots=True)
class StepWriter:
    """What a step of a holding comes to, gathered, and written by `finish` in one statement. Where the engine executes orders
    itself (replay, paper) they are written before their executions, and the caller has a transaction around it all."""

    holding: LoadedBot
    market: MarketNow
    written: StepEffects = field(default_factory=StepEffects)
    wanted: dict[int, Intent] = field(default_factory=dict)
    """Orders that were let through."""
    claims: dict[int, Decimal] = field(default_factory=dict)
    rows: dict[int, Order] = field(default_factory=dict)
    fresh: list[Order] = field(default_factory=list)
    """To be inserted."""
    steps: deque[Step] = field(default_factory=deque)
    """The one that is being taken, and those that followed from refusals in it."""
    batch: Batch = field(default_factory=Batch)
    correlation_id: str = field(default_factory=lambda: token_hex(16))
    lease: Lease | None = field(init=False)
    """Where it still holds, orders are written as submitted: claimed for sending, which begins as soon as they are committed."""
    at_once: bool = field(init=False)
    """Whether budgets are claimed one order after the other. Otherwise with the writing, which writes nothing where one has no
    room: the rows that all bots claim from are locked for one statement, and nobody waits for another's ways to the database."""
    books: Books = field(init=False)

    def __post_init__(self) -> None:
        holding = self.holding
        self.at_once, self.lease = not holding.external, self.market.lease
        self.books = Books(holding.bot.wallet_id, holding.account, Draw(holding.budgets))

    def allow(self, wanted: Intent) -> bool:
        """Checks an order and claims its budget; where it is refused the engine forgets it, and a block says why."""
        proposal = self.proposal(wanted)
        claims = proposal.side == "buy"  # claiming looks at the kill switch itself
        moment = self.holding.moment(wanted.symbol, self.market, self.at_once and not claims and is_killed())
        denial = self.over() or risk.check_proposal(proposal, moment, self.holding.limits)
        if denial is None and claims:
            amount = risk.quote_value(proposal, moment) * (1 + Decimal(repr(self.holding.config.fees.taker)))
            self.claims[wanted.number] = amount.quantize(Decimal("1e-18"))
            denial = self.claim(wanted.number)
        if denial is None:
            self.wanted[wanted.number] = wanted
            return True
        self.claims.pop(wanted.number, None)
        self.block(wanted, denial)
        return False

    def claim(self, number: int) -> risk.Denial | None:
        draw, amount = self.books.draw, self.claims[number]
        if self.at_once:
            draw.settle_now()
            return budget_claim(draw.ids, amount)
        draw.claim += amount
        return None

    def claim_each(self) -> None:
        """There is no room for all, or the kill switch is on: orders without are blocked, and say why."""
        self.at_once, self.books.draw.claim = True, Decimal(0)
        killed = risk.Denial("kill_switch", risk.REASONS["kill_switch"]) if is_killed() else None
        for order in list(self.fresh):
            denial = self.claim(order.number) if order.number in self.claims else killed
            if denial is not None:
                self.fresh.remove(order)
                del self.rows[order.number]
                self.claims.pop(order.number, None)
                self.written.cancel = [one for one in self.written.cancel if one is not order]
                self.block(self.wanted.pop(order.number), denial)

    def over(self) -> risk.Denial | None:
        """A run that has ended sends nothing more, whatever its engine still wants."""
        if self.holding.run.ended_at is None:
            return None
        return risk.Denial("bot_not_running", "The run has ended: nothing more is sent.")

    def proposal(self, wanted: Intent) -> risk.Proposal:
        price = wanted.limit if wanted.limit is not None else wanted.stop
        return risk.Proposal(
            symbol=wanted.symbol,
            side=wanted.side,
            quantity=self.holding.exact(wanted.symbol, wanted.quantity),
            price=None if price is None else Decimal(repr(price)),
            protective=wanted.reason in PROTECTIVE,
        )

    def block(self, wanted: Intent, denial: risk.Denial) -> None:
        step = self.holding.trader.block(wanted.number, denial.reason)
        self.note_block(wanted.symbol, wanted.side, wanted.quantity, denial)
        self.take(step)

    def note_block(self, symbol: str, side: str, quantity: float | None, denial: risk.Denial) -> None:
        price, _ = self.market.prices.get(symbol, (None, None))
        self.written.blocked.append(
            BlockEvent(
                bot=self.holding.bot,
                run_id=self.holding.run.run_id,
                correlation_id=self.correlation_id,
                trigger_id=self.market.trigger_id,
                symbol=symbol,
                side=side,
                qty=None if quantity is None or quantity != quantity else self.holding.exact(symbol, quantity),
                price=price,
                reason=denial.reason,
                detail=denial.detail[:400],
            )
        )

    def take(self, step: Step) -> None:
        """A refusal while a step is taken makes another one, which may end what the first one wants: it is taken after it, when
        all of that has its rows."""
        self.steps.append(step)
        if len(self.steps) > 1:
            return
        while self.steps:
            self.take_one(self.steps[0])
            self.steps.popleft()

    def take_one(self, step: Step) -> None:
        """Orders first, then what the engine executed, then what it ended."""
        self.orders([one for one in step.wanted if self.holding.trader.is_wanted(one.number) and self.admitted(one)])
        self.executed(step.executed)
        for done in step.done:
            self.ended(done)
        note_equity(self.holding, step)

    def admitted(self, wanted: Intent) -> bool:
        return wanted.number in self.wanted or wanted.number in self.rows or self.executed_already(wanted) or self.allow(wanted)

    def executed_already(self, wanted: Intent) -> bool:
        """On paper an exit that triggered inside a candle is wanted and executed in one step; there is nothing to refuse."""
        return not self.holding.external and wanted.side == "sell"

    def orders(self, wanted: Iterable[Intent]) -> None:
        fresh = [self.order(one) for one in wanted if one.number not in self.rows]
        self.fresh += fresh
        self.rows |= {row.number: row for row in fresh}
        if fresh and not self.holding.external:
            self.insert_orders(self.batch)  # what is executed at once refers to them
            self.batch.run()
            self.batch = Batch()
            self.written.news += self.order_news()
            self.note_orders()

    def claim_sending(self, batch: Batch) -> None:
        now = timezone.now()
        if self.lease:
            batch.hold("lease", LEASED, self.lease.values(now))
        for row in self.fresh:
            if self.lease and not row.cancel_requested:
                row.status, row.submitted_at, row.attempts = OrderStatus.SUBMITTED, now, 1
            else:
                row.status, row.submitted_at, row.attempts = OrderStatus.PENDING, None, 0

    def insert_orders(self, batch: Batch) -> None:
        for row in self.fresh:
            batch.insert(row)
            if row.number in self.claims:
                batch.insert(self.allocation(row), refers={"order": row})

    def order_news(self) -> list[News]:
        news = []
        for row in self.fresh:
            news.append(News("intent", row.mode, intent_payload(row), row.correlation_id))
            news.append(News("order_submitted", row.mode, order_payload(row, self.holding), row.correlation_id))
        return news

    def note_orders(self) -> None:
        """They have been written."""
        for row in self.fresh:
            self.holding.orders[row.number] = row.pk
            if row.reason not in PROTECTIVE:
                self.holding.recent.append(self.market.time)
            metrics.orders.labels(row.venue, row.status).inc()
        if self.holding.external:
            self.written.send += self.fresh
        self.fresh = []

    def order(self, wanted: Intent) -> Order:
        holding, bot = self.holding, self.holding.bot
        now = timezone.now()
        price, _ = self.market.prices.get(wanted.symbol, (None, None))
        return Order(
            order_id=token_hex(8),
            client_order_id=f"qd-{holding.run.run_id}-{wanted.number}",
            bot=bot,
            run=holding.run,
            wallet=bot.wallet,
            number=wanted.number,
            mode=bot.mode,
            venue=bot.venue,
            symbol=wanted.symbol,
            side=wanted.side,
            type=wanted.type,
            quantity=holding.exact(wanted.symbol, wanted.quantity),
            limit=holding.price(wanted.symbol, wanted.side, wanted.limit),
            stop=holding.price(wanted.symbol, wanted.side, wanted.stop, stop=True),
            reason=wanted.reason,
            status=OrderStatus.PENDING if holding.external else OrderStatus.ACCEPTED,
            reference_price=price,
            correlation_id=self.correlation_id,
            trigger_id=self.market.trigger_id,
            decided_at=self.market.time,
            created_at=now,
            submitted_at=None if holding.external else now,
        )

    def allocation(self, order: Order) -> RiskAllocation:
        amount = self.claims[order.number]
        quote = order.symbol.split("-")[1]
        return RiskAllocation(order=order, bot=self.holding.bot, currency=quote, amount=amount, open=amount)

    def executed(self, executed: Iterable[Executed]) -> None:
        """The engine's own executions (replay, paper)."""
        by_order: dict[int, list[Executed]] = {}
        for one in executed:
            by_order.setdefault(one.number, []).append(one)
        for number, parts in by_order.items():
            self.fill(self.row(number), parts)

    def fill(self, order: Order, parts: list[Executed]) -> None:
        holding = self.holding
        position = holding.positions[order.symbol]
        done = order.fills.count() if order.filled_quantity else 0
        executions = [self.execution(order, one, done + i) for i, one in enumerate(parts)]
        booked = fills_book(order, position, executions, self.batch, self.books)
        # What an order asked for may be cut to what could be paid or sold: its quantity follows.
        order.quantity = max(order.quantity, order.filled_quantity)
        order.status = OrderStatus.PARTIALLY_FILLED
        self.batch.update(order, *ORDER_FILLED)
        metrics.fills.labels(order.venue).inc(len(booked))
        self.written.news += fill_news(booked, order, position, holding.bot.strategy)

    def execution(self, order: Order, one: Executed, index: int) -> Execution:
        position = self.holding.positions[order.symbol]
        quantity = self.holding.exact(order.symbol, one.quantity)
        if order.side == "sell" and one.position == 0.0:
            quantity = position.quantity  # all of it: sums of floats would leave their noise behind
        return Execution(
            trade_id=f"{order.number}-{index}",
            price=Decimal(repr(one.price)),
            quantity=quantity,
            fee=Decimal(repr(one.fee)).quantize(Decimal("1e-18")),
            fee_asset=order.symbol.split("-")[1],
            maker=bool(one.maker),
            time=from_ms(one.time),
        )

    def ended(self, done: Ended) -> None:
        if done.number not in self.holding.orders and done.number not in self.rows:
            if done.status == "refused":
                self.note_refusal(done)
            return
        order = self.row(done.number)
        if self.holding.external:
            # On record: whoever comes after a crash, or after a venue that did not answer, cancels it.
            order.cancel_requested = True
            if order.pk:
                self.batch.update(order, "cancel_requested")
            self.written.cancel.append(order)
        else:
            # Cut short by the engine: what it could not get was refused, and the order ends there.
            status = OrderStatus.CANCELLED if done.status == "refused" else OrderStatus(done.status)
            self.close(order, status, done.refusal)

    def note_refusal(self, done: Ended) -> None:
        """The engine itself did not make the order: no cash, below the lot size, too many positions."""
        detail = risk.REASONS.get(done.refusal, done.refusal)
        self.note_block(done.symbol, done.side, None, risk.Denial(done.refusal, detail))

    def close(self, order: Order, status: OrderStatus, why: str = "") -> None:
        order.status, order.status_reason, order.closed_at = status, why, timezone.now()
        self.batch.update(order, *ORDER_OVER)
        released = AllocationStatus.EXPIRED if status == OrderStatus.EXPIRED else AllocationStatus.RELEASED
        allocation_release(order, self.batch, self.books.draw, released)
        self.holding.orders.pop(order.number, None)
        self.written.news.append(News("order_update", order.mode, order_payload(order, self.holding), order.correlation_id))
        metrics.orders.labels(order.venue, status).inc()

    def row(self, number: int) -> Order:
        if number not in self.rows:
            self.rows[number] = Order.objects.get(pk=self.holding.orders[number])
        return self.rows[number]

    def finish(self) -> StepEffects:
        if not self.write():
            self.lease = None
            with transaction.atomic():
                self.claim_each()
                if not self.write():
                    raise Overtaken(f"The budgets of {self.holding.bot.name} changed meanwhile.")
        return self.written

    def write(self) -> bool:
        """Everything in one statement, the events last. False: some budget has no room for what is wanted, the kill switch is on,
        or the hold on the venue is lost, and nothing was written."""
        holding, batch = self.holding, self.batch.copy()
        if self.fresh and holding.external:
            self.claim_sending(batch)
        self.insert_orders(batch)
        batch.insert(*self.written.blocked)
        holding.add_state(batch)
        self.books.add_to(batch)
        if self.fresh and not self.at_once:
            batch.hold("kill switch", ALIVE, ())
        blocked = [News("trade_blocked", holding.bot.mode, block_payload(one), one.correlation_id) for one in self.written.blocked]
        news = [*self.written.news, *self.order_news(), *blocked]
        events_add(batch, news, bot=holding.bot.bot_id, run_id=holding.run.run_id)
        missed = batch.run()
        if isinstance(missed, BotState):
            raise StaleBot(f"Another worker trades for {holding.bot.name}.")
        if isinstance(missed, Model):
            raise Overtaken(f"Somebody else has written {missed} meanwhile.")
        if missed is not None:
            return False
        holding.version += 1
        self.written.news = news
        for block in self.written.blocked:
            metrics.blocked.labels(block.reason).inc()
        self.note_orders()
        return True


def act(holding: LoadedBot, market: MarketNow, call: Callable[[], Step], *, checked: Sequence[Intent] = ()) -> StepEffects:
    """What the engine does on `call` becomes rows. `checked`: entries that the call would execute at once, looked at before it.

    A step in which nothing happens writes nothing. After an exception the holding is out of step with its rows: load it again."""
    if not checked:
        step = call()
        if not (step.wanted or step.executed or step.done):
            note_equity(holding, step)
            return StepEffects()
    with nullcontext() if holding.external else transaction.atomic():
        writer = StepWriter(holding, market)
        if checked:
            for wanted in checked:
                writer.allow(wanted)
            step = call()
        writer.take(step)
        return writer.finish()


def note_equity(holding: LoadedBot, step: Step) -> None:
    if step.equity is not None:
        holding.run.equity = Decimal(repr(step.equity)).quantize(Decimal("1e-8"))


def candle_open(holding: LoadedBot, time_ms: int, opens: Mapping[str, float], market: MarketNow) -> StepEffects:
    """The candle that opened at `time_ms` has begun. On paper what was queued is executed at its open; for a venue the exits are
    wanted now, and the entries once no exit is on its way (`entries_want`)."""
    trader = holding.trader
    checked = [] if holding.external else [one for one in trader.preview_open(opens) if one.side == "buy"]
    written = act(holding, market, lambda: trader.open(time_ms, opens), checked=checked)
    holding.opened = time_ms
    return written


def candle_close(
    holding: LoadedBot,
    time_ms: int,
    candles: Mapping[str, OHLCV],
    rows: Mapping[str, SignalRow],
    market: MarketNow,
    *,
    tradable: bool = True,
) -> StepEffects:
    """The candle that opened at `time_ms` has closed: paper executes what lies inside it, and the strategy's wishes are taken
    in."""
    trader = holding.trader
    if not holding.external and holding.opened != time_ms:
        candle_open(holding, time_ms, {symbol: one.open for symbol, one in candles.items()}, market)
    holding.time = time_ms
    return act(holding, market, lambda: trader.close(time_ms, candles, rows, tradable))


def checkpoint(holding: LoadedBot) -> None:
    """Writes the engine's memory and how far the run is, where no step did for a while."""
    with transaction.atomic():
        holding.save_state()
        runs_progress_write([holding.run])


def intent_payload(order: Order) -> dict[str, object]:
    """What the strategy, or a protective exit, wanted, and on what."""
    return {
        "symbol": order.symbol,
        "side": order.side,
        "qty": decimal_text(order.quantity),
        "reason": order.reason,
        "trigger_id": order.trigger_id,
        "price": None if order.reference_price is None else decimal_text(order.reference_price),
    }


def order_payload(order: Order, holding: LoadedBot | None = None) -> dict[str, object]:
    price = order.limit if order.limit is not None else order.stop
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "venue": order.venue,
        "symbol": order.symbol,
        "side": order.side,
        "qty": decimal_text(order.quantity),
        "price": None if price is None else decimal_text(price),
        "type": order.type,
        "status": str(order.status),
        "status_reason": order.status_reason,
        "filled_qty": decimal_text(order.filled_quantity),
        "average_price": None if order.average_price is None else decimal_text(order.average_price),
        "strategy": holding.bot.strategy if holding else order.bot.strategy,
        "signal_reason": order.reason,
    }


def block_payload(block: BlockEvent) -> dict[str, object]:
    return {
        "reason": block.reason,
        "trigger_id": block.trigger_id,
        "symbol": block.symbol,
        "side": block.side,
        "qty": None if block.qty is None else decimal_text(block.qty),
        "detail": block.detail,
    }
