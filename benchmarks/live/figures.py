"""Figures of a run, as rows of a table."""

from __future__ import annotations

from itertools import pairwise

from benchmarks.live.probes import Sample, Seen, quantile
from benchmarks.live.venue import QUIET, SLOPE

CALM = (QUIET + 2 * SLOPE + 3, 59.5)
"""Seconds of each minute in which nothing is triggered, no candle closes, and what was triggered is over."""


def figures(seen: Seen, wave: bool) -> list[list[str]]:
    samples = seen.samples
    span = samples[-1].moment - samples[0].moment
    calm = [(one, other) for one, other in pairwise(samples) if not wave or CALM[0] <= one.second < other.second <= CALM[1]]
    rows = [
        ["ticks a second", f"{len(seen.ticks) / span:,.0f}", ""],
        ["CPU of a tick that triggers nothing, frame to levels", f"{per_tick(calm, 'loop'):.3f} ms", "0.2 ms"],
        ["the same, whole process", f"{per_tick(calm, 'process'):.3f} ms", ""],
        ["a tick in the evaluator, p99", ms([one[1] for one in seen.ticks], 0.99), ""],
        ["a tick in the evaluator, slowest", ms([one[1] for one in seen.ticks], 1.0), "50 ms"],
        ["trade at the venue to evaluator, p50, p99", f"{ms(ages(seen), 0.5)}, {ms(ages(seen), 0.99)}", ""],
        ["the same, first third and last third, p50", f"{thirds(seen)}", "no growth"],
        ["jobs waiting, most", f"{max(one.jobs for one in samples)}", ""],
        ["memory at 10 s, at the end", f"{at(samples, 10).rss:.0f}, {samples[-1].rss:.0f} MB", "flat"],
        ["CPU of the worker's loop, of its process", f"{share(samples, 'loop')}, {share(samples, 'process')}", ""],
    ]
    return rows + (orders(seen, span) if seen.sent else [])


def orders(seen: Seen, span: float) -> list[list[str]]:
    rows = [["orders a second", f"{len(seen.sent) / span:.1f}", "20"]]
    for name, aims in (("written", ("", "")), ("claimed", ("", "")), ("sent", ("5 ms", "10 ms"))):
        values = [one[1] for one in getattr(seen, name)]
        rows += [[f"frame to {name}, p50", ms(values, 0.5), aims[0]], [f"frame to {name}, p99", ms(values, 0.99), aims[1]]]
    return [*rows, ["frame to sent, slowest", ms([one[1] for one in seen.sent], 1.0), ""]]


def ages(seen: Seen) -> list[float]:
    return [one[2] for one in seen.ticks]


def thirds(seen: Seen) -> str:
    third = len(seen.ticks) // 3
    found = ages(seen)
    return f"{ms(found[:third], 0.5)}, {ms(found[-third:], 0.5)}"


def per_tick(pairs: list[tuple[Sample, Sample]], what: str) -> float:
    """CPU milliseconds a tick."""
    ticks = sum(other.ticks - one.ticks for one, other in pairs)
    return sum(getattr(other, what) - getattr(one, what) for one, other in pairs) / max(ticks, 1) * 1e3


def share(samples: list[Sample], what: str) -> str:
    span = samples[-1].moment - samples[0].moment
    return f"{(getattr(samples[-1], what) - getattr(samples[0], what)) / span:.0%}"


def at(samples: list[Sample], second: float) -> Sample:
    return next((one for one in samples if one.moment - samples[0].moment >= second), samples[-1])


def ms(values: list[float], share: float) -> str:
    return f"{quantile(values, share) * 1e3:.2f} ms"
