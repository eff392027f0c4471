"""What the measures count, on a small house that is written for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house.imports import find_cycles, make_graph
from tests.house.measures import House, count_branches, count_rooms, main, measure_house
from tests.house.words import is_one_word, is_participle

SOURCES = {
    "shop/__init__.py": "",
    "shop/till.py": """from __future__ import annotations

from typing import TYPE_CHECKING

from stock import shelf

if TYPE_CHECKING:
    from stock.shelf import Shelf


class Book:
    def told(self, shelf: Shelf) -> bool:
        return any(one for one in shelf.books if one and one.sold) or bool(shelf)


def sell_book(self, a, b, c, d, e, f, *rest):  # noqa: PLR0913
    for one in rest:

        if one:
            return a if b else c
""",
    "stock/__init__.py": "",
    "stock/shelf.py": """def load():
    from shop.till import Book, _hidden  # type: ignore


class Book: ...


class Shelf: ...
""",
    "static/page.js": "let one\n\nlet two\n",
    "shop/migrations/first.py": "class Book: ...\n",
    "tests/test_till.py": "def test_one(monkeypatch):\n    monkeypatch.setattr('shop', 'till', Mock())\n    assert True\n",
    ".venv/lib/much.py": "class Book: ...\n",
}


@pytest.fixture
def house(tmp_path: Path) -> House:
    for name, text in SOURCES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return House(tmp_path)


def test_what_a_small_house_measures(house: House) -> None:
    wanted = {
        "files / code lines": "2 / 16",
        "function: median / p90 / max": "2 / 4 / 4",
        "over 6 arguments (max)": "0, 0.0 % (6)",
        "complexity: median / p90 / max": "4 / 5 / 5",
        "import cycles at run time (modules)": "0 (0)",
        "with function-level and TYPE_CHECKING": "1 (2)",
        "two-way package pairs at run time": "0 of 1 edges",
        "two-way package pairs in all": "1 of 2 edges",
        "private names across modules": "1",
        "type: ignore / noqa": "1 / 1",
        "test: lines (median) / asserts / mocks": "3 / 1.0 / 2.00",
        "one-word module-level functions": "50.0 % (1 of 2)",
        "named by one bare participle": "33.3 % (1 of 3)",
        "class names used twice or more": "1",
    }
    measured = measure_house(house)
    assert {name: measured[name] for name in wanted} == wanted


def test_rooms_count_scripts_and_pages_too(house: House) -> None:
    assert count_rooms(house.root) == {"shop": 12, "stock": 4, "static": 2}


def test_a_cycle_names_its_modules(house: House) -> None:
    assert find_cycles(make_graph(house.imports)) == [["shop.till", "stock.shelf"]]


def test_branches_of_each_function(house: House) -> None:
    assert {one.name: count_branches(one.node) for one in house.functions} == {"told": 5, "sell_book": 4, "load": 1}


def test_two_checkouts_stand_side_by_side(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(house.root), str(house.root)])
    assert "files over 500" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["told", "_held", "introduced", "read", "unread"])
def test_a_bare_participle(name: str) -> None:
    assert is_participle(name)


@pytest.mark.parametrize("name", ["feed", "_speed", "put", "is_closed", "closed_at", "close", "unknown"])
def test_no_bare_participle(name: str) -> None:
    assert not is_participle(name)


def test_one_word() -> None:
    assert [name for name in ("read", "_read", "__init__", "return_", "read_row", "_read_row") if is_one_word(name)] == [
        "read", "_read", "__init__", "return_",
    ]  # fmt: skip
