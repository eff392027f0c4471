"""The words of an answer or a frame, changed by script: what a real venue may say and this one would not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson


def reword_text(text: str | bytes, changes: Mapping[str, Any]) -> bytes:
    """JSON with other values at the given places. A place is names with points between them; `*` stands for each element of a list
    and each value of an object: `orders.*.status`. What is not there is added, if what it belongs to is there."""
    content = orjson.loads(text)
    for place, value in changes.items():
        *steps, last = place.split(".")
        for parent in _find_parents([content], steps):
            _set_values(parent, last, value)
    return orjson.dumps(content)


def _find_parents(found: list[Any], steps: Iterable[str]) -> list[Any]:
    for step in steps:
        found = [inner for each in found for inner in _list_inner(each, step)]
    return found


def _list_inner(content: Any, step: str) -> list[Any]:
    if isinstance(content, list):
        return content if step == "*" else []
    if not isinstance(content, dict):
        return []
    return list(content.values()) if step == "*" else [content[step]] if step in content else []


def _set_values(parent: Any, name: str, value: Any) -> None:
    if isinstance(parent, dict):
        parent.update(dict.fromkeys(parent, value) if name == "*" else {name: value})
    elif isinstance(parent, list) and name == "*":
        parent[:] = [value] * len(parent)
