"""A desk of the build before the house was laid anew, upgraded in place: everything is there, and its bots go on."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

import pytest

from operations.embedded import start_services
from tests.operations.old_desk import (
    ACCOUNT,
    CLERK,
    PAUSE,
    Api,
    Dump,
    Row,
    dump_rows,
    dump_schema,
    fetch_tree,
    install_strategies,
    make_desk_busy,
    run_command,
    warm_tree,
)
from tests.running import PASSWORD, RunningDesk, wait_for

REWRITTEN = {"trading_event", "core_event", "django_content_type", "django_migrations"}
"""Tables that the upgrade writes. Every other one stays as it is."""
REVISED = {"trading_riskallocation": {"used", "status"}, "trading_riskbudget": {"limit"}}
"""Columns that migrations work out anew: claims are given back by what was sold, and a limit that nobody set is none."""
PAGES = (
    *("/", "/search/?q=btc", "/market/", "/live/", "/live/unresolved/", "/bots/", "/bots/new/", "/wallets/"),
    *("/backtests/", "/backtests/new/", "/backtests/sweeps/", "/backtests/sweeps/new/"),
    *("/admin/", "/admin/core/event/", "/admin/trading/bot/", "/admin/trading/order/", "/admin/trading/fill/"),
    *("/admin/backtests/backtestrun/", "/admin/backtests/sweep/", "/admin/wallets/exchangeaccount/", "/admin/auth/user/"),
)
TRIED = ("params", "final_equity", "total_return", "sharpe", "max_drawdown", "trades")


@dataclass
class Upgrade:
    """The same var/ folder in the hands of both builds. What each left in it, and the new one's desk."""

    old: RunningDesk
    new: RunningDesk
    token: str
    before: Dump
    before_schema: Dump
    moved: Dump
    undone: Dump
    undone_schema: Dump
    unapplied: str
    """What the old build has to say against the tables that the new one gave back."""

    @property
    def api(self) -> Api:
        return Api(self.new, self.token)

    def dump_now(self) -> Dump:
        """While the new desk is open, or after."""
        with keep_services(self.new.var) as url:
            return dump_rows(url)

    def list_before(self, table: str) -> list[Row]:
        return self.before[table]


@contextmanager
def keep_services(var: Path) -> Iterator[str]:
    """The address of the database under `var`, which runs meanwhile."""
    services = start_services(var)
    try:
        yield services.database_url
    finally:
        services.stop()


@pytest.fixture(scope="module")
def upgrade(tmp_path_factory: pytest.TempPathFactory, compiled: None) -> Iterator[Upgrade]:
    """Both desks start as people start them; in between the tables are moved, given back, and moved again by the new desk."""
    tree, folder = fetch_tree(), tmp_path_factory.mktemp("upgrade")
    warm_tree(tree)
    own = ACCOUNT | {"PYTHONPATH": str(install_strategies(folder / "packages"))}
    old, new = RunningDesk(folder / "var", extra=own, project=tree), RunningDesk(folder / "var", extra=own)
    old.var.mkdir()
    try:
        token = make_desk_busy(old.start()).token
    finally:
        old.stop()
    found = move_there_and_back(old, new, token)
    try:
        new.start()
        yield found
    finally:
        new.stop()


def move_there_and_back(old: RunningDesk, new: RunningDesk, token: str) -> Upgrade:
    with keep_services(new.var) as url:
        before, before_schema = dump_rows(url), dump_schema(url)
        run_command(new, "migrate")
        moved = dump_rows(url)
        run_command(new, "migrate", "core", "zero")
        undone, undone_schema = dump_rows(url), dump_schema(url)
        unapplied = old.command("migrate", "--check").stdout
    return Upgrade(old, new, token, before, before_schema, moved, undone, undone_schema, unapplied)


def leave_out(rows: list[Row], *names: str) -> list[Row]:
    return [{name: value for name, value in row.items() if name not in names} for row in rows]


def list_waiting(dump: Dump) -> list[Row]:
    """Orders that wait at a venue, or on paper."""
    return [order for order in dump["trading_order"] if order["status"] == "accepted"]


