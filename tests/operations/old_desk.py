"""A desk of the build before the house was laid anew, out of the project's own history, with people, books and bots on it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
import tempfile
from contextlib import suppress
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads

from tests.running import PASSWORD, PROJECT, RunningDesk, wait_for

BUILD = "1a25f85"
TREE = PROJECT / "var" / "tests" / BUILD
"""Where it always lies: numba knows compiled code by the path and the time of its source."""
PAUSE = 0.5
"""Seconds between two questions to a desk that has much else to do."""
ACCOUNT = {"ADMIN_USER": "admin", "ADMIN_PASSWORD": PASSWORD, "DEMO": "1"}

STRATEGY = """
from trading.engine.errors import Invalid
from trading.engine.indicators import crossed_above, crossed_below, sma
from trading.engine.strategy import Columns, Strategy, integer
from trading.engine.types import Candles, Signals
from trading.strategies.sma_cross import SmaCross


class Homemade(Strategy):
    name, title, description = "homemade", "Homemade", "Written for the names of 0.1."
    length: int = integer(20, low=2, high=500, help="Candles")

    def warmup(self) -> int:
        return self.length + 1

    def indicators(self, candles: Candles) -> Columns:
        return {"average": sma(candles.close, self.length)}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        average = columns["average"]
        return Signals(entry=crossed_above(candles.close, average), exit=crossed_below(candles.close, average))


class Heir(SmaCross):
    name, title = "heir", "Heir of a built-in one"
"""
ENTRY_POINTS = "[quarterdeck.strategies]\nhomemade = homemade_strategies:Homemade\nheir = homemade_strategies:Heir\n"

PAPER: dict[str, dict[str, Any]] = {
    "Ladder on paper": {
        "strategy": "grid",
        "params": {"levels": 8, "spacing": 0.003, "above": 4},
        "symbol": "ETH-USDT",
        "sizing": {"kind": "fraction", "value": 0.8},
    },
    "Homemade on paper": {"strategy": "homemade", "params": {"length": 5}, "symbol": "BTC-USDT"},
}
CLERK = """
from django.contrib.auth.models import Permission, User
clerk = User.objects.create_user("clerk", password="a clerk's own words", is_staff=True)
clerk.user_permissions.add(Permission.objects.get(content_type__app_label="trading", codename="view_event"))
"""
"""A person who may see the events and nothing else."""

COLUMNS = """
SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
FROM information_schema.columns WHERE table_schema = 'public'
"""
INDEXES = "SELECT tablename AS table_name, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"
CONSTRAINTS = """
SELECT conrelid::regclass::text AS table_name, conname, pg_get_constraintdef(oid) AS definition
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
"""

Row = dict[str, Any]
Dump = dict[str, list[Row]]


def fetch_tree() -> Path:
    """The old build's files. A shallow clone cannot have them, so that the test is skipped there, and only there."""
    if TREE.exists():
        return TREE
    shallow = subprocess.run(["git", "rev-parse", "--is-shallow-repository"], cwd=PROJECT, capture_output=True, check=False)
    if shallow.stdout.strip() == b"true":
        pytest.skip(f"The clone is shallow, and {BUILD}, the build that is upgraded, is not in it: git fetch --unshallow")
    archive = subprocess.run(["git", "archive", BUILD], cwd=PROJECT, capture_output=True, check=True).stdout
    TREE.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TREE.parent) as folder:
        with tarfile.open(fileobj=io.BytesIO(archive)) as files:
            files.extractall(folder, filter="data")
        with suppress(OSError):  # another run of the tests was first
            Path(folder).rename(TREE)
        Path(folder).mkdir(exist_ok=True)  # for its own removal
    return TREE


def warm_tree(tree: Path) -> None:
    """Its engine compiled, which takes minutes, once on a machine."""
    mark = tree / f"compiled-{sys.implementation.cache_tag}"
    if not mark.exists():
        subprocess.run([sys.executable, "-m", "trading.engine.warm"], cwd=tree, check=True, timeout=900)
        mark.touch()


