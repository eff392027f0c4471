"""The ledger cut at steps of time: what a wallet had at each, and what was paid in and out between them."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.db import connection

from core.fields import EXACT
from core.times import EPOCH

HOURLY_FOR = timedelta(days=7)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# The place of a step: the first that is not before the booking.
CHANGES = """
SELECT width_bucket(booked.ts - interval '1 microsecond', %(steps)s::timestamptz[]) AS place, asset, sum(amount)
FROM wallets_ledgertransaction AS booked JOIN wallets_ledgerentry AS entry ON entry.transaction_id = booked.id
WHERE booked.wallet_id = %(wallet)s AND booked.ts > %(after)s AND booked.ts <= %(upto)s AND account = 'assets'
GROUP BY place, asset ORDER BY place
"""
FLOWS = """
SELECT booked.ts, asset, -sum(amount) FROM wallets_ledgertransaction AS booked
JOIN wallets_ledgerentry AS entry ON entry.transaction_id = booked.id
WHERE booked.wallet_id = %(wallet)s AND booked.ts > %(after)s AND booked.ts <= %(upto)s AND account = 'capital'
GROUP BY booked.ts, asset ORDER BY booked.ts
"""
BEGINNING = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Flow:
    """Paid in, or out below zero."""

    at: datetime
    asset: str
    amount: Decimal


def list_steps(first: datetime, now: datetime) -> list[datetime]:
    """From the first booking to now: each midnight (UTC), and each hour of the last days."""
    hourly_from = max(first, now - HOURLY_FOR)
    midnight, hour = ceil_to(first, DAY), ceil_to(hourly_from, HOUR)
    days = (midnight + number * DAY for number in range((now - midnight) // DAY + 1))
    hours = (hour + number * HOUR for number in range((now - hour) // HOUR + 1))
    return sorted({*days, *hours})


def ceil_to(moment: datetime, step: timedelta) -> datetime:
    """The first whole multiple of the step that is not before the moment."""
    return moment + (EPOCH - moment) % step


def walk_amounts(
    wallet_id: int, steps: Sequence[datetime], after: datetime, held: Mapping[str, Decimal]
) -> Iterator[Mapping[str, Decimal]]:
    """What the wallet has at each step, from what it held at `after`. One query."""
    changes: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    for place, asset, amount in read_ledger(CHANGES, wallet_id, steps, after):
        changes[place].append((asset, amount))
    amounts = dict(held)
    for place in range(len(steps)):
        for asset, amount in changes[place]:
            amounts[asset] = EXACT.add(amounts.get(asset, Decimal(0)), amount)
        yield {asset: amount for asset, amount in amounts.items() if amount}


def walk_flows(wallet_id: int, steps: Sequence[datetime], after: datetime) -> Iterator[list[Flow]]:
    """What was paid in and out up to each step since the one before. One query."""
    flows = [Flow(*row) for row in read_ledger(FLOWS, wallet_id, steps, after)]
    edges = [0, *(bisect_right(flows, step, key=lambda one: one.at) for step in steps)]
    return (flows[low:high] for low, high in pairwise(edges))


def read_ledger(sql: str, wallet_id: int, steps: Sequence[datetime], after: datetime) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"wallet": wallet_id, "steps": list(steps), "after": after, "upto": steps[-1]})
        rows: list[Any] = cursor.fetchall()
    return rows
