"""The way of an order to the venue and back. Each hand-over is a compare-and-set; the venue is only ever told of what is committed.

submitted -> (committed) -> the venue hears of it; by way of pending where it was not to be sent at once. From then on only the
venue's word moves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from secrets import token_hex
from typing import Literal

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db import connection, transaction
from django.db.models import Min
from django.utils import timezone

from core.errors import Conflict, Invalid, NotFound
from core.events import News, events_record
from core.prepared import prepared
from engine.transitions import OVER, advance_status, may_advance
from market.exchanges.base import OrderRequest, Report
from trading import metrics
from trading.models import OPEN, AllocationStatus, Bot, ForeignOrder, Order, OrderStatus, RiskAllocation
from trading.services.budgets import ALIVE
from trading.services.fills import Booked, allocation_release, fill_news, fills_book
from trading.services.loaded_bot import LEASED, Lease, LoadedBot, MarketNow
from trading.services.step_writer import ORDER_FILLED, ORDER_OVER, StepEffects, StepWriter, order_payload

TOO_OLD = timedelta(seconds=30)
"""A market order that could not be sent for so long is not sent any more: the decision was for another market."""

Person = AbstractBaseUser | AnonymousUser | None


CLAIM = f"""
UPDATE trading_order SET status = 'submitted', submitted_at = %s::timestamptz, attempts = attempts + 1
WHERE id = %s::bigint AND status = 'pending' AND NOT cancel_requested AND EXISTS ({ALIVE}) AND EXISTS ({LEASED})
"""  # noqa: S608


def order_claim_send(order: Order, lease: Lease) -> OrderRequest | None:
    """Pending -> submitted, for exactly one sender that still holds the venue, while no kill switch is on. None: not to be sent.

    What is asked of the venue never changes after the order's row was made."""
    now = timezone.now()
    with prepared(CLAIM, [now, order.pk, *lease.values(now)]) as cursor:
        if not cursor.rowcount:
            return None
    order.status, order.submitted_at = OrderStatus.SUBMITTED, now
    return request_of(order)


def request_of(order: Order) -> OrderRequest:
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=order.side,  # type: ignore[arg-type]
        type=order.type,  # type: ignore[arg-type]
        quantity=order.quantity,
        limit=order.limit,
        stop=order.stop,
        time_in_force="ioc" if order.type == "market" else "gtc",
    )


def order_unsend(order_id: int) -> bool:
    """Submitted -> pending where the venue surely never heard of it; sent again later, unless it is too old."""
    return (
        Order.objects.filter(pk=order_id, status=OrderStatus.SUBMITTED, venue_order_id="").update(status=OrderStatus.PENDING) == 1
    )


def report_apply(holding: LoadedBot, report: Report, market: MarketNow) -> StepEffects:
    """What the venue says of an order of this bot: new executions are booked and the engine hears of them; the status moves where
    the table of transitions lets it. The same report again, or an older one, changes nothing."""
    order = order_read("client_order_id", report.client_order_id)
    writer = StepWriter(holding, market, correlation_id=order.correlation_id)
    writer.rows[order.number] = order
    position = holding.positions[order.symbol]
    before, named, filled = str(order.status), order.venue_order_id, order.filled_quantity
    booked = fills_book(order, position, report.executions, writer.batch, writer.books)
    complete = order.filled_quantity >= order.quantity
    # The venue may speak of a fill whose execution we have not been told: the order stays open until it has been asked for.
    told = report.status if order.filled_quantity >= report.filled else "partially_filled"
    order.status = OrderStatus(advance_status(order.status, told, complete=complete))
    order.venue_order_id = named or report.venue_order_id
    if not booked and (order.status, order.venue_order_id) == (before, named):
        return writer.written  # heard before
    if order.status != before and order.status in OVER:
        order.closed_at, order.status_reason = timezone.now(), report.reason[:200]
    writer.batch.update(order, *ORDER_FILLED, "venue_order_id", status=before, filled_quantity=filled)
    metrics.fills.labels(order.venue).inc(len(booked))
    writer.written.news += fill_news(booked, order, position, holding.bot.strategy)
    tell_engine(writer, order, booked, before)
    holding.note_heard(order)
    return writer.finish()