def sign_in(desk: RunningDesk, name: str, password: str) -> OpenerDirector:
    """A browser without scripts, signed in."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    browser.open(f"{desk.url}/sign-in/").read()
    proof = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"username": name, "password": password, "csrfmiddlewaretoken": proof}
    request = Request(f"{desk.url}/sign-in/", data=urlencode(form).encode(), headers={"Referer": f"{desk.url}/sign-in/"})
    assert browser.open(request).url == f"{desk.url}/"
    return browser


def test_the_old_desk_had_something_of_everything(upgrade: Upgrade) -> None:
    """Or the other tests would say little."""
    counts = {table: len(rows) for table, rows in upgrade.before.items()}
    wanted = {
        *("access_apitoken", "auth_user", "market_candlechunk", "market_instrument"),
        *("backtests_backtestrun", "backtests_sweep", "backtests_sweeptrial"),
        *("trading_bot", "trading_botrun", "trading_botstate", "trading_event", "trading_blockevent"),
        *("trading_order", "trading_fill", "trading_position", "trading_riskallocation", "trading_riskbudget"),
        *("wallets_exchangeaccount", "wallets_wallet", "wallets_walletbalance", "wallets_ledgerentry"),
    }
    assert not {table for table in wanted if not counts[table]}
    assert {order["mode"] for order in upgrade.list_before("trading_order") if order["status"] == "accepted"} == {
        "testnet",
        "paper",
    }
    assert {event["bot_id"] is None for event in upgrade.list_before("trading_event")} == {True, False}
    assert all(len(account["secret"]) > len("\\x") for account in upgrade.list_before("wallets_exchangeaccount"))


def find_changed(before: list[Row], now: list[Row], revised: Iterable[str] = ()) -> list[Row]:
    """Rows that were there before and are not now, or have another value in a column that they had, `revised` ones apart."""
    kept = {row["id"]: row for row in now if "id" in row}
    rows = [{name: value for name, value in row.items() if name not in revised} for row in before if "id" in row]
    return [row for row in rows if row["id"] not in kept or {name: kept[row["id"]].get(name) for name in row} != row]


def test_every_row_is_there(upgrade: Upgrade) -> None:
    assert upgrade.before.keys() - REWRITTEN <= upgrade.moved.keys()
    for table in upgrade.before.keys() - REWRITTEN:
        assert not find_changed(upgrade.before[table], upgrade.moved[table], REVISED.get(table, ())), table


def test_events_keep_their_ids_and_name_their_bots_for_ever(upgrade: Upgrade) -> None:
    names = {bot["id"]: bot["bot_id"] for bot in upgrade.list_before("trading_bot")} | {None: ""}
    events = upgrade.list_before("trading_event")
    expected = [{**one, "bot": names[one["bot_id"]]} for one in events]
    assert upgrade.moved["core_event"] == leave_out(expected, "bot_id")
    assert "trading_event" not in upgrade.moved


def test_the_type_of_events_keeps_its_key_so_that_rights_to_them_stay(upgrade: Upgrade) -> None:
    def name_home(row: Row) -> Row:
        return {**row, "app_label": "core"} if (row["app_label"], row["model"]) == ("trading", "event") else row

    expected = [name_home(row) for row in upgrade.list_before("django_content_type")]
    assert not find_changed(expected, upgrade.moved["django_content_type"])


def test_the_move_can_be_undone(upgrade: Upgrade) -> None:
    """To the names of constraints and indexes. Of later migrations of other apps, this asks nothing."""
    tables = {name for name in upgrade.before if name.startswith("trading_")} | {"django_content_type"}
    assert {name for name in upgrade.undone if name.startswith(("trading_", "core_"))} == tables - {"django_content_type"}
    for name in tables:
        assert not find_changed(upgrade.before[name], upgrade.undone[name], REVISED.get(name, ())), name
    for kind, rows in upgrade.before_schema.items():
        assert of_tables(upgrade.undone_schema[kind], tables) == of_tables(rows, tables), kind
    assert not upgrade.unapplied.strip()


def of_tables(rows: list[Row], tables: set[str]) -> list[Row]:
    return [row for row in rows if row["table_name"] in tables]


def test_the_token_signs_in_and_sees_the_same_desk(upgrade: Upgrade) -> None:
    assert {bot["bot"] for bot in upgrade.api.list_bots()} == {bot["bot_id"] for bot in upgrade.list_before("trading_bot")}
    assert {run["run_id"] for run in upgrade.api.list_runs()} >= {
        run["run_id"] for run in upgrade.list_before("backtests_backtestrun")
    }


def test_every_page_opens(upgrade: Upgrade) -> None:
    browser = sign_in(upgrade.new, "admin", PASSWORD)
    bots = [f"/bots/{bot['bot_id']}/" for bot in upgrade.list_before("trading_bot")]
    runs = [f"/backtests/{run['run_id']}/" for run in upgrade.list_before("backtests_backtestrun")]
    sweeps = [f"/backtests/sweeps/{sweep['sweep_id']}/" for sweep in upgrade.list_before("backtests_sweep")]
    compared = ",".join(run["run_id"] for run in upgrade.list_before("backtests_backtestrun")[:2])
    event = upgrade.list_before("trading_event")[0]["id"]
    more = (f"/backtests/compare/?runs={compared}", f"/admin/core/event/{event}/change/")
    for path in (*PAGES, *bots, *runs, *sweeps, *more):
        assert browser.open(upgrade.new.url + path).status == 200, path


def test_who_might_see_events_still_may(upgrade: Upgrade) -> None:
    password = CLERK.split('password="')[1].split('"')[0]
    with sign_in(upgrade.new, "clerk", password).open(f"{upgrade.new.url}/admin/core/event/") as page:
        assert page.status == 200


def test_runs_keep_their_code_hash_and_run_again_give_the_same_results(upgrade: Upgrade) -> None:
    """By the API, on the new desk's worker; one of them with a strategy of the old names. The digest of results covers the code
    hash too, which is another one now: so all else that it covers is compared."""
    stored = upgrade.list_before("backtests_backtestrun")
    again = {run["run_id"]: run_again(upgrade.api, run["run_id"]) for run in stored}
    wait_for(lambda: all(run["status"] == "completed" for run in upgrade.api.list_runs()), "the runs, once more", pause=PAUSE)
    now = {run["run_id"]: run for run in upgrade.dump_now()["backtests_backtestrun"]}
    for run in stored:
        repeated = now[again[run["run_id"]]]
        assert now[run["run_id"]] == run
        assert repeated["code_hash"] != run["code_hash"] == run["results"]["code_hash"]
        assert is_close({**repeated["results"], "code_hash": run["code_hash"]}, run["results"])
        assert list_files(upgrade.new, repeated["artifact"]) == list_files(upgrade.new, run["artifact"])


def is_close(one: Any, other: Any) -> bool:
    """The same but for what a tick may change: since then levels, lots, fees and cash stand on the grid of their instrument."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_close(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_close, one, other))
    try:
        return math.isclose(Decimal(one), Decimal(other), rel_tol=5e-3, abs_tol=1e-3)
    except (InvalidOperation, TypeError):
        return bool(one == other)


