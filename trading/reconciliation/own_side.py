"""Our side of a wallet, from the rows. Everything here is called in a database thread."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import Prefetch, Q

from core.errors import Conflict
from core.fields import EXACT
from core.venues import venue_key
from market.exchanges.base import Execution, Report, UnreadRow
from market.exchanges.movements import Movement as VenueMovement
from market.models import Instrument
from trading.models import EXTERNAL, OPEN, Order, OrderStatus, Position
from trading.reconciliation.causes import Cause, EvidenceRow
from trading.reconciliation.compare import OwnSide, RestingOrder
from trading.reconciliation.evidence import BookedTrade, VenueTrade, name_trade_of, sum_amounts
from trading.services.fills import name_account
from trading.services.twins import name_book
from wallets.ledger import Account
from wallets.models import LedgerEntry, LedgerTransaction, Movement, ReconciliationRun, Wallet
from wallets.services import movements_take

MARGIN = timedelta(minutes=1)
"""Fills are asked for from so much before the clean point: two clocks never agree."""
CAUSES_OF_MOVEMENTS = {
    Movement.Kind.CONVERSION: Cause.CONVERSION,
    Movement.Kind.DUST: Cause.DUST,
    Movement.Kind.REBATE: Cause.REBATE,
}
"""Of the others, which came in or went out, it is `movement`."""
UNSENT = (OrderStatus.PENDING, OrderStatus.SUBMITTED)


def read_own_side(wallet: Wallet) -> OwnSide:
    """Amounts are those of the ledger without what it took for granted: see `WalletBalance.unbooked`."""
    balances = {one.asset: EXACT.subtract(one.amount, one.unbooked) for one in wallet.balances.all()}
    orders = list(Order.objects.filter(wallet=wallet, status__in=OPEN, bot__mode__in=EXTERNAL))
    resting = [rest_order(one) for one in orders if one.status not in UNSENT]
    pending = {one.client_order_id: one.symbol for one in orders if one.status in UNSENT}
    return OwnSide(balances, resting, pending, read_positions(wallet))


def rest_order(order: Order) -> RestingOrder:
    price = order.limit if order.limit is not None else order.stop
    left = order.quantity - order.filled_quantity
    name = order.venue_order_id or order.client_order_id
    return RestingOrder(name, order.client_order_id, order.symbol, order.side, left, price)


def read_positions(wallet: Wallet) -> dict[str, Decimal]:
    """What the wallet's bots hold together, by asset."""
    held: dict[str, Decimal] = defaultdict(Decimal)
    for position in Position.objects.filter(wallet=wallet, quantity__gt=0, bot__mode__in=EXTERNAL):
        held[position.symbol.split("-")[0]] += position.quantity
    return dict(held)


def find_clean_point(wallet: Wallet) -> datetime:
    """From when on, by the venue's clock, fills of the two sides may differ."""
    runs = ReconciliationRun.objects.filter(wallet=wallet, clean_until__isnull=False)
    if (until := runs.order_by("-id").values_list("clean_until", flat=True).first()) is not None:
        return until - MARGIN
    opening = wallet.transactions.filter(kind=LedgerTransaction.Kind.OPENING).values_list("ts", flat=True).first()
    return (opening or wallet.created_at) - MARGIN


def find_symbols(wallet: Wallet, assets: Collection[str], since: datetime) -> list[str]:
    """Symbols whose fills may explain that these assets differ: those that the wallet has traded since, and those of two of the
    assets."""
    traded = Order.objects.filter(wallet=wallet, bot__mode__in=EXTERNAL).filter(Q(updated_at__gte=since) | Q(status__in=OPEN))
    listed = Instrument.objects.filter(venue=name_venue(wallet), base__in=assets, quote__in=assets)
    names = {symbol for rows in (traded, listed) for symbol in rows.order_by().values_list("symbol", flat=True).distinct()}
    booked = wallet.transactions.filter(kind=LedgerTransaction.Kind.FILL, ts__gte=since).values_list("reference", flat=True)
    return sorted(names | {name_trade_of(reference)[0] for reference in booked})


def name_venue(wallet: Wallet) -> str:
    assert wallet.account
    return venue_key(wallet.account.venue, wallet.account.environment)


