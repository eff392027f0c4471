"""What pairs of figures say: medians, the ratio, and an interval of the ratio."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LIMIT = 1.05
SEED, RESAMPLES, SHARE = 42, 10_000, 0.95


@dataclass(frozen=True, slots=True)
class Comparison:
    """`old` and `new` are medians in seconds. `ratio`, `low` and `high` have no unit: new by old."""

    old: float
    new: float
    ratio: float
    low: float
    high: float

    @property
    def within(self) -> bool:
        """Whether even the upper end of the interval is under the limit."""
        return self.high < LIMIT


def compare_pairs(old: Sequence[float], new: Sequence[float]) -> Comparison:
    """Figures in seconds, one pair at each index, as they were measured one right after the other. The ratio is the median of the
    pairs' ratios: what slows the machine for a while slows both sides of a pair."""
    ratios = np.asarray(new, dtype=np.float64) / np.asarray(old, dtype=np.float64)
    low, high = find_interval(ratios)
    return Comparison(float(np.median(old)), float(np.median(new)), float(np.median(ratios)), low, high)


def find_interval(ratios: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Both ends of the 95 % interval of the ratios' median, by a seeded bootstrap: the same ratios give the same interval."""
    values = np.asarray(ratios, dtype=np.float64)
    drawn = np.random.default_rng(SEED).choice(values, size=(RESAMPLES, len(values)))
    low, high = np.quantile(np.median(drawn, axis=1), [(1 - SHARE) / 2, (1 + SHARE) / 2])
    return float(low), float(high)
