"""What is compared, and in which module each probe is. Known to both sides: the one that asks, and the worker in a checkout."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, Protocol

Answer = dict[str, Any]


class Probe(Protocol):
    """One kind of work in one checkout. Everything that it measures is in seconds."""

    def prepare(self) -> Answer:
        """Whatever comes before the first measurement, a warm-up included."""

    def measure(self, request: Answer) -> Answer:
        """`cpu`; `wall`, where that says something too; and `found`, which both builds should answer alike."""

    def close(self) -> None:
        """Ends what it started."""


@dataclass(frozen=True, slots=True)
class Kind:
    title: str
    module: str
    maker: str


KINDS = {
    "single": Kind("one backtest, 525,600 candles", "computing", "Single"),
    "sweep": Kind("sweep of 100 over them", "computing", "Sweep"),
    "post": Kind("POST to completed, 45,000 candles", "asking", "Post"),
    "order": Kind("an order, frame to sent and filled", "ordering", "Orders"),
    "help": Kind("manage.py help", "starting", "Help"),
    "start": Kind("second start of the desk", "starting", "Start"),
}
HELPERS = {"venue": Kind("the exchange of the orders", "venue", "Venue")}


def make_probe(name: str, var: str, rounds: int) -> Probe:
    """`var`: a folder of its own. `rounds`: how many measurements will be asked for at most."""
    kind = (KINDS | HELPERS)[name]
    maker = getattr(importlib.import_module(f"benchmarks.pairs.{kind.module}"), kind.maker)
    probe: Probe = maker(var, rounds)
    return probe
