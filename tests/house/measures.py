"""The measures of the house as a plain table, one column a checkout: `python -m tests.house.measures [ROOT ...]`.

Code is what is not in folders named tests, benchmarks or migrations, at any depth; lines are those that are not blank.
The function of each row says in its docstring what it counts.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median, median_low

from tests.house.imports import Import, find_cycles, find_pairs, group_by_rooms, list_imports, list_private, make_graph
from tests.house.sources import (
    FUNCTIONS,
    Class,
    Function,
    FunctionNode,
    Module,
    count_lines,
    find_files,
    is_of_house,
    is_test,
    list_classes,
    list_functions,
    name_room,
    read_modules,
)
from tests.house.words import find_repeated, list_one_word, list_participles

CHECKOUT = Path(__file__).resolve().parents[2]
LONG_FILE, LONG_FUNCTION, MANY_ARGUMENTS, MANY_METHODS = 500, 30, 6, 15
ROOM_SUFFIXES = (".py", ".js", ".css", ".html")
MOCKS = frozenset({"Mock", "MagicMock", "AsyncMock", "NonCallableMock", "create_autospec", "patch"})
PATCHES = frozenset({"setattr", "delattr", "setitem", "delitem", "object", "dict", "multiple"})
"""Methods of `monkeypatch` and of `patch` that put something else in a place."""

Rows = dict[str, str]


@dataclass(frozen=True)
class House:
    """A checkout, each part of it read once."""

    root: Path

    @cached_property
    def modules(self) -> list[Module]:
        return read_modules(self.root)

    @cached_property
    def tests(self) -> list[Module]:
        return read_modules(self.root, is_test)

    @cached_property
    def functions(self) -> list[Function]:
        return [one for module in self.modules for one in list_functions(module)]

    @cached_property
    def classes(self) -> list[Class]:
        return [one for module in self.modules for one in list_classes(module)]

    @cached_property
    def imports(self) -> list[Import]:
        return list_imports(self.modules)


def find_ninth_tenth(values: Iterable[int]) -> int:
    """The value that nine tenths of the others are below or equal to."""
    ordered = sorted(values)
    return ordered[int(0.9 * len(ordered))] if ordered else 0


def show_spread(values: list[int]) -> str:
    return f"{median_low(values)} / {find_ninth_tenth(values)} / {max(values)}" if values else "none"


def show_share(part: int, whole: int, digits: int = 1) -> str:
    return f"{100 * part / whole:.{digits}f} %" if whole else "none"


def measure_files(house: House) -> Rows:
    """Files that hold a line of code; empty ones, as most `__init__.py`, are left out."""
    lengths = [length for module in house.modules if (length := count_lines(module.text))]
    return {
        "files / code lines": f"{len(lengths)} / {sum(lengths):,}",
        "file: median / p90 / max": show_spread(lengths),
        f"files over {LONG_FILE}": str(sum(length > LONG_FILE for length in lengths)),
    }


def measure_functions(house: House) -> Rows:
    """Lines run from `def` to the end; arguments leave out `self`, `cls`, `*args` and `**kwargs`; methods are what stands
    right in a class's body."""
    lengths = [one.lines for one in house.functions]
    arguments = [count_arguments(one.node) for one in house.functions]
    methods = max((one.methods for one in house.classes), default=0)
    long, broad = sum(length > LONG_FUNCTION for length in lengths), sum(count > MANY_ARGUMENTS for count in arguments)
    return {
        "functions": f"{len(lengths):,}",
        "function: median / p90 / max": show_spread(lengths),
        f"functions over {LONG_FUNCTION} lines": f"{long}, {show_share(long, len(lengths))}",
        f"over {MANY_ARGUMENTS} arguments (max)": f"{broad}, {show_share(broad, len(lengths))} ({max(arguments, default=0)})",
        f"classes over {MANY_METHODS} methods (max)": f"{len(list_large(house))} ({methods})",
        "complexity: median / p90 / max": show_spread([count_branches(one.node) for one in house.functions]),
    }


