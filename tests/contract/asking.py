"""Requests made of the OpenAPI document, by schemathesis: right ones and wrong ones, and what the answer to each has to be.

Its plugin for pytest is not used: it would be loaded by every test process. The program is asked in this process, each time in a
transaction that is rolled back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, settings, strategies
from schemathesis.checks import not_a_server_error
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.overrides import Override
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from core.shapes import ABSENT
from tests.contract.conformance import template_of
from tests.contract.desk import Caller

MODES = list(schemathesis.GenerationMode)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance, unsupported_method]
UNKNOWN = {"timestamp": "1999-12-31", "token_id": 999_999_999, "import_id": 999_999_999}
"""What an address can name besides what is there; of an id, its digits turned to f."""
Document = dict[str, Any]
Operation = Any
Case = Any


def open_document(named: dict[str, Any], settings: dict[str, Any]) -> Any:
    """The document, whose addresses name what is on the desk or nothing, and whose settings can be those of a run that works: what
    is made up would never be there, and never be taken."""
    document = json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))
    for methods in document["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path":
                    name = parameter["name"]
                    parameter["schema"] = {"enum": [named[name], UNKNOWN.get(name, "f" * len(str(named[name])))]}
    for schema in document["components"]["schemas"].values():
        narrow_settings(schema, settings)
    found = schemathesis.openapi.from_dict(document, config=schemathesis.Config())
    found.config.generation.update(deterministic=True, with_security_parameters=False)
    found.app = WSGIHandler()
    return found


def narrow_settings(schema: Document, settings: dict[str, Any]) -> None:
    """In what is sent, not in what is answered: that is known by its bounds."""
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is not False:
        return
    for name in properties.keys() & settings.keys():
        absent = [] if name in schema.get("required", ()) else ABSENT["anyOf"]
        properties[name] = {"anyOf": [{"enum": settings[name]}, *absent]}


def list_cases(operation: Operation, *, most: int, examples: int) -> list[Case]:
    """The bounds of each part of the operation's request, kept and overstepped, at most so many of them; and so many `examples`
    made at random. They are the same each time."""
    return [*thin(list(list_bounds(operation)), most), *draw_examples(operation, examples)]


def list_bounds(operation: Operation) -> Iterator[Case]:
    return iter(
        CoverageGenerator(
            operation=operation,
            generation_modes=MODES,
            generation_config=operation.schema.config.generation,
            auth_storage=None,
            override=Override(),
            feedback=NO_FEEDBACK,
        )
    )


def thin(cases: list[Case], most: int) -> list[Case]:
    step = max(1, len(cases) / most)
    return [cases[int(place * step)] for place in range(min(most, len(cases)))]


def draw_examples(operation: Operation, count: int) -> list[Case]:
    drawn: list[Case] = []

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategies.one_of([operation.as_strategy(generation_mode=mode) for mode in MODES]))
    def note_case(case: Case) -> None:
        drawn.append(case)

    note_case()
    return drawn


def ask_desk(case: Case, caller: Caller) -> None:
    """One request and its answer, held to the document and to who asks. Nothing of it stays."""
    try:
        with transaction.atomic():
            response = case.call(headers=caller.headers)
            transaction.set_rollback(True)
        case.validate_response(response, [*CHECKS, negative_data_rejection] if caller.may_all else CHECKS, headers=caller.headers)
        check_caller(response, case, caller)
        if caller.may_all:
            check_acceptance(response, case)
    except Exception as fault:
        fault.add_note(f"Asked by {caller.name}: {case.as_curl_command()}")
        raise


def check_caller(response: Any, case: Case, caller: Caller) -> None:
    """Who may not ask is told so, whatever is asked; who may is not."""
    operation, asked = case.operation, urlsplit(response.request.url).path
    scope = operation.definition.raw["x-scope"]
    if scope == "none" or case.method != operation.method.upper() or template_of(unquote(asked)) != operation.path:
        return  # to another address or method no scope belongs
    status = response.status_code
    if not caller.scopes:
        assert status == HTTPStatus.UNAUTHORIZED, f"{caller.name} gets {status}"
    elif scope not in caller.scopes:
        assert status == HTTPStatus.FORBIDDEN, f"{caller.name} gets {status}"
    else:
        assert status != HTTPStatus.UNAUTHORIZED, f"{caller.name} is not known"
        assert not (caller.may_all and status == HTTPStatus.FORBIDDEN), f"{caller.name} may not do this"


def check_acceptance(response: Any, case: Case) -> None:
    """What the document takes is taken, or refused for what it says that no schema can say."""
    if not case.meta.generation.mode.is_positive or response.status_code != HTTPStatus.BAD_REQUEST:
        return
    beyond = case.operation.definition.raw.get("x-beyond", [])
    faults = response.json()["error"]["fields"]
    unsaid = [name for name in faults if not any(f"{name}.".startswith(f"{part}.") for part in beyond)]
    assert faults, "refused without a word of why"
    assert not unsaid, f"refused for {', '.join(unsaid)}, of which the document says nothing"
