"""Thinning of long curves to what a screen can show, without losing their shape.

Largest-Triangle-Three-Buckets: S. Steinarsson, "Downsampling Time Series for Visual Representation", University of Iceland, 2013,
section 4.2. The curve is cut into equal buckets; of each bucket the point is kept that spans the largest triangle with the point
kept before it and the average of the bucket after it.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from engine.types import Floats, Ints


@njit(cache=True)
def lttb(y: Floats, points: int) -> Ints:
    """Indices of `points` of the evenly spaced values `y`, first and last among them; all of them where there are no more."""
    n = len(y)
    if points >= n or points < 3:
        return np.arange(n)
    kept = np.empty(points, dtype=np.int64)
    kept[0], kept[points - 1] = 0, n - 1
    width = (n - 2) / (points - 2)
    last = 0
    for bucket in range(points - 2):
        start, stop = int(bucket * width) + 1, int((bucket + 1) * width) + 1
        after = min(int((bucket + 2) * width) + 1, n)
        mean_x, mean_y = (stop + after - 1) / 2.0, y[stop:after].mean()
        best, largest = start, -1.0
        for i in range(start, stop):
            area = abs((last - mean_x) * (y[i] - y[last]) - (last - i) * (mean_y - y[last]))
            if area > largest:
                best, largest = i, area
        kept[bucket + 1] = last = best
    return kept


def thin_curve(y: Floats, points: int, keep: Ints | None = None) -> Ints:
    """Rising indices of about `points` values of `y` that draw its shape, and always those of `keep`."""
    chosen: Ints = lttb(np.ascontiguousarray(y), points)
    return chosen if keep is None else np.union1d(chosen, keep)


def worst_fall(equity: Floats, drawdown: Floats) -> Ints:
    """Indices of the peak and the trough of the deepest drawdown (-0.1 is 10 %): a thinned curve without them would flatter."""
    if not len(equity):
        return np.empty(0, dtype=np.int64)
    trough = int(np.argmin(drawdown))
    return np.array([int(np.argmax(equity[: trough + 1])), trough], dtype=np.int64)
