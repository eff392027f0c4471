"""Metrics of the desk that are read from its rows. Workers come and go; the rows count for all of them."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trading import selectors
from trading.models import Bot
from wallets.drift_lists import drift_amounts


class DeskCollector(Collector):
    """`bots_active` and `portfolio_value`, in a constant number of queries a scrape."""

    def collect(self) -> Iterator[Metric]:
        active = GaugeMetricFamily("bots_active", "Bots whose run has not ended.")
        value = GaugeMetricFamily(
            "portfolio_value",
            "What the desk is worth at the newest prices, in the reporting currency, by mode.",
            labels=["currency", "mode"],
        )
        drift = GaugeMetricFamily("wallet_drift", "What a venue has more of an asset than our books.", labels=["wallet", "asset"])
        for wallet, asset, amount in drift_amounts():
            drift.add_metric([wallet, asset], float(amount))
        yield drift
        running = Bot.objects.filter(run__isnull=False, run__ended_at=None, archived_at=None)
        active.add_metric([], running.count())
        yield active
        for holdings in selectors.desk_portfolio().totals:
            value.add_metric([holdings.currency, holdings.mode], float(holdings.value))
        yield value
