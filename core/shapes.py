"""The shapes of what programs send and get, in JSON Schema (draft 2020-12, as OpenAPI 3.1 takes it).

A shape is written once and bears a name; whatever contains it refers to it. What is sent is not written at all: it is noted while
the reader of it asks its questions, so that no bound can be one thing here and another there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.fields import DIGITS, DIRECTIONS, FLAGS, Fields
from core.paging import CURSOR_NUMBER

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
FLAG: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
ANYTHING: Schema = {}
OBJECT: Schema = {"type": "object"}
DECIMAL: Schema = {"type": "string", "format": "decimal", "pattern": r"^-?[0-9]+(\.[0-9]+)?$"}
MOMENT: Schema = {"type": "string", "format": "date-time", "pattern": "Z$"}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ABSENT: Schema = {"anyOf": [{"type": "null"}, {"type": "string", "pattern": r"^\s*$"}]}
"""What `Fields` takes for a field that is not there."""
SYMBOL_GIVEN: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9]{1,15}[-/_][A-Za-z0-9]{1,15}$", "example": "BTC-USDT"}
"""A symbol in any of the ways that `symbol_normalise` takes."""
VENUE_GIVEN: Schema = {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$", "example": "binance"}
CURSOR: Schema = {"type": "string", "pattern": f"^{CURSOR_NUMBER.pattern}$"}
"""Where a list goes on, for lists that are ordered by a number."""


FLAG_ASKED: Schema = {"type": "string", "enum": list(FLAGS)}
MOMENT_ASKED: Schema = {"anyOf": [{"type": "string", "format": form} for form in ("date-time", "date")]}


@dataclass(frozen=True)
class Shape:
    """A named shape, with an example of it."""

    name: str
    schema: Schema
    example: Any


NAMED: dict[str, Shape] = {}
"""Every named shape."""
AnyShape = Shape | Schema


def name_shape(name: str, schema: Schema, example: Any) -> Shape:
    assert name not in NAMED, f"two shapes are named {name}"
    shape = NAMED[name] = Shape(name, schema, example)
    return shape


def name_object(name: str, example: Any, /, *, optional: Iterable[str] = (), **properties: AnyShape) -> Shape:
    return name_shape(name, object_shape(optional=optional, **properties), example)


def name_page(row: Shape, cursor: AnyShape | None = None) -> Shape:
    """A page of a list of such rows."""
    link = allow_null({"type": "string", "format": "uri", "description": "The address of the next page; null on the last one."})
    return name_object(f"{row.name}Page", {"results": [row.example], "next": None}, results=list_shape(row), next=link)


def shape_schema(shape: AnyShape) -> Schema:
    """As it stands where it is used: named ones by reference."""
    return {"$ref": f"#/components/schemas/{shape.name}"} if isinstance(shape, Shape) else shape


def object_shape(*, optional: Iterable[str] = (), **properties: AnyShape) -> Schema:
    """Everything that is not optional is always there. More may be added later, which no client must mind."""
    required = [name for name in properties if name not in set(optional)]
    schema: Schema = {"type": "object", "properties": {name: shape_schema(shape) for name, shape in properties.items()}}
    return {**schema, "required": required} if required else schema


def map_shape(shape: AnyShape) -> Schema:
    """By names that are data."""
    return {"type": "object", "additionalProperties": shape_schema(shape)}


def list_shape(shape: AnyShape, **more: Any) -> Schema:
    return {"type": "array", "items": shape_schema(shape), **more}


def choice_shape(choices: Iterable[str]) -> Schema:
    return {"type": "string", "enum": list(choices)}


def count_shape(low: int, high: int) -> Schema:
    return {"type": "integer", "minimum": low, "maximum": high}


def asked_text(longest: int = 200) -> Schema:
    """A text in an address."""
    return given_text(longest) | {"type": "string"}


def id_shape(digits: int) -> Schema:
    return {"type": "string", "pattern": f"^[0-9a-f]{{{digits}}}$"}


def allow_null(shape: AnyShape) -> Schema:
    schema = shape_schema(shape)
    if isinstance(schema.get("type"), str) and "enum" not in schema:
        return {**schema, "type": [schema["type"], "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def allow_absent(schema: Schema) -> Schema:
    """The same for what may be sent and may be left out."""
    known = schema["anyOf"] if set(schema) == {"anyOf"} else [schema]
    return {"anyOf": [*known, *ABSENT["anyOf"]]}


def given_integer(low: int, high: int) -> Schema:
    """What `Fields.integer` takes."""
    pattern = decimal_pattern(Decimal(low), Decimal(high), fraction=rf"\.0{{1,{DIGITS}}}")
    return allow_absent({"anyOf": [count_shape(low, high), {"type": "string", "pattern": pattern}]})


def given_decimal(low: Decimal, high: Decimal, *, above_low: bool = False, below_high: bool = False) -> Schema:
    """What `Fields.decimal` takes: numbers, and text in decimal notation."""
    least = low + Decimal(1).scaleb(-DIGITS) if above_low else low
    number = {"type": "number", "minimum": plain_number(least), "exclusiveMaximum" if below_high else "maximum": plain_number(high)}
    pattern = decimal_pattern(low, high, above_low=above_low, below_high=below_high)
    return allow_absent({"anyOf": [number, {"type": "string", "pattern": pattern}]})


def plain_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


UNUSABLE = "".join(f"\\u{ord(character):04x}" for character in sorted(DIRECTIONS | {"\x00"}))
"""Characters that `Fields.text` refuses."""


def given_text(longest: int) -> Schema:
    """What `Fields.text` takes."""
    return {"type": ["string", "null"], "maxLength": longest, "pattern": f"^[^{UNUSABLE}]*$"}


def required_text(longest: int) -> Schema:
    """The same, with something in it."""
    return {"type": "string", "maxLength": longest, "pattern": rf"^[^{UNUSABLE}]*[^\s{UNUSABLE}][^{UNUSABLE}]*$"}


def given_choice(choices: Sequence[str]) -> Schema:
    return allow_absent(choice_shape(choices))


def given_flag() -> Schema:
    return allow_absent({"anyOf": [FLAG, FLAG_ASKED]})


def given_moment() -> Schema:
    """What `Fields.moment` takes, in the forms that are advised: a date, or a time."""
    return allow_absent(MOMENT_ASKED)


def decimal_pattern(
    low: Decimal, high: Decimal, *, above_low: bool = False, below_high: bool = False, fraction: str = rf"\.[0-9]{{1,{DIGITS}}}"
) -> str:
    """Numbers from `low` to `high`, both whole, in decimal notation."""

    def up_to(bound: Decimal, *, included: bool) -> str:
        whole = rf"(?:{below_pattern(int(bound))})(?:{fraction})?" if bound else ""
        exact = rf"{bound:f}(?:\.0{{1,{DIGITS}}})?" if included else ""
        return "|".join(part for part in (whole, exact) if part)

    numbers = up_to(high, included=not below_high)
    if low < 0:
        numbers += f"|-(?:{up_to(-low, included=not above_low)})"
    smaller = up_to(low, included=above_low) if low >= 0 else ""
    return f"^{f'(?!0*(?:{smaller})$)' if smaller else ''}(?:{numbers})$"


def below_pattern(bound: int) -> str:
    """Digits of the whole numbers below `bound`; none may be longer than it."""
    digits = str(bound)
    shorter = [f"[0-9]{{1,{len(digits) - 1}}}"] if len(digits) > 1 else []
    same = [
        f"{digits[:place]}[0-{int(digit) - 1}][0-9]{{{len(digits) - place - 1}}}"
        for place, digit in enumerate(digits)
        if digit > ("0" if place or not shorter else "1")
    ]
    return "|".join(shorter + same)


class NotedFields(Fields):
    """Notes what is asked of it, and by that the shape of what its reader takes."""

    def __init__(self, raw: Any = None, path: str = "", faults: dict[str, list[str]] | None = None) -> None:
        super().__init__({} if raw is None else raw, path, faults)
        self.properties: dict[str, Schema] = {}
        self.sections: dict[str, NotedFields] = {}
        self.closed = False

    def section(self, name: str) -> Fields:
        self.sections[name] = NotedFields(self.take(name, {}), f"{self.path}.{name}" if self.path else name, self.faults)
        return self.sections[name]

    def text(self, name: str, default: str = "", *, longest: int = 200) -> str:
        self.properties[name] = given_text(longest)
        return super().text(name, default, longest=longest)

    def choice(self, name: str, default: str, choices: Sequence[str]) -> str:
        self.properties[name] = given_choice(choices)
        return super().choice(name, default, choices)

    def decimal(self, name: str, default: Decimal | int | str = 0, **bounds: Any) -> Decimal:
        low, high = Decimal(bounds.get("low", 0)), Decimal(bounds["high"])
        exclusive = {side: bounds.get(side, False) for side in ("above_low", "below_high")}
        self.properties[name] = given_decimal(low, high, **exclusive)
        return super().decimal(name, default, **bounds)

    def integer(self, name: str, default: int = 0, *, low: int = 0, high: int) -> int:
        self.properties[name] = given_integer(low, high)
        return super().integer(name, default, low=low, high=high)

    def flag(self, name: str, default: bool = False) -> bool:
        self.properties[name] = given_flag()
        return super().flag(name, default)

    def moment(self, name: str) -> Any:
        self.properties[name] = given_moment()
        return super().moment(name)

    def close(self) -> None:
        self.closed = True
        super().close()

    def schema(self) -> Schema:
        """Of all that was asked; nothing else may be there where the reader closed it."""
        properties = {name: self.properties.get(name, ANYTHING) for name in self.known}
        properties |= {name: allow_absent(noted.schema()) for name, noted in self.sections.items()}
        return {"type": "object", "properties": properties} | ({"additionalProperties": False} if self.closed else {})


def note_reader(read: Callable[[Fields], Any], *samples: Mapping[str, Any], **written: Schema) -> Schema:
    """The shape of what `read` takes. Of what it asks for only where something else is given, each in one of the `samples`, all is
    noted. What it looks into itself is `written` by hand."""
    found: Schema = {}
    for sample in samples or ({},):
        form = NotedFields(sample)
        read(form)
        schema = form.schema()
        known = found.get("properties", {})
        found = schema | {
            "properties": known | {name: one for name, one in schema["properties"].items() if one or name not in known}
        }
    unknown = set(written) - set(found["properties"])
    assert not unknown, f"nobody asks for {', '.join(sorted(unknown))}"
    return found | {"properties": found["properties"] | written}


def note_kinds(read: Callable[[Fields], Any], name: str, kinds: Sequence[str]) -> Schema:
    """The shape of what `read` takes where the bounds depend on what `name` says; the first kind is meant where it says nothing."""
    shapes: list[Schema] = []
    for kind in kinds:
        said: Schema = {"const": kind} if shapes else {"anyOf": [{"const": kind}, *ABSENT["anyOf"]]}
        shape = note_reader(read, {name: kind}, **{name: said})
        shapes.append(shape | ({"required": [name]} if shapes else {}))
    return {"anyOf": shapes}