def list_files(desk: RunningDesk, artifact: str) -> set[str]:
    """A run's stored tables."""
    found = {path.name for path in (desk.var / "media" / artifact).iterdir()}
    assert {"equity.arrow", "orders.arrow", "fills.arrow", "trades.arrow", "indicators_0.arrow"} <= found
    return found


def run_again(api: Api, run_id: str) -> str:
    return str(api.call("backtests", api.call(f"backtests/{run_id}")["config"])["run_id"])


def test_a_sweep_done_again_finds_the_same(upgrade: Upgrade) -> None:
    stored = upgrade.list_before("backtests_sweep")[0]
    asked = upgrade.api.call(f"sweeps/{stored['sweep_id']}")
    again = upgrade.api.call("sweeps", {**asked["config"], "space": asked["space"]})["sweep_id"]
    wait_for(lambda: upgrade.api.call(f"sweeps/{again}")["status"] == "completed", "the sweep, once more", pause=PAUSE)
    now = upgrade.dump_now()
    kept, repeated = (
        next(one for one in now["backtests_sweep"] if one["sweep_id"] == name) for name in (stored["sweep_id"], again)
    )
    assert kept == stored
    assert repeated["code_hash"] != stored["code_hash"] != ""

    def list_trials(sweep: Row) -> list[Any]:
        found = sorted((one for one in now["backtests_sweeptrial"] if one["sweep_id"] == sweep["id"]), key=lambda one: one["index"])
        return [[trial[name] for name in TRIED] for trial in found]

    assert list_trials(stored)
    assert is_close(list_trials(repeated), list_trials(stored))