def install_strategies(folder: Path) -> Path:
    """A package of strategies as pip leaves it there; the folder is to be on the path."""
    about = folder / "homemade_strategies-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: homemade-strategies\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    (folder / "homemade_strategies.py").write_text(STRATEGY)
    return folder


class Api:
    """The API of an open desk, for the holder of a token."""

    def __init__(self, desk: RunningDesk, token: str) -> None:
        self.desk, self.token = desk, token

    def call(self, path: str, body: Any = None) -> Any:
        """A POST where there is a body. Answers the JSON; raises HTTPError for any refusal."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with urlopen(Request(f"{self.desk.url}/api/v1/{path}", data=data, headers=headers), timeout=60) as answer:
            return json.load(answer)

    def list_bots(self) -> list[Row]:
        return list(self.call("bots")["results"])

    def list_runs(self) -> list[Row]:
        return list(self.call("backtests?limit=100")["results"])


def run_command(desk: RunningDesk, *arguments: str) -> str:
    """What a command of `manage.py` prints. Fails with its complaint."""
    done = desk.command(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def make_desk_busy(desk: RunningDesk) -> Api:
    """Everything that a desk can have: a clerk and a token, runs and a sweep, bots that hold something and have orders waiting."""
    api = Api(desk, json.loads(run_command(desk, "create_api_token", "admin", "--scopes", "read,trade", "--json"))["token"])
    start_bots(api)
    run_command(desk, "shell", "-v0", "-c", CLERK)
    span = ("--venue", "sandbox", "--symbol", "BTC-USD", "--interval", "1h")
    run_command(desk, "backtest", "--strategy", "homemade", "--name", "Homemade", *span)
    run_command(desk, "sweep", "--strategy", "sma_cross", "--set", "fast=5:9:2", "--set", "slow=20:30:10", *span)
    wait_for(lambda: all(run["status"] == "completed" for run in api.list_runs()), "the runs of the demonstration", pause=PAUSE)
    wait_for(lambda: is_trading(api), "bots at the venues and on paper that trade", pause=PAUSE)
    return api


def start_bots(api: Api) -> None:
    """Those of the demonstration a second time, after the kill switch, and two more on paper."""
    api.call("live/kill-switch", {"killed": True, "reason": "a rehearsal"})
    wait_for(lambda: all(bot["status"] == "stopped" for bot in api.list_bots()), "bots that the kill switch stops", pause=PAUSE)
    api.call("live/kill-switch", {"killed": False})
    wallet = next(one for one in api.call("wallets")["results"] if one["kind"] == "paper")
    for name, config in PAPER.items():
        whole = {"venue": wallet["venue"], "interval": "1m", "cash": "5000", "fee_bps": 10, **config}
        api.call("bots", {"name": name, "mode": "paper", "wallet_id": wallet["id"], "config": whole})
    for bot in api.list_bots():
        api.call(f"bots/{bot['bot']}/start", {})


def is_trading(api: Api) -> bool:
    """Whether each bot has decided, with positions and waiting orders both at a venue and on paper."""
    waiting = {order["mode"] for order in api.call("live/orders?status=accepted")["results"]}
    holding = {position["mode"] for position in api.call("live/positions")["results"]}
    decided = [bot["status"] == "running" and bot["evaluations"] > 0 for bot in api.list_bots()]
    return waiting == holding == {"testnet", "paper"} and all(decided)


def dump_rows(url: str) -> Dump:
    """All rows of all tables, as JSON with exact numbers, in the order of their keys."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        set_json_loads(partial(json.loads, parse_float=Decimal), connection)
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").fetchall()
        return {name: dump_table(connection, name) for name in (row["tablename"] for row in tables)}


def dump_table(connection: psycopg.Connection[Row], name: str) -> list[Row]:
    found = connection.execute(f'SELECT to_jsonb(one) AS row FROM "{name}" AS one ORDER BY 1').fetchall()
    return [row["row"] for row in found]


def dump_schema(url: str) -> Dump:
    """Columns, indexes and constraints of every table, whatever their order."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        asked = {"columns": COLUMNS, "indexes": INDEXES, "constraints": CONSTRAINTS}
        return {name: sorted(connection.execute(query).fetchall(), key=str) for name, query in asked.items()}
