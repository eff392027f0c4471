"""The drawing of docs/architecture.md is the one that the import contracts give."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.drawing import END, PAGE, START, NoDrawing, describe_room, draw_rooms, read_block, read_layers, write_block
from tests.house.measures import CHECKOUT

CONTRACTS = """
[[tool.importlinter.contracts]]
type = "layers"
layers = ["shop", "(dreams)", "stock | (bills)", "core"]

[[tool.importlinter.contracts]]
type = "layers"
containers = ["shop"]
layers = ["views", "models"]
"""
DRAWING = """```mermaid
flowchart TD
  shop["<b>shop</b><br>What #quot;is#quot; sold"]
  stock["<b>stock</b>"]
  bills["<b>bills</b>"]
  core["<b>core</b>"]
  shop --> stock & bills --> core
```"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small house with a page that has no drawing yet. One room of the contract is not built."""
    (tmp_path / "pyproject.toml").write_text(CONTRACTS)
    for room in ("shop", "stock", "bills", "core"):
        (tmp_path / room).mkdir()
    (tmp_path / "shop" / "__init__.py").write_text('"""What "is" `sold`.\n\nAnd more.\n"""\n')
    (tmp_path / PAGE.parent).mkdir()
    (tmp_path / PAGE).write_text(f"# Rooms\n\n{START}\n{END}\n\nThe rest.\n")
    return tmp_path


def test_the_rooms_are_drawn_from_the_contracts(checkout: Path) -> None:
    assert draw_rooms(checkout) == DRAWING


def test_writing_changes_the_block_alone_and_twice_is_as_once(checkout: Path) -> None:
    write_block(checkout)
    once = (checkout / PAGE).read_text()
    write_block(checkout)
    assert (checkout / PAGE).read_text() == once == f"# Rooms\n\n{START}\n\n{DRAWING}\n\n{END}\n\nThe rest.\n"
    assert read_block(checkout) == DRAWING


def test_a_page_without_the_markers_is_not_written(checkout: Path) -> None:
    (checkout / PAGE).write_text("# Rooms\n")
    with pytest.raises(NoDrawing, match="needs these two lines"):
        write_block(checkout)


def test_the_page_has_the_drawing_of_the_contracts() -> None:
    assert read_block(CHECKOUT) == draw_rooms(CHECKOUT), "Run `python -m tests.house.drawing --write`."


def test_every_room_says_what_it_is() -> None:
    silent = [room for layer in read_layers(CHECKOUT) for room in layer if not describe_room(CHECKOUT, room)]
    assert not silent, f"No docstring in the __init__.py of: {', '.join(silent)}"
