"""Rows and frames of kinds that nobody has heard of, made of good ones. They stand beside those, as after a change at a venue."""

from __future__ import annotations

import json
import re
from typing import Any

TEXT = "UNHEARD_OF"
AMOUNT = re.compile(r"-?\d+(\.\d+)?|\d{4}-\d\d-\d\dT.*")
"""Texts that are numbers or times."""


def add_strange_rows(content: Any) -> Any:
    """The content of an answer with one more row in each of its lists of rows."""
    if isinstance(content, dict):
        return {name: add_strange_rows(value) for name, value in content.items()}
    if not isinstance(content, list) or not content or not isinstance(content[-1], dict):
        return content
    return [make_strange(content[-1]), *map(add_strange_rows, content)]


def make_strange(value: Any) -> Any:
    """The same in words that nobody knows: amounts and times stay; whole numbers, which may be ids, have none."""
    if isinstance(value, dict):
        return {name: make_strange(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [make_strange(inner) for inner in value]
    if isinstance(value, str):
        return value if AMOUNT.fullmatch(value) else TEXT
    return None if type(value) is int else value


def spoil_text(text: str) -> str:
    """An answer as text with strange rows; as it is where it is no JSON."""
    try:
        return json.dumps(add_strange_rows(json.loads(text)))
    except ValueError:
        return text


def strange_frame(frame: str) -> str:
    """A frame like this one, of an unknown kind."""
    try:
        return json.dumps(make_strange(json.loads(frame)))
    except ValueError:
        return frame