def read_booked_trades(wallet: Wallet, symbols: Collection[str], since: datetime) -> list[BookedTrade]:
    """Fills of these symbols in the wallet's ledger."""
    entries = Prefetch("entries", LedgerEntry.objects.filter(account=Account.ASSETS))
    rows = wallet.transactions.filter(kind=LedgerTransaction.Kind.FILL, ts__gte=since).prefetch_related(entries)
    found = (
        BookedTrade(row.pk, row.reference, sum_amounts((entry.asset, entry.amount) for entry in row.entries.all()))
        for row in rows.order_by("id")
    )
    return [one for one in found if one.trade[0] in symbols]


def name_trades(wallet: Wallet, listed: Iterable[tuple[str, str, Execution]]) -> list[VenueTrade]:
    """What the venue lists (symbol, its order, execution), each once, with the order of ours that it belongs to."""
    rows = list({(number, one.trade_id): (symbol, number, one) for symbol, number, one in listed}.values())
    orders = find_orders(wallet, {number for _, number, _ in rows})
    account, venue = name_account(wallet), name_venue(wallet)
    return [
        VenueTrade(
            account=account,
            venue=venue,
            symbol=order.symbol if order else symbol,
            side=order.side if order else one.side or "",
            venue_order_id=number,
            order_id=order.order_id if order else "",
            execution=pay_in_ours(one, symbol, order),
        )
        for symbol, number, one in rows
        for order in [find_ours(orders.get(number, ()), venue, symbol)]
    ]


def name_by_reports(wallet: Wallet, trades: Sequence[VenueTrade], reports: Mapping[str, Report]) -> list[VenueTrade]:
    """With what the venue says of their orders, by its number: our id, where it has one of ours, and the side."""
    ids = {report.client_order_id for report in reports.values()} - {""}
    orders = {one.client_order_id: one for one in Order.objects.filter(wallet=wallet, client_order_id__in=ids)}
    return [
        one if (report := reports.get(one.venue_order_id)) is None else name_trade(one, report, orders.get(report.client_order_id))
        for one in trades
    ]


def name_trade(trade: VenueTrade, report: Report, order: Order | None) -> VenueTrade:
    symbol, number = (order.symbol, order.order_id) if order else (trade.symbol, "")
    execution = pay_in_ours(trade.execution, trade.symbol, order)
    return replace(trade, symbol=symbol, order_id=number, side=report.side, execution=execution)


def keep_movements(wallet: Wallet, told: Mapping[str, Sequence[VenueMovement | UnreadRow]]) -> list[EvidenceRow]:
    """Keeps what the venue tells of movements, and books none of it. Returns those that the books lack: done ones, and withdrawals
    on their way, which the venue has taken out already and which cannot be booked yet."""
    with suppress(Conflict):
        for listed, rows in told.items():
            movements_take(wallet=wallet, rows=rows, listed=listed, book=False)
    missing = Q(standing=Movement.Standing.READY) | Q(standing=Movement.Standing.WAITS, kind=Movement.Kind.WITHDRAWAL)
    return [name_movement(one) for one in wallet.movements.filter(missing).prefetch_related("legs")]


def name_movement(one: Movement) -> EvidenceRow:
    may_book = {"how": "movement"} if one.standing == Movement.Standing.READY else {}
    cause = CAUSES_OF_MOVEMENTS.get(Movement.Kind(one.kind), Cause.MOVEMENT)
    return EvidenceRow(one.reference, cause, one.effect(), {"movement": one.pk, "kind": one.kind, **may_book})


def pay_in_ours(execution: Execution, symbol: str, order: Order | None) -> Execution:
    """Where the venue tells it under the name of the pair's twin, its fee is in our quote all the same."""
    theirs, ours = symbol.split("-")[1], order.symbol.split("-")[1] if order else ""
    return replace(execution, fee_asset=ours) if ours and execution.fee_asset == theirs else execution


def find_orders(wallet: Wallet, numbers: Collection[str]) -> dict[str, list[Order]]:
    """Our orders by the venue's numbers, which may count within a symbol only."""
    found: dict[str, list[Order]] = defaultdict(list)
    for order in Order.objects.filter(wallet=wallet, venue_order_id__in=numbers):
        found[order.venue_order_id].append(order)
    return found


def find_ours(orders: Sequence[Order], venue: str, symbol: str) -> Order | None:
    return next((one for one in orders if name_book(venue, one.symbol) == name_book(venue, symbol)), None)
