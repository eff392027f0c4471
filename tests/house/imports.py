"""Who imports whom among the modules of a checkout, at run time and in all."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.house.sources import FUNCTIONS, Module, list_statements

Graph = dict[str, set[str]]


@dataclass(frozen=True)
class Import:
    """One module of the checkout takes another, or a name out of it."""

    module: Module
    target: str
    name: str
    """What is taken; empty where it is the module itself."""
    line: int
    at_run_time: bool
    """Whether it is carried out when the module is loaded: neither inside a function nor under TYPE_CHECKING."""

    @property
    def place(self) -> str:
        return f"{self.module.place(self.line)} imports {self.target}"


def list_imports(modules: list[Module]) -> list[Import]:
    """Imports between these modules; what a module takes from itself is none."""
    known = {module.name for module in modules}
    found = (one for module in modules for one in read_imports(module, known))
    return [one for one in found if one.target in known and one.target != one.module.name]


def read_imports(module: Module, known: set[str]) -> Iterator[Import]:
    for node, at_run_time in walk_imports(module.tree, True):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, "", node.lineno, at_run_time)
            continue
        source = resolve_source(module, node)
        for alias in node.names:
            inner = f"{source}.{alias.name}"
            target, name = (inner, "") if inner in known else (source, alias.name)
            yield Import(module, target, name, node.lineno, at_run_time)


def resolve_source(module: Module, node: ast.ImportFrom) -> str:
    """The full name of what stands between `from` and `import`."""
    if not node.level:
        return node.module or ""
    above = module.package.split(".")
    above = above[: len(above) - node.level + 1]
    return ".".join([*above, node.module] if node.module else above)


def walk_imports(node: ast.AST, at_run_time: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for child in list_statements(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child, at_run_time
        elif isinstance(child, ast.If) and names_type_checking(child.test):
            yield from walk_imports(ast.Module(child.body, []), False)
            yield from walk_imports(ast.Module(child.orelse, []), at_run_time)
        else:
            yield from walk_imports(child, at_run_time and not isinstance(child, FUNCTIONS))


def names_type_checking(test: ast.expr) -> bool:
    return getattr(test, "attr", getattr(test, "id", "")) == "TYPE_CHECKING"


def list_private(imports: Iterable[Import]) -> list[Import]:
    """Names with a leading underscore that a module imports from another."""
    return [one for one in imports if one.name.startswith("_") and not one.name.startswith("__")]


def make_graph(imports: Iterable[Import]) -> Graph:
    graph: Graph = defaultdict(set)
    for one in imports:
        graph[one.module.name].add(one.target)
    return dict(graph)


def find_cycles(graph: Graph) -> list[list[str]]:
    """Strongly connected components of more than one module: those that reach each other."""
    reached = {name: reach_all(graph, name) for name in graph}
    cycles = {tuple(sorted(to for to in reached[name] if name in reached.get(to, ()))) for name in graph if name in reached[name]}
    return [list(cycle) for cycle in sorted(cycles)]


def reach_all(graph: Graph, start: str) -> set[str]:
    """All that can be reached from here by one import or more."""
    reached: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(graph.get(name, ()))
    return reached


def group_by_rooms(imports: Iterable[Import]) -> dict[tuple[str, str], list[Import]]:
    """Imports that leave their top-level package, by (importing package, imported package)."""
    edges: dict[tuple[str, str], list[Import]] = defaultdict(list)
    for one in imports:
        edge = one.module.name.partition(".")[0], one.target.partition(".")[0]
        if edge[0] != edge[1]:
            edges[edge].append(one)
    return dict(edges)


def find_pairs(edges: dict[tuple[str, str], list[Import]]) -> list[tuple[str, str]]:
    """Pairs of top-level packages that import each other."""
    return sorted((a, b) for a, b in edges if a < b and (b, a) in edges)
