"""Merges old and new candles of one year, and finds where candles are missing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from engine.grid import number_candles, open_numbers
from engine.types import Bools, Candles, Floats, Ints
from market.candles.codec import COLUMNS, VALUES


@dataclass(frozen=True, slots=True)
class Merged:
    candles: Candles
    added: int
    """Candles that were not there before."""
    replaced: int
    """Candles that were there with other values; the new values win."""


def merge_candles(old: Candles | None, new: Candles) -> Merged:
    """Merge two sets of candles. Both are in time order without duplicates, and so is the result."""
    if old is None or not len(old):
        return Merged(new, len(new), 0)
    if not new.volume_known:
        new = _keep_volumes(old, new)
    replaced, fresh = _count_differences(old, new)
    if not replaced and not fresh:
        return Merged(old, 0, 0)
    columns = {name: np.concatenate((getattr(old, name), getattr(new, name))) for name in COLUMNS}
    order = np.argsort(columns["time"], kind="stable")
    times = columns["time"][order]
    # Where two candles have one time, the sort leaves the newer one last.
    keep = order[np.append(times[1:] != times[:-1], True)]
    known = not np.isnan(columns["volume"]).any()
    return Merged(
        Candles(new.symbol, new.interval, *(columns[name][keep] for name in COLUMNS), volume_known=known), fresh, replaced
    )


def _keep_volumes(old: Candles, new: Candles) -> Candles:
    """`new`, with the volumes that were known before where it knows none."""
    at = np.minimum(np.searchsorted(old.time, new.time), len(old) - 1)
    before = np.where(old.time[at] == new.time, old.volume[at], np.nan)
    volume = np.where(np.isnan(new.volume), before, new.volume)
    return replace(new, volume=volume, volume_known=not np.isnan(volume).any())


def differ_in(one: Floats, other: Floats) -> Bools:
    """Where two columns have other values. What is unknown in both is the same."""
    differ: Bools = (one != other) & ~(np.isnan(one) & np.isnan(other))
    return differ


def _count_differences(old: Candles, new: Candles) -> tuple[int, int]:
    """How many of the new candles differ from the old ones of their times, and how many have no old one."""
    at = np.minimum(np.searchsorted(old.time, new.time), len(old) - 1)
    shared = old.time[at] == new.time
    differ = np.zeros(len(new), dtype=bool)
    for name in VALUES:
        differ |= differ_in(getattr(old, name)[at], getattr(new, name))
    return int(np.count_nonzero(shared & differ)), int(np.count_nonzero(~shared))


def find_gaps(times: Ints, interval: str) -> tuple[Ints, Ints, Ints]:
    """(first missing open time, last missing open time, how many) of each gap. `times` rise, and are on the interval's grid."""
    numbers = number_candles(interval, times)
    wide = np.flatnonzero(np.diff(numbers) > 1)
    first, last = numbers[wide] + 1, numbers[wide + 1] - 1
    return open_numbers(interval, first), open_numbers(interval, last), last - first + 1
