"""Every variable that the code reads is in .env.example, and an error names the variable that has a wrong value."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

import pytest

from tests.running import PROJECT, RunningDesk

READERS = {
    *("read_text", "read_networks", "read_integer", "read_number", "read_flag"),
    *("read_words", "read_lists", "read_asset", "read_variable"),
}


def read_names() -> Iterator[str]:
    for app in ("access", "backtests", "config", "core", "engine", "market", "operations", "trading", "wallets"):
        for path in (PROJECT / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and called(node) in READERS and node.args:
                    name = node.args[0]
                    if isinstance(name, ast.Constant) and isinstance(name.value, str) and name.value.isupper():
                        yield name.value


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_the_example_names_all_that_is_read_and_nothing_else() -> None:
    documented = re.findall(r"^#?([A-Z_]+)=", (PROJECT / ".env.example").read_text(), flags=re.MULTILINE)
    assert sorted(documented) == sorted(set(read_names()))


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "eighty"), ("WORKERS", "0"), ("DEMO", "perhaps"), ("DATABASE_URL", "sqlite:///x"), ("HTTPS", "2")]
)
def test_a_wrong_value_stops_the_start_by_name(new_desk: Callable[..., RunningDesk], name: str, value: str) -> None:
    desk = new_desk(extra={name: value, "REDIS_URL": "redis://localhost:1/0"} if name == "DATABASE_URL" else {name: value})
    refused = desk.command("desk")
    assert refused.returncode == 1
    assert name in refused.stderr
    assert "Traceback" not in refused.stderr


def test_one_of_the_two_services_alone_is_refused(new_desk: Callable[..., RunningDesk]) -> None:
    refused = new_desk(extra={"DATABASE_URL": "postgresql://postgres@127.0.0.1/x"}).command("desk")
    assert refused.returncode == 1
    assert "REDIS_URL" in refused.stderr


def test_a_file_of_variables_is_read_and_the_environment_wins(new_desk: Callable[..., RunningDesk]) -> None:
    desk = new_desk()
    file = desk.var / "desk.env"
    file.write_text("# ours\nPORT=1\nexport WORKERS='3'\nLOG_LEVEL=\"WARNING\"\n")
    desk.extra = {"ENV_FILE": str(file)}
    code = "import os; from django.conf import settings as s; print(s.PORT, os.environ['WORKERS'], os.environ['LOG_LEVEL'])"
    shown = desk.command("shell", "-v0", "-c", code)
    assert shown.stdout.split() == [str(desk.port), "1", "WARNING"]