ORDER, ALLOCATION = (list(model._meta.concrete_fields) for model in (Order, RiskAllocation))
COLUMNS = ", ".join([*(f"one.{each.column}" for each in ORDER), *(f"claim.{each.column}" for each in ALLOCATION)])
READ = {
    by: f"SELECT {COLUMNS} FROM trading_order AS one LEFT JOIN trading_riskallocation AS claim ON claim.order_id = one.id "  # noqa: S608
    f"WHERE one.{by} = %s"
    for by in ("id", "client_order_id")
}


def order_read(by: Literal["id", "client_order_id"], value: object) -> Order:
    """An order with what was claimed for it. Who writes it says what it was: somebody else may write it meanwhile."""
    with prepared(READ[by], [value]) as cursor:
        row = cursor.fetchone()
    if row is None:
        raise Order.DoesNotExist(f"There is no order {value}.")
    order = Order.from_db(connection.alias, [each.attname for each in ORDER], row[: len(ORDER)])
    if (claimed := row[len(ORDER) :])[0] is not None:
        # And so `order.allocation` is known.
        RiskAllocation.from_db(connection.alias, [each.attname for each in ALLOCATION], claimed).order = order
    return order


def tell_engine(writer: StepWriter, order: Order, booked: Sequence[Booked], before: str) -> None:
    """The engine hears of its own orders of this run. One of an earlier run, one that a person had adopted, or one of which its
    memory cannot be read any more, is in the books only."""
    holding = writer.holding
    mine = order.run_id == holding.run.pk and order.number >= 0 and not holding.unreadable
    for one in booked if mine else ():
        fill = one.fill
        quantity, fee = float(fill.quantity), 0.0 if one.fee_base else float(fill.fee)
        time_ms = int(fill.ts.timestamp() * 1000)
        step = holding.trader.apply_fill(
            order.number, float(fill.price), quantity, fee, fill.maker, time_ms, fee_base=float(one.fee_base)
        )
        writer.take(step)
    if order.status == before:
        return
    if order.status in OVER:
        released = AllocationStatus.EXPIRED if order.status == OrderStatus.EXPIRED else AllocationStatus.RELEASED
        allocation_release(order, writer.batch, writer.books.draw, released)
        if holding.orders.get(order.number) == order.pk:  # an earlier run's order may have had the same number
            del holding.orders[order.number]
        if not booked:
            writer.correlation_id = token_hex(16)  # what is wanted in place of an order that came to nothing is another story
        if mine:
            writer.take(holding.trader.apply_end(order.number, str(order.status)))
    elif mine:
        holding.trader.apply_acceptance(order.number)
    writer.written.news.append(News("order_update", order.mode, order_payload(order, holding), order.correlation_id))
    metrics.orders.labels(order.venue, order.status).inc()


def order_end(holding: LoadedBot, order_id: int, seen: str, status: OrderStatus, why: str, market: MarketNow) -> StepEffects:
    """An order that surely is over without the venue's report: refused by the venue, never sent, or never arrived there. `seen` is
    the status that this was concluded from: where the order has gone on since, nothing is concluded."""
    order = order_read("id", order_id)
    writer = StepWriter(holding, market, correlation_id=order.correlation_id)
    writer.rows[order.number] = order
    before = str(order.status)
    if before != seen or not may_advance(before, status):
        return writer.written
    holding.heard.pop(order.client_order_id, None)
    order.status, order.status_reason, order.closed_at = status, why[:200], timezone.now()
    writer.batch.update(order, *ORDER_OVER, status=before)
    tell_engine(writer, order, (), before)
    return writer.finish()


