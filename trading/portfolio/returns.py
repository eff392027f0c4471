"""What money earned, with what was paid in and out taken out. Pure.

Time-weighted: growth between flows, chained; how well the money was worked with, whenever there was how much of it. Money-weighted:
the one rate at which all that was put in becomes what was taken out and what is left; how well the owner did. Ratios throughout:
0.05 is 5 %.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np

from engine.types import Floats

YEAR = timedelta(days=365)
SHORTEST_YEARLY = timedelta(days=30)
"""A rate a year says nothing of less than this."""
FARTHEST, PLACES, HALVINGS = 18.0, 721, 60
"""Rates are looked for at so many places from a loss of all but e^-18 to a growth of e^18 in the span, then by halving so often."""


@dataclass(frozen=True, slots=True)
class Step:
    """What there is at a moment, and what came in (or went out, below zero) since the step before."""

    at: datetime
    value: Decimal
    flow: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall, as a ratio of the peak (zero or less)."""

    depth: float
    peak_at: datetime
    low_at: datetime


@dataclass(frozen=True, slots=True)
class Rate:
    """Of the whole span, and of a year where the span is long enough to say. `why` there is none."""

    value: float | None
    yearly: float | None = None
    why: str = ""


def step_growth(before: Step, after: Step) -> float | None:
    """What one unit became. Money that came in counts as there from the beginning of a step, money that went out as there until its
    end; so neither can make a small base earn what a large one did. None where nothing was there to grow."""
    base = before.value + max(after.flow, Decimal(0))
    return float((after.value - min(after.flow, Decimal(0))) / base) if base > 0 else None


def chain_growth(steps: Sequence[Step]) -> list[float]:
    """What one unit has become at each step; it stays what it is while there is nothing."""
    index = [1.0] if steps else []
    for before, after in pairwise(steps):
        growth = step_growth(before, after)
        index.append(index[-1] if growth is None else index[-1] * growth)
    return index


def time_weighted(steps: Sequence[Step]) -> Rate:
    """The return of the span with flows taken out, as CFA and GIPS define it: growth factors multiplied."""
    if not any(step_growth(*pair) is not None for pair in pairwise(steps)):
        return Rate(None, why="There was no money in this span.")
    return make_rate(chain_growth(steps)[-1], steps[-1].at - steps[0].at)


def make_rate(growth: float, span: timedelta) -> Rate:
    if span < SHORTEST_YEARLY:
        return Rate(growth - 1)
    with np.errstate(over="ignore"):
        yearly = float(np.float64(growth) ** (YEAR / span))
    return Rate(growth - 1, yearly - 1 if np.isfinite(yearly) else None)


def money_weighted(steps: Sequence[Step]) -> Rate:
    """The rate (compound, by days of 365 a year, as XIRR has it) at which what was there at first and what came in becomes what
    went out and what is there at last."""
    if len(steps) < 2:
        return Rate(None, why="There was no money in this span.")
    return solve_rate([(one.at, amount) for one, amount in zip(steps, owner_flows(steps), strict=True)])


def owner_flows(steps: Sequence[Step]) -> Iterator[Decimal]:
    """As the owner has them: below zero is paid in."""
    yield -steps[0].value
    for one in steps[1:-1]:
        yield -one.flow
    yield steps[-1].value - steps[-1].flow


def solve_rate(flows: Iterable[tuple[datetime, Decimal]]) -> Rate:
    """The one rate, from the first to the last of these flows, at which they are worth nothing together. Several changes of sign
    may allow several rates, or none: then none of them is the return, and `why` says so."""
    known = sorted((at, float(amount)) for at, amount in flows if amount)
    if not known or (span := known[-1][0] - known[0][0]) <= timedelta(0):
        return Rate(None, why="There was no money in this span.")
    amounts = np.array([amount for _, amount in known])
    if amounts.min() >= 0 or amounts.max() <= 0:
        return Rate(None, why="Nothing was paid in." if amounts.min() >= 0 else "Nothing came back or is left.")
    left = np.array([(known[-1][0] - at) / span for at, _ in known])
    found = find_roots(amounts, left)
    if len(found) != 1:
        why = "No rate fits what was paid in and out." if not found else f"{len(found)} rates fit what was paid in and out."
        return Rate(None, why=why)
    return make_rate(float(np.exp(found[0])), span)


def find_roots(amounts: Floats, left: Floats) -> list[float]:
    """Logarithms of the growths of the span at which the amounts, each grown for its share of the span that was `left`, sum to
    zero."""
    places = np.linspace(-FARTHEST, FARTHEST, PLACES)
    signs = np.sign(sum_grown(places, amounts, left))
    exact = [float(places[number]) for number in np.flatnonzero(signs == 0)]
    crossed = np.flatnonzero(signs[:-1] * signs[1:] < 0)
    return sorted([*exact, *(halve_in(places[number : number + 2], amounts, left) for number in crossed)])


def halve_in(bracket: Floats, amounts: Floats, left: Floats) -> float:
    """The root between two places of different signs."""
    low, high = bracket
    sign = np.sign(sum_grown(bracket, amounts, left))[0]
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if np.sign(sum_grown(np.array([middle]), amounts, left))[0] == sign:
            low = middle
        else:
            high = middle
    return float((low + high) / 2)


def sum_grown(places: Floats, amounts: Floats, left: Floats) -> Floats:
    """What the amounts have become at the end, by the logarithm of the growth of the span; divided by the growth where that is
    large, so that it stays a number."""
    exponents = places[:, None] * (left - (places[:, None] > 0))
    return np.asarray(np.exp(exponents) @ amounts)


def list_falls(index: Sequence[float]) -> list[float]:
    """How far below its peak so far each is, zero or less."""
    if not index:
        return []
    values = np.array(index)
    return list(map(float, values / np.maximum.accumulate(values) - 1))


def deepest_fall(steps: Sequence[Step]) -> Drawdown | None:
    """Of what one unit has become: money that is taken out is no fall."""
    index = chain_growth(steps)
    if not index:
        return None
    falls = list_falls(index)
    low = int(np.argmin(falls))
    peak = int(np.argmax(index[: low + 1]))
    return Drawdown(falls[low], steps[peak].at, steps[low].at)
