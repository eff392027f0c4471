"""Which interval the times of a file look like."""

from __future__ import annotations

import numpy as np

from engine.types import INTERVALS, Ints

DAY = 86_400_000_000
MONTH = INTERVALS["1M"] * 1000
ENOUGH = 3
"""How many spacings a file must have before all of them being too wide means more than gaps."""
STRETCH = 6
"""How many spacings of another interval must follow each other before they mean more than gaps ..."""
CHANCE = 1e-6
"""... provided that chance would make such a stretch less often than this, given how often the spacing occurs elsewhere in the
file."""


def wrong_spacing(times: Ints, interval: str) -> str:
    """Why `times` (µs, in any order) do not have this interval; empty if they may have. Gaps are not faults."""
    step = INTERVALS[interval] * 1000
    spacings: Ints = np.diff(times)
    if (spacings <= 0).any():
        spacings = np.diff(np.unique(times)).astype(np.int64)
    if not len(spacings):
        return ""
    spacings = np.where((spacings >= 28 * DAY) & (spacings <= 31 * DAY), MONTH, spacings)  # months have no length of their own
    sizes, counts = np.unique(spacings, return_counts=True)
    usual = int(sizes[np.argmax(counts)])
    if usual != step and _is_interval(spacings, usual, step):
        looks = f"The candles are {format_length(usual)} apart: these look like {_interval_name(usual)} candles, not {interval}."
        return f"{looks} Nothing was imported."
    if other := _other_stretch(spacings, step):
        return (
            f"The file mixes {interval} and {_interval_name(other)} candles. Import each interval on its own. Nothing was imported."
        )
    return ""


def _is_interval(spacings: Ints, usual: int, step: int) -> bool:
    if usual < step:
        return True
    return len(spacings) >= ENOUGH and float(np.mean(spacings % usual == 0)) > 0.9


def _other_stretch(spacings: Ints, step: int) -> int:
    """The spacing of another interval that stands in a stretch too long to be a row of gaps; 0 if there is none."""
    edges = np.append(0, np.flatnonzero(np.diff(spacings)) + 1)
    sizes, lengths = spacings[edges], np.diff(np.append(edges, len(spacings)))
    for other in (milliseconds * 1000 for milliseconds in INTERVALS.values()):
        runs = lengths[sizes == other]
        if other == step or not len(runs) or runs.max() < STRETCH:
            continue
        share = max(int(runs[runs < STRETCH].sum()), 1) / len(spacings)
        if len(spacings) * share ** int(runs.max()) < CHANCE:
            return other
    return 0


def _interval_name(microseconds: int) -> str:
    names = {milliseconds * 1000: name for name, milliseconds in INTERVALS.items()}
    return names.get(microseconds, format_length(microseconds))


def format_length(microseconds: int) -> str:
    """In words, such as `5 minutes`."""
    for unit, size in (("month", MONTH), ("day", DAY), ("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000)):
        if microseconds % size == 0:
            count = microseconds // size
            return f"{count} {unit}{'s' * (count != 1)}"
    return f"{microseconds / 1e6:g} seconds"
