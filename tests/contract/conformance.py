"""Holds every answer of the API that any test gets to what the OpenAPI document says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator, FormatChecker

ROOT = "/api/v1/"
UNWRITTEN = ("schema/", "docs/")
"""The document itself, and its page."""


class ContractBroken(AssertionError):
    pass


class CheckAnswers:
    """A middleware that only tests have."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        written = request.path.startswith(ROOT) and not request.path.startswith(tuple(ROOT + path for path in UNWRITTEN))
        # To another scheme, or to the address with a slash: no answer of the API's.
        moved = response.status_code == HTTPStatus.MOVED_PERMANENTLY
        if written and not moved and request.method not in ("OPTIONS", "HEAD"):
            check_answer(request.method or "", template_of(request.path), response)
        return response


def template_of(path: str) -> str:
    """As the document writes it; empty where nothing has this address."""
    try:
        return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", resolve(path).route)
    except Resolver404:
        return ""


def check_answer(method: str, path: str, response: HttpResponseBase) -> None:
    operation = document()["paths"].get(path, {}).get(method.lower())
    where = f"{method} {path or 'an unknown address'}: {response.status_code}"
    if operation is None:
        assert response.status_code in (400, 401, 403, 404, 405, 429, 503), where
        refuse_unlike(where, {"$ref": "#/components/schemas/Error"}, read_json(where, response))
        return
    said = operation["responses"].get(str(response.status_code))
    if said is None:
        raise ContractBroken(f"{where} is not written down; there are {', '.join(operation['responses'])}")
    said = follow(said)
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    if "content" not in said:
        assert not body_of(response), f"{where}: a body where none is written down"
        return
    if kind not in said["content"]:
        raise ContractBroken(f"{where}: {kind} is not of {', '.join(said['content'])}")
    if kind == "application/json" and not getattr(response, "is_async", False):  # that comes piece by piece, and but once
        refuse_unlike(where, said["content"][kind]["schema"], read_json(where, response))


def refuse_unlike(where: str, schema: dict[str, Any], value: Any) -> None:
    faults = [f"{error.json_path}: {error.message[:300]}" for error in validator(json.dumps(schema)).iter_errors(value)]
    if faults:
        raise ContractBroken("\n".join([where, *faults[:5]]))


@cache
def document() -> dict[str, Any]:
    """With every object closed: what is answered and not written down is found, too."""
    found: dict[str, Any] = deepcopy(json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True))))
    close_objects(found["components"]["schemas"])
    close_objects(found["paths"])
    return found


def close_objects(part: Any) -> None:
    if isinstance(part, list):
        for one in part:
            close_objects(one)
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict) and "additionalProperties" not in part:
            part["additionalProperties"] = False
        for one in part.values():
            close_objects(one)


@cache
def validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": document()["components"]}, format_checker=FormatChecker())


def follow(part: dict[str, Any]) -> dict[str, Any]:
    found: Any = part
    if "$ref" in part:
        found = document()
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
    return dict(found)


def read_json(where: str, response: HttpResponseBase) -> Any:
    try:
        return json.loads(body_of(response))
    except ValueError:
        raise ContractBroken(f"{where}: no JSON: {body_of(response)[:80]!r}") from None


def body_of(response: HttpResponseBase) -> bytes:
    if isinstance(response, StreamingHttpResponse):
        whole = b"".join(response.streaming_content)  # type: ignore[arg-type]  # tests are not served over ASGI
        response.streaming_content = [whole]
        return whole
    return bytes(getattr(response, "content", b""))
