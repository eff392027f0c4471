"""What the money was worth over time, and what it made, with what was paid in and out taken out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np

from engine.thinning import thin_curve
from trading.portfolio.periods import Period
from trading.portfolio.returns import (
    Drawdown,
    Rate,
    Step,
    chain_growth,
    deepest_fall,
    list_falls,
    money_weighted,
    time_weighted,
)
from wallets.models import Wallet
from wallets.selectors import reporting_currency
from wallets.valuation import ValueStep, values_between

HOURS_FOR = timedelta(days=14)
"""Longer periods are told by days."""
POINTS, FEWEST_POINTS, MOST_POINTS = 500, 10, 5_000


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """`flow`: paid in since the point before, or out below zero. `growth`: what one unit has become since the first point, flows
    taken out; `fall`: how far that is below its peak so far, zero or less."""

    step: ValueStep
    flow: Decimal
    growth: float
    fall: float


@dataclass(frozen=True, slots=True)
class History:
    """Of one kind of money in a period, in the reporting currency, at the steps that the desk keeps. `gained`: what it became more,
    less what was paid in. `unpriced`: assets without a price at some step; from then to then they are in nothing here."""

    mode: str
    period: Period
    currency: str
    points: Sequence[HistoryPoint]
    time_weighted: Rate
    money_weighted: Rate
    drawdown: Drawdown | None
    paid_in: Decimal
    gained: Decimal
    unpriced: Sequence[str]

    @property
    def paid_out(self) -> Decimal:
        """The same as `paid_in`, seen from the other side."""
        return -self.paid_in


def read_history(mode: str, period: Period, wallets: Sequence[Wallet], *, points: int = POINTS) -> History:
    """`wallets`: of this kind of money. Figures are of all steps; points are days, or hours of two weeks at most, and about so many
    of them, thinned by shape. Three queries."""
    currency = reporting_currency()
    known = values_between(wallets, currency, period.start, period.end)
    steps = [Step(one.at, one.value, one.flow) for one in known]
    paid_in = sum((one.flow for one in steps[1:]), Decimal(0))
    return History(
        mode=mode,
        period=period,
        currency=currency,
        points=thin_points(known, chain_growth(steps), points, hours=period.end - period.start <= HOURS_FOR),
        time_weighted=time_weighted(steps),
        money_weighted=money_weighted(steps),
        drawdown=deepest_fall(steps),
        paid_in=paid_in,
        gained=steps[-1].value - steps[0].value - paid_in if steps else Decimal(0),
        unpriced=sorted({asset for one in known for asset in one.unpriced}),
    )


def pick_daily(known: Sequence[ValueStep]) -> list[int]:
    """Where midnights and the last step are: beside days, hours would take up as much room as these."""
    return [index for index, one in enumerate(known) if one.at.hour == 0 or index == len(known) - 1]


def thin_points(known: Sequence[ValueStep], growth: Sequence[float], points: int, *, hours: bool) -> list[HistoryPoint]:
    """Each has what was paid in and out since the one before that is left."""
    if not known:
        return []
    falls = list_falls(growth)
    daily = np.array(range(len(known)) if hours else pick_daily(known))
    kept = daily[thin_curve(np.array([float(known[index].value) for index in daily]), points)].tolist()
    paid = [known[index].paid_in for index in kept]
    flows = [Decimal(0), *(after - before for before, after in pairwise(paid))]
    return [HistoryPoint(known[index], flow, growth[index], falls[index]) for index, flow in zip(kept, flows, strict=True)]
