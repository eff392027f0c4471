"""What is missing is booked through the same services as always: a fill of ours by its bot, all else in the wallet's ledger.

Each row of evidence is booked once, by its own reference, whoever books it and however often.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any, cast

from django.utils import timezone

from access.people import Person
from core.errors import Conflict
from core.venues import venue_split
from market.exchanges.base import Execution, Report, Side
from market.prices import prices_get
from trading.models import Order
from trading.reconciliation.causes import ROUNDING
from trading.reconciliation.evidence import VenueTrade
from trading.reconciliation.own_side import name_venue
from trading.services.bot_loading import bot_load
from trading.services.fills import name_account
from trading.services.loaded_bot import MarketNow
from trading.services.orders import report_apply
from wallets.ledger import Account, Booking, Leg, booking_write
from wallets.models import Drift, LedgerTransaction, Movement, Wallet
from wallets.services import movement_book
from wallets.services.drifts import Decision, drift_end, drift_resolve

Row = Mapping[str, Any]
Correction = LedgerTransaction.Kind.CORRECTION


def drift_settle(*, drift_id: int, decision: Any, user: Person = None) -> Drift:
    """A person's decision on a drift: see `drift_resolve`. Booking what is missing settles the drifts of the other assets that the
    same rows explain."""
    return drift_resolve(drift_id=drift_id, decision=decision, user=user, book=partial(missing_book, user=user))


def missing_book(drift: Drift, *, user: Person) -> None:
    """Books all rows of the drift's evidence, in the caller's transaction."""
    rows = [row for row in drift.rows if row["books"]]
    by_way: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_way[row["how"]].append(row)
    for way, some in by_way.items():
        WAYS[way](drift.wallet, some)
    settle_siblings(drift, {row["key"] for row in rows}, user)


def settle_siblings(drift: Drift, booked: set[str], user: Person) -> None:
    """Other assets' drifts that nothing but these rows explain."""
    others = Drift.objects.select_for_update(of=("self",)).select_related("wallet").exclude(pk=drift.pk)
    for other in others.filter(wallet=drift.wallet_id, state=Drift.State.OPEN, about=Drift.About.BALANCE):
        rest = sum((abs(Decimal(part["amount"])) for part in other.evidence if not part["rows"]), Decimal(0))
        if rest <= ROUNDING and other.rows and booked.issuperset(row["key"] for row in other.rows):
            drift_end(other, Decision(Drift.Act.BOOK, f"Booked with that of {drift.asset}."), user)


def trades_book(wallet: Wallet, rows: Sequence[Row]) -> None:
    """Executions that the venue lists: those of our orders by their bots, those of nobody here in the ledger alone."""
    by_order: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row["order_id"]:
            by_order[row["order_id"]].append(row)
        else:
            booking_write(wallet.pk, read_trade(wallet, row).make_booking())
    for order_id, some in by_order.items():
        order_fills_book(Order.objects.select_related("bot").get(order_id=order_id), some)


def order_fills_book(order: Order, rows: Sequence[Row]) -> None:
    """As if the venue had just reported them. Where a worker has the bot in memory, it loads it anew."""
    loaded = bot_load(order.bot_id)
    executions = tuple(read_execution(row) for row in rows)
    known = set(order.fills.values_list("trade_id", flat=True))
    filled = order.filled_quantity + sum((one.quantity for one in executions if one.trade_id not in known), Decimal(0))
    report = Report(
        venue=venue_split(order.venue)[0],
        symbol=order.symbol,
        client_order_id=order.client_order_id,
        venue_order_id=rows[0]["venue_order_id"],
        status="filled" if filled >= order.quantity else "partially_filled",
        side=cast(Side, order.side),
        type="other",
        quantity=order.quantity,
        filled=filled,
        time=executions[-1].time,
        executions=executions,
    )
    report_apply(loaded, report, describe_market(order), wallet_id=order.wallet_id)


def describe_market(order: Order) -> MarketNow:
    """As far as this process knows it."""
    pair = (*venue_split(order.venue), order.symbol)
    prices = {pair[2]: (price.price, price.age) for pair, price in prices_get([pair]).items()}
    return MarketNow(datetime.now(UTC), prices, f"reconciliation:{order.order_id}")


def fees_book(wallet: Wallet, rows: Sequence[Row]) -> None:
    """What a fee was in truth, less what we took it for."""
    for row in rows:
        other = [Leg(account, asset, sign * Decimal(amount)) for asset, amount in row["legs"].items() for account, sign in OF_FEES]
        booking_write(wallet.pk, Booking(Correction, row["key"], timezone.now(), other, f"the fee of {row['trade_id']}"))


def movements_book(wallet: Wallet, rows: Sequence[Row]) -> None:
    for row in rows:
        found = Movement.objects.select_related("wallet").filter(wallet=wallet, pk=row["movement"]).first()
        if found is None:
            raise Conflict("This movement is not known any more. Reconcile again.")
        movement_book(movement=found)


def surplus_undo(wallet: Wallet, rows: Sequence[Row]) -> None:
    """Takes a booking back, entry by entry."""
    for row in rows:
        booked = LedgerTransaction.objects.prefetch_related("entries").filter(wallet=wallet, pk=row["transaction"]).first()
        if booked is None:
            raise Conflict("What was booked twice is not in the ledger of this wallet. Reconcile again.")
        legs = [Leg(Account(entry.account), entry.asset, -entry.amount) for entry in booked.entries.all()]
        booking_write(wallet.pk, Booking(Correction, row["key"], timezone.now(), legs, f"takes back {booked.reference}"[:300]))


def read_trade(wallet: Wallet, row: Row) -> VenueTrade:
    return VenueTrade(
        account=name_account(wallet),
        venue=name_venue(wallet),
        symbol=row["symbol"],
        side=row["side"],
        venue_order_id=row["venue_order_id"],
        order_id="",
        execution=read_execution(row),
    )


def read_execution(row: Row) -> Execution:
    return Execution(
        trade_id=row["trade_id"],
        price=Decimal(row["price"]),
        quantity=Decimal(row["quantity"]),
        fee=Decimal(row["fee"]),
        fee_asset=row["fee_asset"],
        maker=row["maker"],
        time=datetime.fromisoformat(row["ts"]),
    )


OF_FEES = ((Account.ASSETS, 1), (Account.FEES, -1))
WAYS: Mapping[str, Callable[[Wallet, Sequence[Row]], None]] = {
    "trade": trades_book,
    "fee": fees_book,
    "undo": surplus_undo,
    "movement": movements_book,
}
"""How rows are booked, by their `how`."""