def count_arguments(node: FunctionNode) -> int:
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return sum(one.arg not in ("self", "cls") for one in given)


def list_large(house: House) -> list[Class]:
    """Classes with more methods in their own body than a reader can hold."""
    return [one for one in house.classes if one.methods > MANY_METHODS]


def count_branches(node: FunctionNode) -> int:
    """One, and one each for an `if`, a conditional expression, a loop, a comprehension and its conditions, and each further part of
    an `and` or `or`."""
    return 1 + sum(weigh_branch(inner) for inner in walk_own(node))


def weigh_branch(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return int(isinstance(node, ast.If | ast.IfExp | ast.For | ast.AsyncFor | ast.While))


def walk_own(node: ast.AST) -> Iterator[ast.AST]:
    """What is inside, but not in functions and classes inside: they are measured by themselves."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, (*FUNCTIONS, ast.ClassDef)):
            yield child
            yield from walk_own(child)


def measure_imports(house: House) -> Rows:
    """Cycles are strongly connected groups of more than one module; edges are between top-level packages; a private name has one
    leading underscore."""
    at_once = [one for one in house.imports if one.at_run_time]
    return {
        "import cycles at run time (modules)": show_cycles(at_once),
        "with function-level and TYPE_CHECKING": show_cycles(house.imports),
        "two-way package pairs at run time": show_pairs(at_once),
        "two-way package pairs in all": show_pairs(house.imports),
        "private names across modules": str(len(list_private(house.imports))),
    }


def show_cycles(imports: list[Import]) -> str:
    cycles = find_cycles(make_graph(imports))
    return f"{len(cycles)} ({sum(map(len, cycles))})"


def show_pairs(imports: list[Import]) -> str:
    edges = group_by_rooms(imports)
    return f"{len(find_pairs(edges))} of {len(edges)} edges"


def measure_prose(house: House) -> Rows:
    """Docstrings of all modules (empty ones too), all classes, and functions at any depth whose name has no leading underscore; a
    return is annotated or not for every function; ignores and noqas are counted as comments are found in the text."""
    public = [one.node for one in house.functions if not one.name.startswith("_")]
    documented = (
        show_documented([module.tree for module in house.modules]),
        show_documented([one.node for one in house.classes]),
        show_documented(public),
    )
    annotated = sum(one.node.returns is not None for one in house.functions)
    return {
        "docstrings: module / class / public function": " / ".join(documented),
        "return annotated": show_share(annotated, len(house.functions)),
        "type: ignore / noqa": f"{len(list_ignores(house))} / {len(find_marks(house, r'# noqa'))}",
    }


def show_documented(nodes: list[ast.Module] | list[ast.ClassDef] | list[FunctionNode]) -> str:
    return show_share(sum(ast.get_docstring(node, clean=False) is not None for node in nodes), len(nodes), 0)


def list_ignores(house: House) -> list[str]:
    return find_marks(house, r"# type: ignore")


def find_marks(house: House, pattern: str) -> list[str]:
    """Where a comment stands, once for each time."""
    return [
        f"{module.place(number)} {line.strip()}"
        for module in house.modules
        for number, line in enumerate(module.text.splitlines(), 1)
        for _ in re.findall(pattern, line)
    ]


def measure_tests(house: House) -> Rows:
    """A test is a function under tests/ whose name starts with `test`; asserts are the statements in it; a mock is a call, anywhere
    under tests/, that makes one (`Mock()`) or puts something else in a place (`monkeypatch.setattr`)."""
    tests = [one for module in house.tests for one in list_functions(module) if one.name.startswith("test")]
    if not tests:
        return {"tests / per file / per 1,000 code lines": "none"}
    files = len({one.module.path for one in tests})
    lines = sum(count_lines(module.text) for module in house.modules)
    asserts = sum(isinstance(node, ast.Assert) for one in tests for node in ast.walk(one.node))
    mocks = sum(is_mock(node) for module in house.tests for node in ast.walk(module.tree))
    return {
        "tests / per file / per 1,000 code lines": f"{len(tests):,} / {len(tests) / files:.1f} / {1000 * len(tests) / lines:.0f}",
        "test: lines (median) / asserts / mocks": f"{median(one.lines for one in tests):.0f} / {asserts / len(tests):.1f}"
        f" / {mocks / len(tests):.2f}",
        "test lines / code lines": f"{sum(count_lines(module.text) for module in house.tests) / lines:.2f}",
    }


def is_mock(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
        holder, name = node.func.value.id, node.func.attr
        return (holder in ("monkeypatch", "patch") and name in PATCHES) or (holder == "mock" and name in MOCKS)
    return isinstance(node.func, ast.Name) and node.func.id in MOCKS


def measure_words(house: House) -> Rows:
    """As `tests.house.words` says of each: one word among module-level functions, bare participles among all, repeated classes."""
    total, at_top = len(house.functions), sum(one.owner == "module" for one in house.functions)
    one_word, participles = len(list_one_word(house.functions)), len(list_participles(house.functions))
    return {
        "one-word module-level functions": f"{show_share(one_word, at_top)} ({one_word:,} of {at_top:,})",
        "named by one bare participle": f"{show_share(participles, total)} ({participles:,} of {total:,})",
        "class names used twice or more": str(len(find_repeated(house.classes))),
    }


def count_rooms(root: Path) -> dict[str, int]:
    """Lines of Python, JavaScript, CSS and HTML by top-level folder, docs/ left out, largest first."""
    rooms: dict[str, int] = defaultdict(int)
    for path in find_files(root, ROOM_SUFFIXES):
        inside = path.relative_to(root)
        if is_of_house(inside) and name_room(inside) != "docs":
            rooms[name_room(inside)] += count_lines(path.read_text(encoding="utf-8"))
    return dict(sorted(rooms.items(), key=lambda room: -room[1]))


def measure_rooms(house: House) -> Rows:
    """A room is a top-level folder, templates/ and static/ too; its share is of all lines of code, markup and styles."""
    rooms = count_rooms(house.root)
    total = sum(rooms.values())
    largest = next((f"{name}, {show_share(lines, total)}" for name, lines in rooms.items()), "none")
    shown = {f"  {name}": f"{show_share(lines, total)} ({lines:,})" for name, lines in rooms.items()}
    return {"rooms / lines of all kinds": f"{len(rooms)} / {total:,}", "largest room": largest} | shown


MEASURES: tuple[Callable[[House], Rows], ...] = (
    measure_files,
    measure_functions,
    measure_imports,
    measure_prose,
    measure_tests,
    measure_words,
    measure_rooms,
)


def measure_house(house: House) -> Rows:
    return {name: value for measure in MEASURES for name, value in measure(house).items()}


def print_table(names: list[str], columns: list[Rows]) -> None:
    """Rows in the order in which they first appear; what one checkout has not is a dash in its column."""
    labels = list(dict.fromkeys(label for column in columns for label in column))
    cells = [["", *names], *([label, *(column.get(label, "-") for column in columns)] for label in labels)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_large(house: House) -> None:
    print(f"\nClasses over {MANY_METHODS} methods in {house.root.name}")
    for one in sorted(list_large(house), key=lambda large: -large.methods):
        print(f"  {one.methods:3} {one.full_name} ({one.module.place(one.node.lineno)})")


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.house.measures", description="Print the measures of the house.")
    parser.add_argument(
        "roots", nargs="*", type=Path, default=[CHECKOUT], metavar="ROOT", help="checkouts to measure; this one by default"
    )
    houses = [House(root.resolve()) for root in parser.parse_args(arguments).roots]
    print_table([house.root.name for house in houses], [measure_house(house) for house in houses])
    for house in houses:
        print_large(house)


if __name__ == "__main__":
    main()
