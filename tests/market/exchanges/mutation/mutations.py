"""Each way in which one field of an answer can be other than the adapter expects."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Path = tuple[str | int, ...]
GONE = object()
DEEP = 5
MOVEMENTS = ("rows", "list", "userAssetDribblets", "data")
"""Where lists of movements stand."""
WIDE = 3
"""Elements of a list that are changed one by one; the others are like them."""


def _other_type(value: Any) -> Any:
    match value:
        case bool():
            return "maybe"
        case str():
            return 7.25
        case int() | float():
            return {"x": 1}
        case dict():
            return ["x"]
        case list():
            return "x"
    return 5


def _unknown(value: Any) -> Any:
    match value:
        case bool():
            return 2
        case str():
            return "UNHEARD_OF"
        case int() | float():
            return -999_999
        case dict():
            return {"unheard": 1}
    return [{"unheard": 1}]


def _huge(value: Any) -> Any:
    match value:
        case bool() | int() | float():
            return 10**30
        case dict():
            return {str(number): value for number in range(50)}
        case list():
            return value * 50
    return "9" * 500


KINDS: dict[str, Callable[[Any], Any]] = {
    "removed": lambda _: GONE,
    "null": lambda _: None,
    "type": _other_type,
    "unknown": _unknown,
    "huge": _huge,
    "repeated": lambda value: [value, value],
    "bad row": lambda _: {"?": []},
}
"""The last one changes nothing: it puts one more row, with this field spoilt, in front of the others."""


@dataclass(frozen=True)
class Cell:
    """One mutation: of the field at `path` of the answer number `index` to `asked`."""

    venue: str
    method: str
    asked: str
    index: int
    path: Path
    kind: str

    def __str__(self) -> str:
        return f"{self.venue}.{self.method} {self.asked}[{self.index}] {'.'.join(map(str, self.path))}: {self.kind}"


def find_rows(answer: Any) -> Path | None:
    """Where the list is that an answer is about."""
    if isinstance(answer, list):
        return ()
    if isinstance(answer, dict):
        for name in ("symbols", "products", "balances", "accounts", "orders", "fills", "candles", *MOVEMENTS):
            if isinstance(answer.get(name), list):
                return (name,)
    return None


def list_paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """All fields of a value, and of what they contain."""
    if len(path) >= DEEP:
        return
    items = value.items() if isinstance(value, dict) else enumerate(value[:WIDE]) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from list_paths(inner, (*path, name))


def read_at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def change_at(value: Any, path: Path, new: Any) -> None:
    parent = read_at(value, path[:-1])
    if new is GONE:
        del parent[path[-1]]
    else:
        parent[path[-1]] = new


def mutate(answer: Any, path: Path, kind: str) -> Any:
    """A copy with one field changed."""
    changed, rows = copy.deepcopy(answer), find_rows(answer)
    if kind == "bad row" and rows is not None and path[: len(rows)] == rows and len(path) > len(rows):
        listed, inside = read_at(changed, rows), path[len(rows) + 1 :]
        row = copy.deepcopy(listed[0]) if inside else KINDS[kind](None)
        if inside:
            change_at(row, inside, KINDS[kind](None))
        listed.insert(0, row)
    else:
        change_at(changed, path, KINDS[kind](read_at(changed, path)))
    return changed
