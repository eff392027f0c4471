"""The history of what wallets are worth. To take a value now and to fill in those of the past is one thing: what is missing is
written."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TypeAlias

from django.db.models import Max, Min, Q, QuerySet
from django.utils import timezone

from core.errors import DomainError
from core.fields import EXACT
from core.text import decimal_text
from wallets.ledger import STEP
from wallets.models import ValueSnapshot, Wallet
from wallets.selectors import reporting_currency, wallet_balances, wallets_list
from wallets.valuation import price_environment
from wallets.valuation.step_prices import AT_ONCE, StepPrices, open_prices
from wallets.valuation.steps import BEGINNING, HOURLY_FOR, Flow, list_steps, walk_amounts, walk_flows

logger = logging.getLogger(__name__)
SETTLED = timedelta(minutes=1)
"""After which no transaction with a smaller number can still be committed."""
MOST = Decimal(10) ** 18
"""More than this is a fault of an amount or a price."""
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
WRITTEN = ["value", "paid_in", "parts", "unpriced", "upto"]
Prices: TypeAlias = dict[tuple[str, datetime], Decimal | None]


@dataclass(frozen=True, slots=True)
class Step:
    """What a wallet has at a moment, what was paid in and out since the one before, and what it had then."""

    ts: datetime
    amounts: Mapping[str, Decimal]
    flows: Sequence[Flow]
    since: datetime
    before: Mapping[str, Decimal]

    def list_moments(self) -> Iterator[tuple[str, datetime]]:
        """Whose prices are needed, and when."""
        yield from ((asset, self.ts) for asset in (*self.amounts, *self.before))
        for flow in self.flows:
            yield from ((flow.asset, flow.at), (flow.asset, self.ts))


def values_ensure(now: datetime | None = None) -> int:
    """Writes every step that is missing, or that something was booked behind, of all wallets in use, in the reporting currency;
    and thins old ones out. Returns how many were written. What stops one wallet stops no other."""
    now, written = now or timezone.now(), 0
    wallets = list(wallets_list())
    prices = open_prices(wallets, reporting_currency(), now)
    for wallet in wallets:
        try:
            written += wallet_values_ensure(wallet, prices[price_environment(wallet)])
        except DomainError as error:
            logger.warning("the history of %s is not written: %s", wallet.name, error)
    old = ValueSnapshot.objects.filter(ts__lt=now - HOURLY_FOR - timedelta(days=1))
    old.exclude(Q(ts__hour=0, ts__minute=0)).delete()
    return written


def wallet_values_ensure(wallet: Wallet, prices: StepPrices) -> int:
    """As `values_ensure`, of one wallet."""
    known = wallet.values.filter(currency=prices.currency)
    watched = wallet.kind == Wallet.Kind.WATCH
    due = due_of_watched(wallet, known, prices.now) if watched else due_of_ledger(wallet, known, prices.now)
    if not due:
        return 0
    base = known.filter(ts__lt=due[0]).order_by("-ts").first()
    steps = list(cut_watched(wallet, due, base) if watched else cut_ledger(wallet, due, base))
    asked = prices.prices_at(moment for step in steps for moment in step.list_moments())
    found = asked | kept_prices([*known.filter(ts__in=due), *([base] if base else [])])
    rows = list(make_snapshots(wallet, steps, base, found, prices))
    ValueSnapshot.objects.bulk_create(
        rows, batch_size=500, update_conflicts=True, unique_fields=["wallet", "currency", "ts"], update_fields=WRITTEN
    )
    return len(rows)


def due_of_ledger(wallet: Wallet, known: QuerySet[ValueSnapshot], now: datetime) -> list[datetime]:
    """The steps since its first booking that are missing, or that something was booked behind."""
    first = wallet.transactions.aggregate(first=Min("ts"))["first"]
    late, there = late_since(wallet, known), set(known.values_list("ts", flat=True))
    return [] if first is None else [ts for ts in list_steps(first, now) if ts not in there or ts >= late]


def due_of_watched(wallet: Wallet, known: QuerySet[ValueSnapshot], now: datetime) -> list[datetime]:
    """The step of now, once anything was read: what a chain had before is in no ledger."""
    if not wallet_balances(wallet=wallet) and not known.exists():
        return []
    there = set(known.filter(ts__gte=now - AT_ONCE).values_list("ts", flat=True))
    return [ts for ts in list_steps(now - AT_ONCE, now) if ts not in there]


def late_since(wallet: Wallet, known: QuerySet[ValueSnapshot]) -> datetime:
    """The earliest moment of what was booked since the newest step was written."""
    upto = known.aggregate(upto=Max("upto"))["upto"]
    if upto is None:
        return NEVER
    since: datetime | None = wallet.transactions.filter(pk__gt=upto).aggregate(since=Min("ts"))["since"]
    return since or NEVER


def cut_ledger(wallet: Wallet, due: Sequence[datetime], base: ValueSnapshot | None) -> Iterator[Step]:
    """From the row before the first of these steps, or from the beginning."""
    since, before = base.ts if base else BEGINNING, amounts_of(base)
    flows = walk_flows(wallet.pk, due, since)
    for ts, amounts in zip(due, walk_amounts(wallet.pk, due, since, before), strict=True):
        yield Step(ts, amounts, next(flows), since, before)
        since, before = ts, amounts


def cut_watched(wallet: Wallet, due: Sequence[datetime], base: ValueSnapshot | None) -> Iterator[Step]:
    """All that it has more than at the row before was paid in: nothing there trades."""
    since, before = base.ts if base else BEGINNING, amounts_of(base)
    amounts = {asset: amount for asset, amount in wallet_balances(wallet=wallet).items() if amount}
    for ts in due:
        changes = {asset: amounts.get(asset, Decimal(0)) - before.get(asset, Decimal(0)) for asset in {*amounts, *before}}
        yield Step(ts, amounts, [Flow(ts, asset, change) for asset, change in changes.items() if change], since, before)
        since, before = ts, amounts


def amounts_of(row: ValueSnapshot | None) -> Mapping[str, Decimal]:
    return {asset: Decimal(amount) for asset, (amount, _) in row.parts.items()} if row else {}


def kept_prices(rows: Iterable[ValueSnapshot]) -> Prices:
    """What was known of prices when rows were written that are made anew."""
    return {(asset, row.ts): Decimal(price) for row in rows for asset, (_, price) in row.parts.items() if price is not None}


def make_snapshots(
    wallet: Wallet, steps: Sequence[Step], base: ValueSnapshot | None, found: Prices, prices: StepPrices
) -> Iterator[ValueSnapshot]:
    paid_in, upto = base.paid_in if base else Decimal(0), newest_settled(wallet, prices.now)
    for step in steps:
        values = {asset: worth_of(amount, found[asset, step.ts]) for asset, amount in step.amounts.items()}
        paid_in = EXACT.add(paid_in, paid_between(step, found))
        yield ValueSnapshot(
            wallet=wallet,
            currency=prices.currency,
            ts=step.ts,
            value=sum_known(values.values()),
            paid_in=paid_in,
            parts={asset: [decimal_text(amount), decimal_text(found[asset, step.ts])] for asset, amount in step.amounts.items()},
            unpriced=sorted(asset for asset, value in values.items() if value is None),
            upto=upto,
        )


def paid_between(step: Step, found: Prices) -> Decimal:
    """What was paid in since the step before, less what was paid out. An asset whose price becomes known comes in by that, and goes
    out when it is known no more: its owner has made nothing by it."""
    paid = [
        worth_of(flow.amount, found[flow.asset, flow.at] or found[flow.asset, step.ts])
        for flow in step.flows
        if found[flow.asset, step.ts] is not None
    ]
    for asset, amount in step.before.items():
        then, now = worth_of(amount, found.get((asset, step.since))), worth_of(amount, found[asset, step.ts])
        if (then is None) != (now is None):
            paid.append(now if then is None else -then)
    return sum_known(paid)


def worth_of(amount: Decimal, price: Decimal | None) -> Decimal | None:
    value = None if price is None else EXACT.quantize(EXACT.multiply(amount, price), STEP)
    return value if value is not None and abs(value) < MOST else None


def sum_known(values: Iterable[Decimal | None]) -> Decimal:
    return sum((value for value in values if value is not None), Decimal(0))


def newest_settled(wallet: Wallet, now: datetime) -> int:
    """The newest of its transactions before which no other can come in any more."""
    return wallet.transactions.filter(created_at__lt=now - SETTLED).aggregate(newest=Max("pk"))["newest"] or 0