def test_an_installed_strategy_of_the_old_names_works_and_is_told_the_new_ones(upgrade: Upgrade) -> None:
    span = ("--venue", "sandbox", "--symbol", "BTC-USD", "--interval", "1d")
    done = upgrade.new.command("backtest", "--strategy", "heir", *span, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "completed"
    assert "FutureWarning: trading.engine.strategy is engine.strategy now." in done.stderr
    assert "FutureWarning: trading.strategies.sma_cross is engine.strategies.sma_cross now." in done.stderr


def test_the_doctor_opens_the_keys_and_finds_the_books_right(upgrade: Upgrade) -> None:
    checks = {check["name"]: check for check in json.loads(upgrade.new.command("doctor", "--json").stdout)["checks"]}
    assert checks["Exchange keys"]["detail"] == "Every stored secret opens"
    assert checks["Books"]["detail"] == "Balances are the sums of their entries"


def test_bots_go_on_where_they_were(upgrade: Upgrade) -> None:
    """Each takes a candle and decides, in the run that it was in, with its memory, its orders and its keys."""
    runs = {run["id"]: run for run in upgrade.list_before("trading_botrun") if run["ended_at"] is None}
    assert len(runs) == len(upgrade.list_before("trading_bot"))

    def list_now() -> dict[str, Row]:
        return {bot["run_id"]: bot for bot in upgrade.api.list_bots()}

    def have_decided() -> bool:
        return all(list_now()[run["run_id"]]["evaluations"] > run["evaluations"] for run in runs.values())

    wait_for(have_decided, "a decision of every bot", pause=PAUSE)
    assert {bot["status"] for bot in list_now().values()} == {"running"}
    versions = {state["bot_id"]: state["version"] for state in upgrade.list_before("trading_botstate")}
    upgrade.new.stop()  # in order, so that everything is written down
    now = upgrade.dump_now()
    assert not {run["error"] for run in now["trading_botrun"]} - {""}
    assert all(run["decided_at"] > runs[run["id"]]["decided_at"] for run in now["trading_botrun"] if run["id"] in runs)
    assert all(state["version"] >= versions[state["bot_id"]] for state in now["trading_botstate"])
    check_books(upgrade.before, now)


def check_books(before: Dump, now: Dump) -> None:
    """What was written is written still, orders that waited are known, and all sums are right."""
    for table in ("trading_fill", "wallets_ledgerentry", "wallets_ledgertransaction"):
        assert not find_changed(before[table], now[table]), table
    waited = {order["id"] for order in list_waiting(before)}
    became = {order["status"] for order in now["trading_order"] if order["id"] in waited}
    assert became <= {"accepted", "partially_filled", "filled", "cancelled"}  # a strategy may have called one off
    assert sum_fills(now) == {(one["bot_id"], one["symbol"]): one["quantity"] for one in now["trading_position"]}
    assert sum_entries(now) == {(one["wallet_id"], one["asset"]): one["amount"] for one in now["wallets_walletbalance"]}


def sum_fills(dump: Dump) -> dict[tuple[int, str], Decimal]:
    """What each bot holds of a symbol: what was bought, less what was sold and what the venue kept as its fee."""
    sums = {(one["bot_id"], one["symbol"]): Decimal(0) for one in dump["trading_position"]}
    for fill in dump["trading_fill"]:
        bought = fill["quantity"] if fill["side"] == "buy" else -fill["quantity"]
        kept = fill["fee_paid"] if fill["fee_asset"] == fill["symbol"].split("-")[0] else 0
        sums[fill["bot_id"], fill["symbol"]] += bought - kept
    return sums


def sum_entries(dump: Dump) -> dict[tuple[int, str], Decimal]:
    """What each wallet has of an asset, by its ledger."""
    wallets = {one["id"]: one["wallet_id"] for one in dump["wallets_ledgertransaction"]}
    sums: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for entry in dump["wallets_ledgerentry"]:
        if entry["account"] == "assets":
            sums[wallets[entry["transaction_id"]], entry["asset"]] += entry["amount"]
    return dict(sums)
