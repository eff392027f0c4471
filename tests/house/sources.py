"""The modules, classes and functions of a checkout, read as text: nothing is imported, so any checkout can be read."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

APART = frozenset({"tests", "benchmarks", "migrations"})
"""Folders, at any depth, whose code does not count as the house's."""
OUTSIDE = frozenset({"var", "node_modules", "__pycache__"})
"""Folders that hold no source. Folders whose name starts with a dot and virtual environments are none either."""

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Module:
    path: Path
    """Relative to the root."""
    name: str
    """As it is imported, such as `market.feed.loop`."""
    text: str = field(repr=False)
    tree: ast.Module = field(repr=False)

    @property
    def room(self) -> str:
        return name_room(self.path)

    @property
    def package(self) -> str:
        """What a relative import of one dot starts from."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]

    def place(self, line: int) -> str:
        return f"{self.path}:{line}"


@dataclass(frozen=True)
class Function:
    module: Module
    node: FunctionNode
    owner: str
    """What it is defined in: `module`, `class` or `function`."""
    lines: int
    """From `def` to its end, decorators and blank lines out."""

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def place(self) -> str:
        return f"{self.module.place(self.node.lineno)} {self.name}"


@dataclass(frozen=True)
class Class:
    module: Module
    node: ast.ClassDef
    owner: str
    """As a function's."""

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def full_name(self) -> str:
        return f"{self.module.name}.{self.name}"

    @property
    def place(self) -> str:
        return f"{self.module.place(self.node.lineno)} {self.name}"

    @property
    def methods(self) -> int:
        """Functions right in the body, properties and overloads among them."""
        return sum(isinstance(node, FUNCTIONS) for node in self.node.body)


def is_source_folder(folder: Path) -> bool:
    return folder.name not in OUTSIDE and not folder.name.startswith(".") and not (folder / "pyvenv.cfg").exists()


def find_files(folder: Path, suffixes: tuple[str, ...]) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if is_source_folder(path):
                yield from find_files(path, suffixes)
        elif path.suffix in suffixes:
            yield path


def is_of_house(path: Path) -> bool:
    """Whether a file is neither a test nor a benchmark nor a migration."""
    return not APART.intersection(path.parts)


def is_test(path: Path) -> bool:
    return "tests" in path.parts


def name_room(path: Path) -> str:
    """A file's top-level folder; files beside them are in the room `.`."""
    return path.parts[0] if len(path.parts) > 1 else "."


def name_module(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_modules(root: Path, wanted: Callable[[Path], bool] = is_of_house) -> list[Module]:
    """The Python files of a checkout whose relative path is wanted; empty files are among them."""
    paths = [path.relative_to(root) for path in find_files(root, (".py",))]
    return [read_module(root, path) for path in paths if wanted(path)]


def read_module(root: Path, path: Path) -> Module:
    text = (root / path).read_text(encoding="utf-8")
    return Module(path, name_module(path), text, ast.parse(text))


def count_lines(text: str) -> int:
    """Lines that are not blank; comments and docstrings count."""
    return sum(bool(line.strip()) for line in text.splitlines())


def list_functions(module: Module) -> list[Function]:
    """All functions of a module: in it, in its classes, and in other functions."""
    lines = module.text.splitlines()
    return [
        Function(module, node, owner, sum(bool(line.strip()) for line in lines[node.lineno - 1 : node.end_lineno]))
        for node, owner in walk_definitions(module.tree, "module")
        if isinstance(node, FUNCTIONS)
    ]


def list_classes(module: Module) -> list[Class]:
    """All classes of a module, nested ones such as Django's `Meta` among them."""
    found = walk_definitions(module.tree, "module")
    return [Class(module, node, owner) for node, owner in found if isinstance(node, ast.ClassDef)]


def walk_definitions(node: ast.AST, owner: str) -> Iterator[tuple[FunctionNode | ast.ClassDef, str]]:
    for child in list_statements(node):
        if isinstance(child, FUNCTIONS):
            yield child, owner
            yield from walk_definitions(child, "function")
        elif isinstance(child, ast.ClassDef):
            yield child, owner
            yield from walk_definitions(child, "class")
        else:
            yield from walk_definitions(child, owner)


def list_statements(node: ast.AST) -> Iterator[ast.AST]:
    """What a statement has inside but its expressions: those hold neither definitions nor imports."""
    return (child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr))
