"""How endpoints describe themselves: one decorator, fed with the shapes of what is sent and answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from core.shapes import NAMED, TEXT, Schema, Shape, list_shape, map_shape, name_object, object_shape, shape_schema

REFUSALS = {
    400: ("invalid", "Something in the request cannot be used; `fields` names each fault and its remedy."),
    401: ("not_authenticated", "No valid token or session."),
    403: ("permission_denied", "The scope or the right is missing, or the person is locked out."),
    404: ("not_found", "There is nothing by that name."),
    409: ("conflict", "Not possible in the present state."),
    413: ("too_large", "The body is larger than this address takes."),
    415: ("unsupported_media_type", "The body is of another media type than this address takes."),
    429: ("throttled", "Too many requests; `Retry-After` says when to come back."),
    503: ("unavailable", "The database or the broker does not answer. Nothing was done; `Retry-After` says when to try again."),
}
ERROR = name_object(
    "Error",
    {"error": {"code": "invalid", "message": "The request has fields that cannot be used.", "fields": {"limit": ["..."]}}},
    error=object_shape(code=TEXT, message=TEXT, fields=map_shape(list_shape(TEXT))),
)
PATHS: dict[str, tuple[Schema, str]] = {}
"""What stands in addresses, by its name there: its shape and its meaning."""
PAGE = "Page"


def describe_endpoint(
    *,
    summary: str,
    scope: str | None,
    answer: Shape | None,
    status: int = 200,
    description: str = "",
    body: Shape | None = None,
    parameters: Sequence[OpenApiParameter] = (),
    errors: Sequence[int] = (),
    beyond: Sequence[str] = (),
    also: Mapping[int, Shape] | None = None,
    media_type: str = "application/json",
    body_type: str = "application/json",
) -> Callable[..., Any]:
    """Describes one method of a view. `errors` are those that not every endpoint has. `beyond` names the fields that are refused
    by rules which no schema can say, too: they have to fit each other, or what the desk has. `also` are answers
    of other statuses that are not errors in the usual shape."""
    told = [description or summary, f"Scope: {f'`{scope}`' if scope else 'none, no sign-in needed'}."]
    if beyond:
        told.insert(
            1, f"Must fit each other and what the desk has, or the answer is 400: {', '.join(f'`{name}`' for name in beyond)}."
        )
    always = {429, 503} | ({401, 403} if scope else set()) | ({400, 413, 415} if body else set()) | ({400} if parameters else set())
    answers: dict[Any, OpenApiResponse] = {(status, media_type): describe_answer(answer, status)}
    answers |= {code: OpenApiResponse(description=REFUSALS[code][1]) for code in sorted({*errors, *always} - set(also or ()))}
    answers |= {(code, media_type): describe_answer(shape, code) for code, shape in (also or {}).items()}
    return extend_schema(
        summary=summary,
        description="\n\n".join(told),
        auth=None if scope else [],
        extensions={"x-scope": scope or "none"} | ({"x-beyond": list(beyond)} if beyond else {}),
        request={body_type: shape_schema(body)} if body else None,
        parameters=list(parameters),
        responses=answers,
        examples=[OpenApiExample("Request", value=body.example, request_only=True)] if body and body.example is not None else [],
    )


def describe_answer(answer: Shape | None, status: int) -> OpenApiResponse:
    if answer is None:
        return OpenApiResponse(description=HTTPStatus(status).phrase)
    examples = [OpenApiExample("Answer", value=answer.example, status_codes=[str(status)], response_only=True)]
    return OpenApiResponse(response=shape_schema(answer), description=HTTPStatus(status).phrase, examples=examples)


def describe_refusal(status: int) -> dict[str, Any]:
    code, meaning = REFUSALS[status]
    example = {code: {"value": {"error": {"code": code, "message": meaning, "fields": {}}}}}
    return {"description": meaning, "content": {"application/json": {"schema": shape_schema(ERROR), "examples": example}}}


def query_parameter(name: str, description: str, shape: Schema = TEXT, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, shape, OpenApiParameter.QUERY, description=description, required=required)


def name_path(name: str, shape: Schema, description: str) -> None:
    """What every address means that has `{name}` in it."""
    PATHS[name] = shape, description


class DeskSchema(AutoSchema):
    """Names operations so that a list and one of its rows are two."""

    def get_operation_id(self) -> str:
        name = str(super().get_operation_id()).replace(".", "_")
        answers = self.get_response_serializers()
        pages = isinstance(answers, dict) and any(
            isinstance(answer.response, dict) and answer.response.get("$ref", "").endswith(PAGE) for answer in answers.values()
        )
        return f"{name.removesuffix('_retrieve')}_list" if pages else name


def complete_document(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Adds the named shapes and the refusals, and what is said once of the parts of addresses."""
    parts = result["components"]
    parts.setdefault("schemas", {}).update({shape.name: shape.schema for shape in NAMED.values()})
    parts["responses"] = {f"Refusal{code}": describe_refusal(code) for code in REFUSALS}
    for methods in result["paths"].values():
        for operation in methods.values():
            for code in operation["responses"]:
                if int(code) in REFUSALS and "content" not in operation["responses"][code]:
                    operation["responses"][code] = {"$ref": f"#/components/responses/Refusal{code}"}
            complete_request(operation)
    return result


def complete_request(operation: dict[str, Any]) -> None:
    """An empty query parameter counts as left out, as `Fields` has it; a body is asked for where something in it is."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["schema"], parameter["description"] = PATHS[parameter["name"]]
        elif not parameter.get("required"):
            parameter["allowEmptyValue"] = True
    for content in operation.get("requestBody", {}).get("content", {}).values():
        shape = NAMED[content["schema"]["$ref"].rpartition("/")[2]]
        operation["requestBody"]["required"] = bool(shape.schema.get("required"))