def order_cancel_request(*, order_id: str, user: Person) -> Order:
    """Asks for an open order to be cancelled; the worker that holds its bot tells the venue. `NotFound`, `Conflict` if it is
    over."""
    order = Order.objects.select_related("bot").filter(order_id=order_id).first()
    if order is None:
        raise NotFound(f"There is no order {order_id}.")
    if not Order.objects.filter(pk=order.pk, status__in=OPEN).update(cancel_requested=True):
        raise Conflict(f"The order is {order.status}: there is nothing to cancel.")
    order.refresh_from_db()
    payload = order_payload(order) | {"cancel_requested_by": str(user)}
    with transaction.atomic():
        events_record(
            [News("order_update", "person", payload, order.correlation_id)], bot=order.bot.bot_id, run_id=order.run.run_id
        )
    return order


def orders_cancel_note(orders: Iterable[Order]) -> None:
    """Marks orders that the engine has given up, so that the cancelling survives a crash."""
    ids = [order.pk for order in orders]
    if ids:
        Order.objects.filter(pk__in=ids, status__in=OPEN).update(cancel_requested=True)


def order_note(order_id: int, words: str) -> None:
    """For the screen of what could not be resolved."""
    Order.objects.filter(pk=order_id, status__in=OPEN).update(status_reason=words[:200])


def foreign_order_resolve(*, foreign_id: int, action: str, bot_id: str = "", user: Person = None) -> ForeignOrder:
    """A person's word on an order that is not ours: `ignore` it, or have a bot `adopt` it, which then books its fills and counts it
    among its orders. `Conflict` if somebody has decided, or the bot does not trade there; `NotFound`."""
    with transaction.atomic():
        found = ForeignOrder.objects.select_for_update().select_related("wallet").filter(pk=foreign_id).first()
        if found is None:
            raise NotFound("There is no such order.")
        if found.state != ForeignOrder.State.OPEN:
            raise Conflict(f"This order is {found.state} already.")
        if action == "ignore":
            found.state = ForeignOrder.State.IGNORED
        elif action == "adopt":
            found.adopted_by = order_adopt(found, bot_id).bot
            found.state = ForeignOrder.State.ADOPTED
        else:
            raise Invalid.at("action", "must be adopt or ignore.")
        found.save()
        payload = {"venue_order_id": found.venue_order_id, "symbol": found.symbol, "action": action, "by": str(user)}
        events_record([News("order_update", "person", payload)], bot=found.adopted_by.bot_id if found.adopted_by else "")
    return found


def order_adopt(found: ForeignOrder, bot_id: str) -> Order:
    """Our row for it. Its number is below zero: the engine did not want it, and hears of its fills as of a hand's."""
    bot = Bot.objects.select_related("run", "wallet").filter(bot_id=bot_id, archived_at=None).first()
    if bot is None:
        raise NotFound(f"There is no bot {bot_id}.")
    if bot.run is None or bot.wallet_id != found.wallet_id or found.symbol not in bot.symbol_list:
        raise Conflict(f"{bot.name} does not trade {found.symbol} with {found.wallet.name}, or was never started.")
    lowest = Order.objects.filter(run=bot.run).aggregate(low=Min("number"))["low"] or 0
    now = timezone.now()
    return Order.objects.create(
        order_id=token_hex(8),
        client_order_id=found.client_order_id or f"adopted-{found.venue_order_id}"[:36],
        venue_order_id=found.venue_order_id,
        bot=bot,
        run=bot.run,
        wallet=bot.wallet,
        number=min(lowest, 0) - 1,
        mode=bot.mode,
        venue=bot.venue,
        symbol=found.symbol,
        side=found.side,
        type=found.type,
        quantity=found.quantity,
        limit=found.limit,
        reason="adopted",
        status=OrderStatus.ACCEPTED,
        correlation_id=token_hex(16),
        decided_at=now,
        submitted_at=now,
    )
