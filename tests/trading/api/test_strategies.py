"""GET /api/v1/strategies."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.urls import include, path
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from engine.strategies import registry
from trading.urls import api_urlpatterns

pytestmark = [pytest.mark.django_db, pytest.mark.services]
ADDRESS = "/api/v1/strategies"


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_login(User.objects.create_user("viewer"))
    return client


def test_every_strategy_is_listed_with_its_parameters_as_json_schema(client: APIClient) -> None:
    answer = client.get(ADDRESS)
    assert answer.status_code == 200
    body = answer.json()
    assert body["next"] is None
    assert [row["name"] for row in body["results"]] == [strategy.name for strategy in registry.all()]
    row = next(row for row in body["results"] if row["name"] == "sma_cross")
    assert (row["title"], row["position"], row["warmup"]) == ("SMA cross", "single", 51)
    assert row["sources"]
    assert row["plots"]["fast"] == {"label": "Fast average", "pane": "price"}
    assert row["parameters"]["additionalProperties"] is False
    fast = row["parameters"]["properties"]["fast"]
    assert (fast["type"], fast["default"], fast["minimum"], fast["maximum"]) == ("integer", 10, 1, 5000)
    assert fast["x-search"] == [5, 24, 1]
    assert fast["title"]
    assert fast["description"]


def test_strategies_ask_for_a_sign_in() -> None:
    answer = APIClient().get(ADDRESS)
    assert answer.status_code in {401, 403}
    assert answer.json()["error"]["code"] == "not_authenticated"


def test_the_schema_describes_the_answer() -> None:
    schema = SchemaGenerator(patterns=[path("api/v1/", include(api_urlpatterns))]).get_schema(public=True)
    operation = schema["paths"]["/api/v1/strategies"]["get"]
    assert operation["x-scope"] == "read"
    assert {"200", "401", "403"} <= set(operation["responses"])
    shown = operation["responses"]["200"]["content"]["application/json"]
    assert shown["schema"] == {"$ref": "#/components/schemas/StrategyPage"}
    assert next(iter(shown["examples"].values()))["value"]["results"][0]["name"] == "sma_cross"
