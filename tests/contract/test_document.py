"""The OpenAPI document: every endpoint says what it does, shows an example, and names its scope and errors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from drf_spectacular.validation import validate_schema

from core.shapes import NAMED
from tests.contract.conformance import document, follow, refuse_unlike

DOCUMENT = document()
OPERATIONS = [(path, method, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()]


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
    assert {"429", "503"} <= set(bad)
    assert operation["x-scope"] == "none" or {"401", "403"} <= set(bad)
    for code, answer in bad.items():
        own = code == "503" and "content" in answer  # what readiness says
        assert own or follow(answer)["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Error"}


def test_it_says_what_may_be_left_out(operation: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {"content": {}})["content"].values():
        assert operation["requestBody"]["required"] == ("required" in follow(content["schema"]))
    asked = [parameter for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
    assert all(parameter.get("allowEmptyValue", False) != parameter.get("required", False) for parameter in asked)


def test_operation_ids_are_unique_and_names() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch("[a-z_]+", name) for name in ids)


@pytest.mark.parametrize("name", NAMED)
def test_each_example_is_of_its_shape(name: str) -> None:
    if NAMED[name].example is not None:
        refuse_unlike(name, {"$ref": f"#/components/schemas/{name}"}, json.loads(json.dumps(NAMED[name].example)))


def test_no_shape_is_left_open() -> None:
    """Something is said of each part of a request and of an answer, but for what strategies and venues decide."""
    free = {where for name, shape in NAMED.items() for where in list_untyped(shape.schema, name)}
    assert free == {
        *(f"{bot}.left[]" for bot in ("BotStatus", "BotAction", "BotRow", "Bot", "BotRun")),
        *(f"Comparison.{part}" for part in ("config.*[]", "metrics.*.values[]", "metrics.*.differences[]")),
        *(f"{sweep}.space.*[]" for sweep in ("SweepConfig", "SweepWhole")),
        *(f"Heatmap.{axis}_values[]" for axis in "xy"),
    }


def list_untyped(schema: Any, where: str) -> Iterator[str]:
    if not set(schema) & {"type", "anyOf", "$ref", "enum", "const"}:
        yield where
    for name, one in schema.get("properties", {}).items():
        yield from list_untyped(one, f"{where}.{name}")
    for one in schema.get("anyOf", []):
        if "required" not in one or "type" in one:
            yield from list_untyped(one, where)
    if "items" in schema:
        yield from list_untyped(schema["items"], f"{where}[]")
    if isinstance(schema.get("additionalProperties"), dict):
        yield from list_untyped(schema["additionalProperties"], f"{where}.*")


@pytest.mark.parametrize("path", [path for path in DOCUMENT["paths"] if path.startswith(("/api/v1/backtests", "/api/v1/auth"))])
def test_the_reference_page_names_every_endpoint(path: str) -> None:
    page = (settings.BASE_DIR / "docs" / "reference" / "api.md").read_text()
    for method in DOCUMENT["paths"][path]:
        assert f"| {method.upper()} `{path.removeprefix('/api/v1/')}` |" in page
