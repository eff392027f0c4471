"""`/metrics`: figures from the rows, those of this process, and those of the stream workers with a label `process` each."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Sample

from access.addresses import client_address, stands_before_us
from backtests.metrics import RunsCollector
from core.exposition import metrics_all
from trading.collector import DeskCollector

ROWS: tuple[Collector, ...] = (RunsCollector(), DeskCollector())


def metrics(request: HttpRequest) -> HttpResponse:
    if not may_read(request):
        words = "The figures are for METRICS_TOKEN, METRICS_FROM, and people who are signed in: see docs/runbook.md.\n"
        return HttpResponse(words, status=403, content_type="text/plain")
    registry = CollectorRegistry()
    registry.register(Everybody())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read(request: HttpRequest) -> bool:
    """They say what the desk is worth, so not everybody may. An address counts only where it is surely the caller's."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return bool(settings.METRICS_TOKEN) and constant_time_compare(given.strip(), settings.METRICS_TOKEN)
    if not stands_before_us(request) and is_listed(client_address(request)):
        return True
    return request.user.is_authenticated


def is_listed(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in settings.METRICS_FROM)


class Everybody(Collector):
    """Each family of metrics once, with the samples of all processes."""

    def collect(self) -> Iterator[Metric]:
        own = [family for source in (REGISTRY, *ROWS) for family in source.collect()]
        families = {family.name: copy_family(family) for family in own}
        for process, text in sorted(metrics_all().items()):
            for family in text_string_to_metric_families(text):
                if family.name.endswith("_created"):
                    continue  # It belongs to the text format only, whose counter adds it.
                here = families.setdefault(family.name, copy_family(family, []))
                for sample in family.samples:
                    here.add_sample(sample.name, {**sample.labels, "process": process}, sample.value)
        yield from families.values()

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand, because registration must not ask the database."""
        return iter(())


def copy_family(family: Metric, samples: list[Sample] | None = None) -> Metric:
    """A copy, because collectors may keep the families that they give."""
    made = Metric(family.name, family.documentation, family.type)
    made.samples = list(family.samples) if samples is None else samples
    return made
