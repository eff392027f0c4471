"""The way of an order to the venue and back. Each hand-over is a compare-and-set; the venue only ever gets what is committed.

submitted -> (committed) -> sent to the venue; by way of pending where it was not to be sent at once. From then on only the venue's
reports change its status.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from secrets import token_hex
from typing import Literal, cast

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from access.limits import require_reach
from access.people import Person
from access.rights import require_right
from core.errors import Conflict, Invalid, NotFound
from core.events import News, events_record
from core.joined_rows import JoinedRows
from core.prepared import execute_prepared
from core.text import decimal_text
from core.times import to_ms
from engine.live import Refusal
from engine.transitions import OVER, follow_report, may_advance
from market.exchanges.base import OrderRequest, OrderType, Report, Side
from trading import metrics
from trading.models import OPEN, AllocationStatus, Bot, ForeignOrder, Order, OrderStatus, RiskAllocation
from trading.services.bot_loading import positions_ensure
from trading.services.budgets import ALIVE
from trading.services.fills import BookedFill, fill_news, fills_book
from trading.services.foreign_orders import explain_mismatch, report_set_aside
from trading.services.lease import LEASED, Lease
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.order_rows import ORDER_FILLED, ORDER_OVER, order_payload
from trading.services.step_writer import StepEffects
from trading.services.twins import name_as_ours
from trading.services.venue_steps import VenueStepWriter
from wallets.selectors import wallet_reach

TOO_OLD = timedelta(seconds=30)
"""A market order that could not be sent for so long is not sent any more: the decision was for another market."""
CLAIM = f"""
UPDATE trading_order SET status = 'submitted', submitted_at = %s::timestamptz, attempts = attempts + 1
WHERE id = %s::bigint AND status = 'pending' AND NOT cancel_requested AND EXISTS ({ALIVE}) AND EXISTS ({LEASED})
"""  # noqa: S608


def order_claim_send(order: Order, lease: Lease) -> OrderRequest | None:
    """Pending -> submitted, for exactly one sender that still holds the venue, while no kill switch is on. None: not to be sent.

    What is asked of the venue never changes after the order's row was made."""
    now = timezone.now()
    with execute_prepared(CLAIM, [now, order.pk, *lease.values(now)]) as cursor:
        if not cursor.rowcount:
            return None
    order.status, order.submitted_at = OrderStatus.SUBMITTED, now
    return order_request(order)


def order_request(order: Order) -> OrderRequest:
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=cast(Side, order.side),
        type=cast(OrderType, order.type),
        quantity=order.quantity,
        limit=order.limit,
        stop=order.stop,
        time_in_force="ioc" if order.type == "market" else "gtc",
    )


def order_unsend(order_id: int) -> bool:
    """Submitted -> pending, where the order surely never reached the venue; it is sent again later, unless it is too old."""
    return (
        Order.objects.filter(pk=order_id, status=OrderStatus.SUBMITTED, venue_order_id="").update(status=OrderStatus.PENDING) == 1
    )


def report_apply(loaded_bot: LoadedBot, report: Report, market: MarketNow, *, wallet_id: int | None = None) -> StepEffects:
    """Books what the venue reports of an order of this bot: new executions go into the books and to the engine, and the status
    moves where the table of transitions lets it. The same report again, or an older one, changes nothing. `wallet_id`: of the
    account that said it; None: the bot's. What is of another account, bot, symbol or side than our order is set aside."""
    mine = loaded_bot.bot.wallet_id
    said_by = wallet_id or mine
    order = ORDERS.read("client_order_id", report.client_order_id)
    report = name_as_ours(report, order)
    why = explain_mismatch(order, report, bot_id=loaded_bot.bot.pk, wallet_id=mine, account_wallet_id=said_by)
    if order is None or why:
        report_set_aside(report, wallet_id=said_by, why=why)
        return StepEffects()
    return report_book(loaded_bot, order, report, market)


