"""What the documentation names exists: reason codes, order states, events, settings, commands, addresses of the API, links."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import URLPattern, URLResolver, get_resolver

from backtests.selectors.differences import CAUSES
from core import events
from engine.risk import REASONS
from engine.transitions import LEGAL
from market.sandbox.faults import NAMES
from trading.setup.limits import parse_limits

PROJECT = Path(__file__).resolve().parent.parent
REFERENCE, HOW_TO = PROJECT / "docs" / "reference", PROJECT / "docs" / "how-to"
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
OURS = ("access", "backtests", "config", "core", "engine", "market", "operations", "trading", "wallets")
READERS = {"read_asset", "read_lists", "read_networks", "read_text", "read_integer", "read_number", "read_flag", "read_words"}
"""Of core.env."""


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def section(page: Path, title: str) -> str:
    """The text under a heading, up to the next."""
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", page.read_text(), re.MULTILINE | re.DOTALL)
    assert found, f"{page.name} has no section {title}"
    return found[1]


def rows(text: str) -> dict[str, list[str]]:
    """A table's rows by the code in the first cell; the other cells as they are."""
    lines = (line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `"))
    return {cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]] for cells in lines}


def codes(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def calls(*names: str) -> Iterator[tuple[Path, ast.Call]]:
    """Calls of functions of these names in our own code."""
    for path in (path for app in OURS for path in (PROJECT / app).rglob("*.py")):
        text = path.read_text()
        tree = ast.parse(text) if any(f"{name}(" in text for name in names) else ast.Module([], [])
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in names:
                yield path, node


def first_text(call: ast.Call) -> str:
    given = call.args[0] if call.args else None
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else ""


def test_every_reason_code_is_explained_and_no_other() -> None:
    assert list(rows(section(REFERENCE / "risk.md", "Reason codes"))) == list(REASONS)


def test_the_limits_of_a_bot_are_those_that_are_read() -> None:
    assert set(rows(section(REFERENCE / "risk.md", "Limits of a bot"))) == set(parse_limits({}).to_json())


def test_the_table_of_order_states_is_the_one_in_the_code() -> None:
    table = rows(section(REFERENCE / "orders.md", "The states"))
    assert {status: set(codes(cells[1])) for status, cells in table.items()} == {status: set(to) for status, to in LEGAL.items()}


def test_the_causes_of_a_difference_from_the_backtest_are_those_that_are_told() -> None:
    assert list(rows(section(REFERENCE / "modes.md", "Backtest against live"))) == list(CAUSES)


def test_every_event_that_is_recorded_is_documented_and_no_other() -> None:
    recorded = {first_text(call) for _, call in calls(events.News.__name__)}
    assert set(rows(section(REFERENCE / "events.md", "Types"))) == recorded


def test_every_setting_is_read_and_every_one_that_is_read_is_documented() -> None:
    documented = set(re.findall(r"^#?([A-Z_]+)=", (PROJECT / ".env.example").read_text(), re.MULTILINE))
    read = {
        first_text(call) for path, call in calls(*READERS) if path.relative_to(PROJECT).parts[0] in ("config", "core", "operations")
    }
    assert documented == {name for name in read if name.isupper()}


def test_the_faults_of_the_sandbox_are_those_that_it_knows() -> None:
    table = section(HOW_TO / "use-the-sandbox.md", "Make it fail").split("| hits | faults |")[1]
    named = {code for line in table.splitlines() if line.startswith("|") for code in codes(re.sub(r"\([^)]*\)", "", line))}
    assert named == set(NAMES)


def command_lines() -> list[str]:
    """`manage.py ...` wherever a page tells it, without what follows it on the line."""
    found = (re.findall(r"manage\.py ([a-z_]+[^`\n#|>…]*)", page.read_text()) for page in PAGES)
    return sorted({line.strip() for lines in found for line in lines})


@pytest.mark.parametrize("line", command_lines())
def test_a_command_exists_and_has_the_options_that_pages_give_it(line: str) -> None:
    name, *arguments = shlex.split(line)
    known = get_commands()
    assert name in known
    parser = load_command_class(known[name], name).create_parser("manage.py", name)
    options = {option for action in parser._actions for option in action.option_strings}
    assert {one.partition("=")[0] for one in arguments if one.startswith("--")} <= options


def addresses(patterns: list[URLPattern | URLResolver], above: str = "") -> Iterator[str]:
    for one in patterns:
        here = above + str(one.pattern)
        yield from addresses(one.url_patterns, here) if isinstance(one, URLResolver) else [here]


def test_every_address_of_the_api_in_its_reference_exists() -> None:
    there = {re.sub(r"<[^>]*>", "{}", address) for address in addresses(get_resolver().url_patterns)}
    told = {
        re.sub(r"{[^}]*}", "{}", path)
        for path in re.findall(r"^\| (?:GET|POST|PATCH|DELETE) `([^`]+)`", (REFERENCE / "api.md").read_text(), re.MULTILINE)
    }
    assert told
    assert {f"api/v1/{path}" for path in told} <= there


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\((?!https?://)([^)#]*)(?:#([^)]*))?\)", document.read_text())
    for target, anchor in targets:
        found = (document.parent / target).resolve() if target else document
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.*)$", found.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}, anchor


@pytest.mark.parametrize("document", PAGES, ids=name_of)
def test_files_that_a_page_names_exist(document: Path) -> None:
    named = {
        path
        for path in codes(document.read_text())
        if re.fullmatch(rf"({'|'.join((*OURS, 'tests', 'docs', 'benchmarks'))})/[\w/]+\.\w+", path)
    }
    assert not {path for path in named if not (PROJECT / path).exists()}
