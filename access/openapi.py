"""How endpoints describe themselves: one decorator, fed with a real example, from which the schema is inferred."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
MEANINGS = {
    400: "Something in the request cannot be used; `fields` names each fault and its remedy.",
    401: "No valid token or session.",
    403: "The scope is missing, or the person is locked out.",
    404: "There is nothing by that name.",
    409: "Not possible in the present state.",
    429: "Too many requests; `Retry-After` says when to come back.",
}
CODES = {400: "invalid", 401: "not_authenticated", 403: "permission_denied", 404: "not_found", 409: "conflict", 429: "throttled"}
ERROR_SCHEMA = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "fields"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fields": {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}},
            },
        }
    },
}


def describe_endpoint(
    *,
    summary: str,
    scope: str | None,
    example: Any,
    status: int = 200,
    also: Mapping[int, Any] | None = None,
    description: str = "",
    body: Mapping[str, Any] | None = None,
    body_example: Any = None,
    parameters: Sequence[OpenApiParameter] = (),
    errors: Sequence[int] = (),
    media_type: str = "application/json",
) -> Callable[..., Any]:
    """Describes one method of a view. `example` is a whole answer; `body` is the JSON Schema of the request; `also`
    has whole answers of other statuses."""
    told = f"{description or summary}\n\nScope: {f'`{scope}`' if scope else 'none, no sign-in needed'}."
    always = (401, 403, 429) if scope else (429,)
    good = {status: example, **(also or {})}
    answers: dict[Any, OpenApiResponse] = {(code, media_type): describe_answer(one, code) for code, one in good.items()}
    answers |= {(code, "application/json"): describe_refusal(code) for code in sorted({*errors, *always})}
    return extend_schema(
        summary=summary,
        description=told,
        extensions={"x-scope": scope or "none"},
        request={"application/json": dict(body)} if body else None,
        parameters=list(parameters),
        responses=answers,
        examples=[OpenApiExample("Request", value=body_example, request_only=True)] if body_example is not None else [],
    )


def describe_answer(example: Any, status: int) -> OpenApiResponse:
    if example is None:
        return OpenApiResponse(description=HTTPStatus(status).phrase)
    examples = [OpenApiExample("Answer", value=example, status_codes=[str(status)], response_only=True)]
    return OpenApiResponse(response=schema_of(example), description=HTTPStatus(status).phrase, examples=examples)


def describe_refusal(code: int) -> OpenApiResponse:
    value = {"error": {"code": CODES[code], "message": MEANINGS[code], "fields": {}}}
    examples = [OpenApiExample(CODES[code], value=value, status_codes=[str(code)], response_only=True)]
    return OpenApiResponse(response=ERROR_SCHEMA, description=MEANINGS[code], examples=examples)


def schema_of(example: Any) -> dict[str, Any]:
    """The JSON Schema of what looks like `example`. Null stands for anything."""
    if isinstance(example, dict):
        properties = {name: schema_of(value) for name, value in example.items()}
        return {"type": "object", "properties": properties, **({"required": list(properties)} if properties else {})}
    if isinstance(example, list):
        return {"type": "array", "items": schema_of(example[0]) if example else {}}
    if isinstance(example, str):
        return {"type": "string", "format": "date-time"} if TIME.fullmatch(example) else {"type": "string"}
    kinds = {bool: "boolean", int: "integer", float: "number"}
    return {"type": kinds[type(example)]} if type(example) in kinds else {}


def query_parameter(
    name: str, description: str, kind: Any = OpenApiTypes.STR, *, values: Sequence[str] | None = None
) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description, enum=values)