def report_book(loaded_bot: LoadedBot, order: Order, report: Report, market: MarketNow) -> StepEffects:
    """The report is of this order."""
    writer = VenueStepWriter(loaded_bot, market, correlation_id=order.correlation_id)
    writer.rows[order.number] = order
    # An order of an earlier run may be of a symbol that the bot does not trade any more.
    position = positions_ensure(loaded_bot.bot, [order.symbol], loaded_bot.positions)[order.symbol]
    before, named, filled = str(order.status), order.venue_order_id, order.filled_quantity
    booked = fills_book(order, position, report.executions, writer.batch, writer.books)
    counts = {"quantity": order.quantity, "filled": order.filled_quantity, "told": report.filled}
    order.status = OrderStatus(follow_report(order.status, report.status, **counts))
    order.venue_order_id = named or report.venue_order_id
    if not booked and (order.status, order.venue_order_id) == (before, named):
        return writer.effects  # the rows say so already
    if order.status != before and order.status in OVER:
        order.closed_at, order.status_reason = timezone.now(), report.reason[:200]
        if order.status != report.status == "filled":
            order.status_reason = f"The venue ended it with {decimal_text(report.filled)} of {decimal_text(order.quantity)} filled."
    writer.batch.update(order, *ORDER_FILLED, "venue_order_id", status=before, filled_quantity=filled)
    metrics.fills.labels(order.venue).inc(len(booked))
    writer.effects.news += fill_news(booked, order, position, loaded_bot.bot.strategy)
    tell_engine(writer, order, booked, before, Refusal("passing", "", explain_end(order, report), to_ms(market.time)))
    loaded_bot.heard.note(order)
    return writer.finish()


def explain_end(order: Order, report: Report) -> str:
    """Why the venue has ended it, if it was not filled."""
    if report.status != "cancelled":
        return report.reason
    return "A person asked the desk to cancel it." if order.cancel_requested else "Somebody else cancelled it at the venue."


ORDERS = JoinedRows(Order, RiskAllocation, "order")
"""Orders with what was claimed for them, so that `order.allocation` is known."""


def order_read(by: Literal["id", "client_order_id"], value: object) -> Order:
    """An order with what was claimed for it, without a lock: whoever writes it names the values that were read here, because
    somebody else may have written it in between."""
    order = ORDERS.read(by, value)
    if order is None:
        raise Order.DoesNotExist(f"There is no order {value}.")
    return order


def tell_engine(writer: VenueStepWriter, order: Order, booked: Sequence[BookedFill], before: str, refusal: Refusal) -> None:
    """Passes fills and ends on to the engine, which knows its own orders of this run. An order of an earlier run, one that a person
    had a bot adopt, or one of a bot whose snapshot cannot be read any more, is in the books only. `refusal`: why it has ended, if
    it was not filled."""
    loaded_bot = writer.loaded_bot
    mine = order.run_id == loaded_bot.run.pk and order.number >= 0 and not loaded_bot.unreadable
    for one in booked if mine else ():
        fill = one.fill
        quantity, fee = float(fill.quantity), float(one.fee_quote)
        time_ms = int(fill.ts.timestamp() * 1000)
        step = loaded_bot.trader.apply_fill(
            order.number, float(fill.price), quantity, fee, fill.maker, time_ms, fee_base=float(one.fee_base)
        )
        writer.take(step)
    if order.status == before:
        return
    if order.status in OVER:
        released = AllocationStatus.EXPIRED if order.status == OrderStatus.EXPIRED else AllocationStatus.RELEASED
        writer.books.release(order, released)
        if loaded_bot.orders.get(order.number) == order.pk:  # an earlier run's order may have had the same number
            del loaded_bot.orders[order.number]
        if not booked:
            writer.correlation_id = token_hex(16)  # what is wanted in place of an order that came to nothing is another story
        if mine:
            writer.take(loaded_bot.trader.apply_end(order.number, str(order.status), refusal))
    elif mine:
        loaded_bot.trader.apply_acceptance(order.number)
    payload = order_payload(order, loaded_bot.bot.strategy)
    writer.effects.news.append(News("order_update", order.mode, payload, order.correlation_id))
    metrics.orders.labels(order.venue, order.status).inc()


def order_end(
    loaded_bot: LoadedBot, order_id: int, seen: str, status: OrderStatus, why: Refusal | str, market: MarketNow
) -> StepEffects:
    """Ends an order that is surely over without a report of the venue: the venue refused it, or it never arrived there (`why` in
    words). `seen` is the status that this was concluded from: where the order has gone on since, nothing is done."""
    refusal = replace(why if isinstance(why, Refusal) else Refusal("passing", "", why), time=to_ms(market.time))
    order = order_read("id", order_id)
    writer = VenueStepWriter(loaded_bot, market, correlation_id=order.correlation_id)
    writer.rows[order.number] = order
    before = str(order.status)
    if before != seen or not may_advance(before, status):
        return writer.effects
    loaded_bot.heard.forget(order)
    said = f"{refusal.code} {refusal.cause}".strip()
    order.status, order.status_reason, order.closed_at = status, said[:200], timezone.now()
    writer.batch.update(order, *ORDER_OVER, status=before)
    tell_engine(writer, order, (), before, refusal)
    return writer.finish()


