"""The drawing of the rooms in docs/architecture.md, from the import contracts: `python -m tests.house.drawing [--write]`.

Rooms stand as the layers contract of pyproject.toml has them: each may import those below it. What a room is, is the first line of
its package's docstring.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

from tests.house.measures import CHECKOUT

PAGE = Path("docs", "architecture.md")
START = "<!-- rooms: drawn by `python -m tests.house.drawing --write` from pyproject.toml -->"
END = "<!-- end of rooms -->"
ENTITIES = {ord('"'): "#quot;", ord("<"): "#lt;", ord(">"): "#gt;", ord("`"): None}

Layer = list[str]


class NoDrawing(Exception):
    """The contracts or the page lack what the drawing needs."""


def read_layers(root: Path) -> list[Layer]:
    """The rooms that are there, from top to bottom; those in one layer do not import each other."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    contracts: list[dict[str, Any]] = settings["tool"]["importlinter"]["contracts"]
    found = [one["layers"] for one in contracts if one["type"] == "layers" and "containers" not in one]
    if len(found) != 1:
        raise NoDrawing(f"pyproject.toml has {len(found)} layers contracts without containers. The drawing needs one.")
    layers = ([room for room in split_layer(layer) if (root / room.replace(".", "/")).is_dir()] for layer in found[0])
    return [layer for layer in layers if layer]


def split_layer(layer: str) -> Layer:
    """The rooms of a contract's line, such as `engine | sandbox` or `(agents)` for one that may be missing."""
    return [name.strip().strip("()").strip() for name in re.split(r"[|:]", layer)]


def describe_room(root: Path, room: str) -> str:
    """The first line of the package's docstring, without its full stop; empty if it has none."""
    path = root.joinpath(*room.split("."), "__init__.py")
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else None
    return text.splitlines()[0].rstrip(".") if text else ""


def draw_room(root: Path, room: str) -> str:
    what = describe_room(root, room).translate(ENTITIES)
    return f'  {room}["<b>{room}</b>{"<br>" if what else ""}{what}"]'


def draw_rooms(root: Path) -> str:
    """A Mermaid diagram; an arrow leads from a layer to what is right below it."""
    layers = read_layers(root)
    boxes = [draw_room(root, room) for layer in layers for room in layer]
    arrows = "  " + " --> ".join(" & ".join(layer) for layer in layers)
    return "\n".join(["```mermaid", "flowchart TD", *boxes, arrows, "```"])


def find_block(page: str) -> tuple[int, int]:
    """Where the drawing begins and ends in the page, markers left out."""
    before, start, rest = page.partition(START)
    inside, end, _ = rest.partition(END)
    if not start or not end:
        raise NoDrawing(f"{PAGE} needs these two lines, for the drawing to stand between them:\n{START}\n{END}")
    begin = len(before) + len(start)
    return begin, begin + len(inside)


def read_block(root: Path) -> str:
    """The drawing as the page has it."""
    page = read_page(root)
    begin, end = find_block(page)
    return page[begin:end].strip()


def read_page(root: Path) -> str:
    path = root / PAGE
    if not path.exists():
        raise NoDrawing(f"There is no {PAGE}.")
    return path.read_text(encoding="utf-8")


def write_block(root: Path) -> None:
    page = read_page(root)
    begin, end = find_block(page)
    (root / PAGE).write_text(f"{page[:begin]}\n\n{draw_rooms(root)}\n\n{page[end:]}", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.house.drawing", description="Draw the rooms of the house.")
    parser.add_argument("--write", action="store_true", help=f"put the drawing into {PAGE}; without it, print it")
    try:
        if parser.parse_args(arguments).write:
            write_block(CHECKOUT)
        else:
            print(draw_rooms(CHECKOUT))
    except NoDrawing as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
