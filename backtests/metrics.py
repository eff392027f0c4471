"""Prometheus: what the rows say. Workers come and go; the database has counted for all of them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, F, Sum
from prometheus_client.core import CounterMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from backtests.models import BacktestRun, Status


class RunsCollector(Collector):
    """`backtests_total{status}` and `backtest_duration_seconds`, in two queries a scrape."""

    def collect(self) -> Iterator[Metric]:
        counts = dict(BacktestRun.objects.order_by().values_list("status").annotate(Count("id")))
        total = CounterMetricFamily("backtests", "Backtests by status.", labels=["status"])
        for status in Status.values:
            total.add_metric([status], counts.get(status, 0))
        yield total
        took = BacktestRun.objects.filter(status=Status.COMPLETED).aggregate(seconds=Sum(F("finished_at") - F("started_at")))[
            "seconds"
        ]
        seconds = took.total_seconds() if took else 0.0
        help_text = "From a worker's start to its end, completed backtests."
        yield SummaryMetricFamily(
            "backtest_duration_seconds", help_text, count_value=counts.get(Status.COMPLETED, 0), sum_value=seconds
        )
