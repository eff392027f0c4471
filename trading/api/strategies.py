"""Strategies over the API."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_endpoint
from core.shapes import COUNT, OBJECT, TEXT, choice_shape, list_shape, map_shape, name_object, name_page, object_shape
from engine.strategies import registry
from engine.strategies.sma_cross import SmaCross
from engine.strategy import Strategy

POSITIONS = ("single", "merge", "lots")


def describe_strategy(strategy: type[Strategy]) -> dict[str, Any]:
    return {
        "name": strategy.name,
        "title": strategy.title,
        "description": strategy.description,
        "sources": list(strategy.sources),
        "position": strategy.position,
        "warmup": strategy().warmup(),
        "parameters": strategy.json_schema(),
        "plots": {name: {"label": plot.label, "pane": plot.pane} for name, plot in strategy.plots.items()},
    }


STRATEGY = name_object(
    "Strategy",
    describe_strategy(SmaCross),
    name=TEXT | {"description": "What runs and sweeps are configured with."},
    title=TEXT,
    description=TEXT | {"description": "What it does, and when it loses."},
    sources=list_shape(TEXT, description="Books and papers."),
    position=choice_shape(POSITIONS)
    | {"description": "Entries while in position are ignored (`single`), added to it (`merge`), or lots of their own (`lots`)."},
    warmup=COUNT | {"description": "Candles before signals count, with the default parameters."},
    parameters=OBJECT | {"description": "JSON Schema. `x-search` is the range for sweeps: start, stop, step."},
    plots=map_shape(object_shape(label=TEXT, pane=TEXT))
    | {"description": "Indicators that charts show, by column. `pane` is `price` or the name of a pane that several share."},
)
STRATEGIES = name_page(STRATEGY)


class StrategiesView(APIView):
    @describe_endpoint(
        summary="Every strategy with its parameters",
        description="All strategies that runs and sweeps can use, by name: the built-in ones and those of installed packages.",
        scope="read",
        answer=STRATEGIES,
    )
    def get(self, request: Request) -> Response:
        return Response({"results": [describe_strategy(strategy) for strategy in registry.list_strategies()], "next": None})
