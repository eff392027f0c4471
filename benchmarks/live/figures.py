"""Figures of a run, as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from benchmarks.live.probes import Sample, Seen, quantile
from benchmarks.live.venue import QUIET, SLOPE
from trading import metrics

CALM = (QUIET + SLOPE + 3, 59.5)
"""Seconds of each minute in which nothing is triggered, no candle closes, and what was triggered is over."""


def figures(seen: Seen, wave: bool) -> list[list[str]]:
    samples = seen.samples
    span = samples[-1].moment - samples[0].moment
    calm = [(one, other) for one, other in pairwise(samples) if not wave or CALM[0] <= one.second < other.second <= CALM[1]]
    rows = [
        ["ticks a second", f"{len(seen.evaluated) / span:,.0f}", ""],
        ["CPU of a tick that triggers nothing, frame to levels", f"{per_tick(calm, 'loop'):.3f} ms", "0.2 ms"],
        ["the same, whole process", f"{per_tick(calm, 'process'):.3f} ms", ""],
        ["a tick in the evaluator, p99", ms(seen.evaluated, 0.99), ""],
        ["a tick in the evaluator, slowest", ms(seen.evaluated, 1.0), "50 ms"],
        ["trade at the venue to evaluator, p50, p99", f"{ms(seen.aged, 0.5)}, {ms(seen.aged, 0.99)}", ""],
        ["the same, first third and last third, p50", f"{thirds(seen)}", "no growth"],
        ["jobs waiting, most; mean of the first third, of the last", f"{backlog(samples)}", "no growth"],
        ["memory at 10 s, at half time, at the end", f"{memory(samples)} MB", "flat"],
        ["questions for an account's balances that its cache answered", f"{cached():.1%}", ""],
        ["CPU of the worker's loop, of its process", f"{share(samples, 'loop')}, {share(samples, 'process')}", ""],
    ]
    return rows + (orders(seen, span) if seen.sent else [])


def orders(seen: Seen, span: float) -> list[list[str]]:
    moving = span * SLOPE / 60
    rates = f"{seen.orders / moving:.1f}; {len(seen.sent) / moving:.1f}"
    rows = [["orders sent a second while prices move; of them set off by a tick", rates, "20"]]
    for name, aims in (("written", ("", "")), ("claimed", ("", "")), ("sent", ("5 ms", "10 ms"))):
        values = [one[1] for one in getattr(seen, name)]
        rows += [[f"frame to {name}, p50", ms(values, 0.5), aims[0]], [f"frame to {name}, p99", ms(values, 0.99), aims[1]]]
    return [*rows, ["frame to sent, slowest", ms([one[1] for one in seen.sent], 1.0), ""]]


def backlog(samples: list[Sample]) -> str:
    third = len(samples) // 3
    first, last = (sum(one.jobs for one in part) / third for part in (samples[:third], samples[-third:]))
    return f"{max(one.jobs for one in samples)}; {first:.1f}, {last:.1f}"


def memory(samples: list[Sample]) -> str:
    span = samples[-1].moment - samples[0].moment
    return ", ".join(f"{at(samples, moment).rss:.0f}" for moment in (10, span / 2, span))


def cached() -> float:
    hits, misses = (counter._value.get() for counter in (metrics.cache_hits, metrics.cache_misses))
    return float(hits / max(1.0, hits + misses))


def thirds(seen: Seen) -> str:
    third = len(seen.aged) // 3
    return f"{ms(seen.aged[:third], 0.5)}, {ms(seen.aged[-third:], 0.5)}"


def per_tick(pairs: list[tuple[Sample, Sample]], what: str) -> float:
    """CPU milliseconds a tick."""
    ticks = sum(other.ticks - one.ticks for one, other in pairs)
    return sum(getattr(other, what) - getattr(one, what) for one, other in pairs) / max(ticks, 1) * 1e3


def share(samples: list[Sample], what: str) -> str:
    span = samples[-1].moment - samples[0].moment
    return f"{(getattr(samples[-1], what) - getattr(samples[0], what)) / span:.0%}"


def at(samples: list[Sample], second: float) -> Sample:
    return next((one for one in samples if one.moment - samples[0].moment >= second), samples[-1])


def ms(values: Sequence[float], share: float) -> str:
    return f"{quantile(values, share) * 1e3:.2f} ms"
