"""Prometheus: what the rows say. Workers come and go; the database has counted for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, F, Q, Sum
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from backtests.models import BacktestRun, Status

BUCKETS = (1, 2, 5, 15, 60, 300, 900, 3_600)
"""Seconds."""


class RunsCollector(Collector):
    """`backtests_total{status}` and `backtest_duration_seconds`, in two queries a scrape."""

    def collect(self) -> Iterator[Metric]:
        counts = dict(BacktestRun.objects.order_by().values_list("status").annotate(Count("id")))
        total = CounterMetricFamily("backtests", "Backtests by status.", labels=["status"])
        for status in Status.values:
            total.add_metric([status], counts.get(status, 0))
        yield total
        yield measure_durations()


def measure_durations() -> HistogramMetricFamily:
    """How long completed backtests took, in one query."""
    completed = BacktestRun.objects.filter(status=Status.COMPLETED).annotate(took=F("finished_at") - F("started_at"))
    within = {f"s{bound}": Count("id", filter=Q(took__lte=timedelta(seconds=bound))) for bound in BUCKETS}
    found = completed.aggregate(all=Count("took"), seconds=Sum("took"), **within)
    buckets = [*((str(float(bound)), found[f"s{bound}"]) for bound in BUCKETS), ("+Inf", found["all"])]
    total = found["seconds"].total_seconds() if found["seconds"] else 0.0
    help_text = "From a worker's start to its end, completed backtests."
    return HistogramMetricFamily("backtest_duration_seconds", help_text, buckets=buckets, sum_value=total)
