"""Why balances differ: each difference is taken apart into rows of evidence that sum to it, and what is left. Pure.

A row is something that one side has and the other has not: a fill, a movement, a fee. It changes several assets at once, so the
differences of these assets are explained together, and each of its legs is used once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from itertools import combinations, islice
from typing import Any

from core.fields import EXACT
from wallets.models import Drift

Cause = Drift.Cause
NOTHING = Decimal(0)
ROUNDING = Decimal("1e-8")
"""What venues count with: so much, or less, is lost by rounding."""
MOST_TRIED = 5_000
"""How many ways to leave some rows out are tried, those that leave out few first."""


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """`key` names it for ever. `legs`: what our books would have more by asset if it was booked (less, below zero). `data`: what
    booking it needs, in JSON's own types."""

    key: str
    cause: Drift.Cause
    legs: Mapping[str, Decimal]
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of one asset's difference. Without rows: nothing explains it."""

    cause: Drift.Cause
    amount: Decimal
    rows: tuple[EvidenceRow, ...] = ()


def explain_differences(differences: Mapping[str, Decimal], rows: Iterable[EvidenceRow]) -> dict[str, list[Part]]:
    """The parts of each asset's difference, the largest first; they sum to it."""
    left = {row.key: row for row in rows}
    return {
        asset: parts
        for group in group_rows(differences, list(left.values()))
        for asset, parts in explain_group({asset: differences.get(asset, NOTHING) for asset in group[0]}, group[1]).items()
        if asset in differences
    }


def group_rows(differences: Mapping[str, Decimal], rows: Sequence[EvidenceRow]) -> Iterator[tuple[set[str], list[EvidenceRow]]]:
    """Assets that rows tie together, with these rows. Rows that touch no difference explain nothing."""
    groups: list[tuple[set[str], list[EvidenceRow]]] = [({asset}, []) for asset in differences]
    for row in rows:
        touched = [group for group in groups if group[0] & row.legs.keys()]
        if not touched:
            continue
        groups = [group for group in groups if group not in touched]
        merged = set[str](row.legs).union(*(group[0] for group in touched))
        groups.append((merged, [*(one for group in touched for one in group[1]), row]))
    yield from groups


def explain_group(differences: Mapping[str, Decimal], rows: Sequence[EvidenceRow]) -> dict[str, list[Part]]:
    chosen = choose_rows(differences, rows)
    left = subtract_legs(differences, chosen)
    return {asset: list_parts(asset, chosen, left[asset]) for asset in differences}


def choose_rows(differences: Mapping[str, Decimal], rows: Sequence[EvidenceRow]) -> list[EvidenceRow]:
    """Those that sum to the differences, as many as can be; where none do, those that leave the fewest and the smallest rests.
    Each row is known to be missing, so that rows are left out of the sum only where it asks for it."""
    best, best_score = list(rows), score_rest(differences, rows, rows)
    for left_out in islice(list_left_out(rows), MOST_TRIED):
        if best_score[0] == 0:
            break
        kept = [row for row in rows if row.key not in left_out]
        if (score := score_rest(differences, kept, rows)) < best_score:
            best, best_score = kept, score
    return best


def list_left_out(rows: Sequence[EvidenceRow]) -> Iterator[frozenset[str]]:
    keys = [row.key for row in rows]
    return (frozenset(some) for count in range(1, len(keys) + 1) for some in combinations(keys, count))


def score_rest(
    differences: Mapping[str, Decimal], kept: Sequence[EvidenceRow], rows: Sequence[EvidenceRow]
) -> tuple[int, Decimal, int]:
    """How much `kept`, of `rows`, leave unexplained, less is better: assets with a rest, their rests as shares, rows left out."""
    left = subtract_legs(differences, kept)
    rests = {asset: abs(rest) for asset, rest in left.items() if abs(rest) > ROUNDING}
    shares = (rest / find_largest(asset, differences, rows) for asset, rest in rests.items())
    return len(rests), sum(shares, NOTHING), len(rows) - len(kept)


def find_largest(asset: str, differences: Mapping[str, Decimal], rows: Iterable[EvidenceRow]) -> Decimal:
    """What a rest of the asset is measured by."""
    return max(abs(one) for one in (differences[asset], *(row.legs.get(asset, NOTHING) for row in rows)))


def subtract_legs(differences: Mapping[str, Decimal], rows: Iterable[EvidenceRow]) -> dict[str, Decimal]:
    left = dict(differences)
    for row in rows:
        for asset, amount in row.legs.items():
            left[asset] = EXACT.subtract(left[asset], amount)
    return left


def list_parts(asset: str, chosen: Iterable[EvidenceRow], rest: Decimal) -> list[Part]:
    by_cause: dict[Drift.Cause, list[EvidenceRow]] = defaultdict(list)
    for row in chosen:
        if row.legs.get(asset):
            by_cause[row.cause].append(row)
    parts = [Part(cause, sum_exactly(row.legs[asset] for row in some), tuple(some)) for cause, some in by_cause.items()]
    if rest:
        parts.append(Part(Cause.ROUNDING if abs(rest) <= ROUNDING else Cause.UNKNOWN, rest))
    return sorted(parts, key=lambda part: -abs(part.amount))


def sum_exactly(amounts: Iterable[Decimal]) -> Decimal:
    return reduce(EXACT.add, amounts, NOTHING)
