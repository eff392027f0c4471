"""Strategies over the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from access.openapi import describe_refusal
from engine.strategies import registry
from engine.strategies.sma_cross import SmaCross
from engine.strategy import Strategy


class StrategyEntry(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="What runs and sweeps are configured with.")
    title = serializers.CharField()
    description = serializers.CharField(help_text="What it does, and when it loses.")
    sources = serializers.ListField(child=serializers.CharField(), help_text="Books and papers.")
    position = serializers.CharField(
        help_text="Entries while in position are ignored (`single`), added to it (`merge`), or kept as lots of their own (`lots`)."
    )
    warmup = serializers.IntegerField(help_text="Candles before signals count, with the default parameters.")
    parameters = serializers.DictField(help_text="JSON Schema. `x-search` is the range for sweeps: start, stop, step.")
    plots = serializers.DictField(
        child=serializers.DictField(child=serializers.CharField()),
        help_text="Indicators that charts show, by column: `label`, and `pane`, which is `price` or the name of a pane they share.",
    )


class StrategyPage(serializers.Serializer[Any]):
    results = StrategyEntry(many=True)
    next = serializers.CharField(allow_null=True, help_text="Always null: the list is whole.")


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


EXAMPLE = OpenApiExample("One strategy", {"results": [describe_strategy(SmaCross)], "next": None}, response_only=True)


class StrategiesView(APIView):
    @extend_schema(
        operation_id="strategies",
        summary="Every strategy with its parameters",
        description="All strategies that runs and sweeps can use, by name: the built-in ones and those of installed packages.\n\n"
        "Scope: `read`.",
        extensions={"x-scope": "read"},
        responses={
            200: OpenApiResponse(StrategyPage, "Every strategy.", examples=[EXAMPLE]),
            **{code: describe_refusal(code) for code in (401, 403, 429)},
        },
    )
    def get(self, request: Request) -> Response:
        return Response({"results": [describe_strategy(strategy) for strategy in registry.list_strategies()], "next": None})
