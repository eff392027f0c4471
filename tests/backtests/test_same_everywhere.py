"""The same run through the page, the admin, the API and the command line gives the same results, to the byte."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from rest_framework.test import APIClient

from access.services import token_create
from backtests import selectors, services
from backtests.models import BacktestRun, Status
from engine.types import Candles, Protections
from tests.backtests.fixtures import CONFIG
from trading.setup.inputs import PLAIN

ADMIN = "admin:backtests_backtestrun"
COMMAND = [
    "--strategy",
    "sma_cross",
    "--set",
    "fast=5",
    "--set",
    "slow=20",
    "--symbol",
    "eth/btc",
    "--interval",
    "5m",
    "--fee-bps",
    "10",
]


FILLED_IN = {
    "name": "by page",
    "strategy": "sma_cross",
    "params.fast": "5",
    "params.slow": "20",
    "symbols": "ETH-BTC",
    "venue": "binance",
    "interval": "5m",
    "fees.maker_bps": "10",
    "fees.taker_bps": "10",
}


@pytest.fixture
def admin(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create(username="root", is_staff=True, is_superuser=True))
    return client


def by_command(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("backtest", *arguments, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def form(**config: Any) -> dict[str, str]:
    given = {key: value for key, value in {**CONFIG, **config}.items() if key not in {"strategy", "name"}}
    return {"name": config.get("name", ""), "strategy": "sma_cross", "config": json.dumps(given)}


def test_the_same_run_gives_the_same_results_whoever_starts_it(admin: Client, api: APIClient, candles: Candles) -> None:
    as_it_comes = {one.name: str(one.default) for one in PLAIN}  # a browser sends every input of the page
    assert admin.post(reverse("backtests:new"), {**as_it_comes, **FILLED_IN}).status_code == 302
    admin.post(reverse(f"{ADMIN}_add"), form(name="by admin"))
    api.post("/api/v1/backtests", CONFIG, format="json")
    for run in BacktestRun.objects.filter(status=Status.QUEUED):
        services.run_execute(run_id=run.run_id)
    report = by_command(*COMMAND, "--cash", "10000")
    digests = set(BacktestRun.objects.values_list("results_digest", flat=True))
    assert BacktestRun.objects.filter(status=Status.COMPLETED).count() == 4
    assert digests == {report["results"]["results_digest"]}


def test_the_command_stores_its_run_and_prints_its_results(candles: Candles) -> None:
    report = by_command(*COMMAND, "--name", "from a shell")
    run = selectors.run_get(report["run_id"])
    assert (report["status"], run.name, run.status) == ("completed", "from a shell", Status.COMPLETED)
    assert report["results"] == selectors.run_results(run)


def test_every_option_of_the_command_reaches_the_config(candles: Candles) -> None:
    options = """--venue binance --start 2022-01-01 --end 2022-01-02 --cash 500 --maker-fee-bps 1 --taker-fee-bps 2
        --slippage volume_share --slippage-max-share 0.1 --slippage-impact 0.2 --sizing volatility --sizing-value 0.3
        --sizing-lookback 30 --sizing-cap 0.9 --sizing-min-trades 7 --stop-loss 0.05 --take-profit 0.2 --trailing-stop 0.1
        --max-candles 50 --max-open-positions 1 --symbol-cap 0.8 --order-ttl 9 --seed 3 --cooldown 2 --stop-count 2
        --stop-window 8 --stop-pause 4 --stop-scope all --drawdown 0.1 --drawdown-window 50 --drawdown-trades 3 --drawdown-pause 9
        --profit-least -0.01 --profit-window 20 --profit-trades 2 --profit-pause 6"""
    report = by_command(*COMMAND[:-2], *options.split())
    config = report["results"]["config"]
    assert (config["start"], config["end"], config["cash"]) == ("2022-01-01T00:00:00Z", "2022-01-02T00:00:00Z", "500")
    assert config["fees"] == {"maker_bps": 1, "taker_bps": 2}
    assert config["slippage"] == {"kind": "volume_share", "value": 0, "max_share": 0.1, "impact": 0.2}
    assert config["sizing"] == {"kind": "volatility", "value": 0.3, "lookback": 30, "cap": 0.9, "min_trades": 7}
    assert config["exits"] == {"stop_loss": 0.05, "take_profit": 0.2, "trailing_stop": 0.1, "max_candles": 50}
    assert Protections(**config["protections"]) == Protections(2, 2, 8, 4, "all", 0.1, 50, 3, 9, -0.01, 20, 2, 6)
    assert (config["limits"], config["order_ttl"], config["seed"]) == ({"max_open_positions": 1, "symbol_cap": 0.8}, 9, 3)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (["--strategy", "sma_cros"], "strategy"),
        (["--set", "fast"], "params"),
        (["--set", "fst=5"], "params.fst"),
        (["--cash", "0"], "cash"),
        (["--config", "/nowhere.json"], "config"),
    ],
)
def test_the_command_names_what_is_wrong_and_fails(candles: Candles, arguments: list[str], field: str) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("backtest", *COMMAND, *arguments, "--json", stdout=out)
    assert field in json.loads(out.getvalue())["error"]["fields"]


def test_the_command_fails_with_the_reason_of_a_failed_run(candles: Candles, strategies: None) -> None:
    out = io.StringIO()
    with pytest.raises(CommandError, match="ZeroDivisionError"):
        call_command("backtest", "--strategy", "raising", "--symbol", "ETH-BTC", "--interval", "5m", "--json", stdout=out)
    assert json.loads(out.getvalue())["error"]["code"] == "strategy_failed"


def test_the_command_speaks_to_people(candles: Candles) -> None:
    out = io.StringIO()
    call_command("backtest", *COMMAND, stdout=out)
    assert "final equity" in out.getvalue()
    assert "warning: " in out.getvalue()


def test_a_bad_config_in_the_admin_is_told_at_the_field(admin: Client, candles: Candles) -> None:
    answer = admin.post(reverse(f"{ADMIN}_add"), form(cash="0", interval="7m"))
    errors = answer.context["adminform"].form.errors
    assert answer.status_code == 200
    assert {text.split(":")[0] for text in errors["config"]} == {"cash", "interval"}
    assert admin.post(reverse(f"{ADMIN}_add"), {**form(), "config": "[1]"}).status_code == 200
    assert not BacktestRun.objects.exists()


@pytest.mark.parametrize("search", ["", "?q=ETH", "?status__exact=completed", "?o=6"])
def test_the_admin_lists_runs(admin: Client, run: BacktestRun, search: str) -> None:
    page = admin.get(reverse(f"{ADMIN}_changelist") + search)
    assert page.status_code == 200
    assert run.run_id in page.content.decode()


def test_the_admin_list_does_not_read_results_and_its_queries_stay(
    admin: Client, run: BacktestRun, execute: Any, django_assert_max_num_queries: Any
) -> None:
    for fast in (6, 7, 8, 9):
        execute(params={"fast": fast, "slow": 20})
    with django_assert_max_num_queries(11) as queries:
        admin.get(reverse(f"{ADMIN}_changelist"))
    assert not any('"backtests_backtestrun"."results",' in query["sql"] for query in queries.captured_queries)


def test_the_admin_shows_a_run_and_lets_nobody_edit_it(admin: Client, run: BacktestRun) -> None:
    page = admin.get(reverse(f"{ADMIN}_change", args=[run.pk]))
    assert page.status_code == 200
    assert run.results_digest in page.content.decode()
    assert 'name="_save"' not in page.content.decode()
    assert admin.post(reverse(f"{ADMIN}_change", args=[run.pk]), {"status": "failed"}).status_code == 403


def act(admin: Client, action: str, *runs: BacktestRun) -> str:
    chosen = {"action": action, "_selected_action": [run.pk for run in runs]}
    return admin.post(reverse(f"{ADMIN}_changelist"), chosen, follow=True).content.decode()


def test_actions_of_the_admin_call_the_services(admin: Client, run: BacktestRun) -> None:
    assert "1 run started again" in act(admin, "run_again", run)
    again = BacktestRun.objects.get(status=Status.QUEUED)
    assert (again.cloned_from, str(again.created_by)) == (run, "root")
    page = act(admin, "cancel", run, again)
    assert "1 run cancelled" in page
    assert "there is nothing to cancel" in page
    assert "1 run queued once more" in act(admin, "retry", again)
    assert "Cancel it first" in act(admin, "delete_runs", again)
    act(admin, "cancel", again)
    assert "2 runs deleted" in act(admin, "delete_runs", run, again)
    assert not BacktestRun.objects.exists()


def test_the_admin_shows_tokens_and_revokes_them(admin: Client, ada: User) -> None:
    token, secret = token_create(user=ada, scopes=["read"])
    url = reverse("admin:access_apitoken_changelist")
    assert token.hint in admin.get(url).content.decode()
    assert secret not in admin.get(reverse("admin:access_apitoken_change", args=[token.pk])).content.decode()
    admin.post(url, {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked_at is not None
