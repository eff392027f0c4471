"""What wallets were worth, one by one or together, with what was paid in and out taken apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import accumulate, pairwise

from django.db.models import Count, QuerySet, Sum

from wallets.models import ValueSnapshot, Wallet


@dataclass(frozen=True, slots=True)
class ValueStep:
    """In the currency that was asked for. `paid_in`: since the beginning, less what was paid out; `flow`: the same since the step
    before. `unpriced`: assets that had no price, and are in none of these."""

    at: datetime
    value: Decimal
    paid_in: Decimal
    unpriced: tuple[str, ...] = ()
    flow: Decimal = Decimal(0)


def values_between(
    wallets: Sequence[Wallet], currency: str, start: datetime | None = None, end: datetime | None = None
) -> list[ValueStep]:
    """What these wallets were worth together at each step from `start` to `end`, as far as all of them that had begun by then are
    known. Two queries. Give it wallets of one kind of money."""
    rows = ValueSnapshot.objects.filter(wallet__in=[one.pk for one in wallets], currency=currency).order_by("ts")
    known = rows.filter(**{f"ts__{name}": moment for name, moment in (("gte", start), ("lte", end)) if moment})
    sums = known.values_list("ts").annotate(Sum("value"), Sum("paid_in"), Count("pk"))
    found = [(ValueStep(ts, value, paid_in), count) for ts, value, paid_in, count in sums]
    names = names_unpriced(known)
    return [replace(step, unpriced=tuple(sorted(names[step.at]))) for step in tell_flows(list(drop_partial(found)))]


def names_unpriced(rows: QuerySet[ValueSnapshot]) -> dict[datetime, set[str]]:
    found: dict[datetime, set[str]] = defaultdict(set)
    for ts, unpriced in rows.exclude(unpriced=[]).values_list("ts", "unpriced"):
        found[ts].update(unpriced)
    return found


def drop_partial(found: Sequence[tuple[ValueStep, int]]) -> Iterator[ValueStep]:
    """Leaves out steps at which one of the wallets is missing that was there before."""
    most = accumulate((count for _, count in found), max)
    return (step for (step, count), there in zip(found, most, strict=True) if count == there)


def tell_flows(steps: Sequence[ValueStep]) -> Iterable[ValueStep]:
    """Before the first one nothing is known, and its flow is nothing."""
    return [*steps[:1], *(replace(after, flow=after.paid_in - before.paid_in) for before, after in pairwise(steps))]