def order_cancel_request(*, order_id: str, user: Person) -> Order:
    """Asks for an open order to be cancelled, which the worker that runs its bot passes on to the venue. `NotFound`; `Conflict` if
    it is over."""
    require_right(user, "trading.change_order")
    order = Order.objects.select_related("bot", "wallet").filter(order_id=order_id).first()
    if order is None:
        raise NotFound(f"There is no order {order_id}.")
    require_reach(user, bot=order.bot.bot_id, **wallet_reach(order.wallet))
    if not Order.objects.filter(pk=order.pk, status__in=OPEN).update(cancel_requested=True):
        raise Conflict(f"The order is {order.status}: there is nothing to cancel.")
    order.refresh_from_db()
    payload = order_payload(order, order.bot.strategy) | {"cancel_requested_by": str(user)}
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


def order_reason_note(order_id: int, words: str) -> None:
    """Says on the screen of unresolved orders why this one is among them."""
    Order.objects.filter(pk=order_id, status__in=OPEN).update(status_reason=words[:200])


def order_revival_tell(order_id: int) -> None:
    """An order that is over with us rests at the venue: told once."""
    words = "It rested at the venue although it was over; it is cancelled there again."
    if not Order.objects.filter(pk=order_id).exclude(status_reason=words).update(status_reason=words):
        return
    order = Order.objects.select_related("bot").get(pk=order_id)
    message = f"{order.client_order_id} of {order.bot.name} is {order.status}, and rests at {order.venue}. It is cancelled again."
    told = {"message": message, "order_id": order.order_id, "symbol": order.symbol}
    events_record([News("alert", "recovery", told, order.correlation_id)], bot=order.bot.bot_id)


def foreign_order_resolve(*, foreign_id: int, action: str, bot_id: str = "", user: Person = None) -> ForeignOrder:
    """A person's decision on an order that is not ours: `ignore` it, or have a bot `adopt` it, which then books its fills and
    counts it among its orders. `Conflict` if somebody has decided, or the bot does not trade there; `NotFound`."""
    require_right(user, "trading.change_foreignorder")
    with transaction.atomic():
        found = ForeignOrder.objects.select_for_update().select_related("wallet").filter(pk=foreign_id).first()
        if found is None:
            raise NotFound("There is no such order.")
        require_reach(user, bot=bot_id, **wallet_reach(found.wallet))
        if found.state != ForeignOrder.State.OPEN:
            raise Conflict(f"This order is {found.state} already.")
        if action == "ignore":
            found.state = ForeignOrder.State.IGNORED
        elif action == "adopt":
            if found.unread or found.quantity is None:
                raise Conflict("The desk cannot read this order, so no bot can take it over. Ignore it, or cancel it at the venue.")
            found.adopted_by = order_adopt(found, bot_id).bot
            found.state = ForeignOrder.State.ADOPTED
        else:
            raise Invalid.at("action", "must be adopt or ignore.")
        found.save()
        payload = {"venue_order_id": found.venue_order_id, "symbol": found.symbol, "action": action, "by": str(user)}
        events_record([News("order_update", "person", payload)], bot=found.adopted_by.bot_id if found.adopted_by else "")
    return found


def order_adopt(found: ForeignOrder, bot_id: str) -> Order:
    """Our row for it. Its number is below zero, because the engine did not want it and does not know its fills."""
    bot = Bot.objects.select_related("run", "wallet").filter(bot_id=bot_id, archived_at=None).first()
    if bot is None:
        raise NotFound(f"There is no bot {bot_id}.")
    if bot.run is None or bot.wallet_id != found.wallet_id or found.symbol not in bot.symbol_list:
        raise Conflict(f"{bot.name} does not trade {found.symbol} with {found.wallet.name}, or was never started.")
    if Order.objects.filter(client_order_id=found.client_order_id).exclude(client_order_id="").exists():
        raise Conflict(f"An order of ours has the id {found.client_order_id} already: cancel this one at the venue instead.")
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
