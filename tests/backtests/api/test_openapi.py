"""The OpenAPI document: every endpoint says what it does, shows an example, and names its scope and errors."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from rest_framework.test import APIClient

from backtests.api import schema as examples
from backtests.models import BacktestRun

DOCUMENT = SchemaGenerator().get_schema(request=None, public=True)
# Pages for people and the document itself.
NOT_OURS = ("schema", "docs", "health")
OPERATIONS = [
    (path, method, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
    if not path.removeprefix("/api/v1/").startswith(NOT_OURS)
]


@pytest.fixture(params=OPERATIONS, ids=[f"{method} {path}" for path, method, _ in OPERATIONS])
def operation(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = request.param[2]
    return found


def test_the_document_is_valid() -> None:
    validate_schema(DOCUMENT)


def test_every_promised_path_is_there() -> None:
    promised = {
        "auth/tokens": {"get", "post"},
        "auth/tokens/{token_id}": {"get", "delete"},
        "backtests": {"get", "post"},
        "backtests/compare": {"get"},
        "backtests/{run_id}": {"get", "delete"},
        "backtests/{run_id}/cancel": {"post"},
        "backtests/{run_id}/equity": {"get"},
        "backtests/{run_id}/export": {"get"},
        "backtests/{run_id}/playback/candles": {"get"},
        "backtests/{run_id}/playback/state/{timestamp}": {"get"},
        "backtests/{run_id}/results": {"get"},
        "backtests/{run_id}/retry": {"post"},
        "backtests/{run_id}/trades": {"get"},
        "backtests/{run_id}/trades.csv": {"get"},
    }
    there = {path.removeprefix("/api/v1/"): set(methods) for path, methods in DOCUMENT["paths"].items()}
    assert {path: there.get(path, set()) & methods for path, methods in promised.items()} == promised


def test_it_says_what_it_does_and_under_which_scope(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert "Scope:" in operation["description"]
    assert operation["x-scope"] in {"read", "trade", "admin", "none"}


def test_it_shows_an_example(operation: dict[str, Any]) -> None:
    good = {code: answer for code, answer in operation["responses"].items() if code < "300"}
    assert good
    for code, answer in good.items():
        assert code == "204" or all(content.get("examples") for content in answer["content"].values())
    for kind, content in operation.get("requestBody", {"content": {}})["content"].items():
        assert kind != "application/json" or content["examples"]


def test_it_names_its_errors_in_the_one_shape(operation: dict[str, Any]) -> None:
    bad = {code: answer for code, answer in operation["responses"].items() if code >= "400"}
    assert "429" in bad
    assert operation["x-scope"] == "none" or {"401", "403"} <= set(bad)
    for answer in bad.values():
        assert answer["content"]["application/json"]["schema"]["required"] == ["error"]


def keys(value: Any) -> Any:
    """The shape of an answer: names all the way down, the first of each list."""
    if isinstance(value, dict):
        return {name: keys(inner) for name, inner in value.items()}
    return [keys(value[0])] if isinstance(value, list) and value else None


@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("", {**examples.RUN, "config": None}),
        ("/equity", {"results": [examples.EQUITY], "next": None}),
        ("/trades", {"results": [examples.TRADE], "next": None}),
    ],
)
def test_examples_have_the_shape_of_real_answers(api: APIClient, run: BacktestRun, path: str, example: Any) -> None:
    real = api.get(f"/api/v1/backtests/{run.run_id}{path}").json()
    if "config" in example:
        real["config"] = None
    assert keys(real) == keys(example)


def test_the_state_and_the_results_have_every_name_of_their_examples(api: APIClient, run: BacktestRun) -> None:
    state = api.get(f"/api/v1/backtests/{run.run_id}/playback/state/2022-01-02T00:00:00Z").json()
    assert set(state) == set(examples.STATE)
    assert set(state["last_fill"]) == set(examples.FILL)
    assert set(state["last_order"]) == set(examples.ORDER)
    results = api.get(f"/api/v1/backtests/{run.run_id}/results").json()
    assert set(examples.RESULTS) <= set(results)
    assert set(results["honesty"]) == set(examples.HONESTY)


@pytest.mark.parametrize("path", [path for path in DOCUMENT["paths"] if path.startswith(("/api/v1/backtests", "/api/v1/auth"))])
def test_the_reference_page_names_every_endpoint(path: str) -> None:
    page = (settings.BASE_DIR / "docs" / "reference" / "api.md").read_text()
    for method in DOCUMENT["paths"][path]:
        assert f"| {method.upper()} `{path.removeprefix('/api/v1/')}` |" in page
