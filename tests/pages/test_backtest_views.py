"""The pages of backtests without a browser: the list of many runs, the form and its faults, the parts of a run, comparison."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from backtests import services
from backtests.models import BacktestRun
from backtests.selectors.listing import SORTS
from backtests.selectors.runs import open_artifact
from engine.types import Candles
from tests.backtests.fixtures import ada, candles, execute, hold, results_of, run, storage_folder, strategies, vic
from trading.setup.config import parse_config
from trading.setup.forms import ConfigForm

__all__ = ["ada", "candles", "execute", "hold", "run", "storage_folder", "strategies", "vic"]
HTMX = {"HX-Request": "true"}
POSTED = {
    "strategy": "sma_cross",
    "params.fast": "5",
    "params.slow": "20",
    "symbols": "ETH-BTC",
    "venue": "binance",
    "interval": "5m",
}


@pytest.fixture
def trader(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


@pytest.fixture
def viewer(vic: User) -> Client:
    client = Client()
    client.force_login(vic)
    return client


def many(run: BacktestRun, count: int) -> None:
    """Rows like `run`, some without figures, some equal in them."""
    kept = {
        name: getattr(run, name) for name in ("config", "strategy", "symbols", "interval", "results", "artifact", "candles_folder")
    }
    BacktestRun.objects.bulk_create(
        BacktestRun(
            **kept,
            run_id=f"many{number:08d}",
            name=f"Run {number}",
            status="failed" if number % 5 == 0 else "completed",
            total_return=None if number % 5 == 0 else number % 7 / 10,
            sharpe=None if number % 5 == 0 else -number / 3,
            trades=number % 3,
        )
        for number in range(count)
    )


def ids(text: str) -> list[str]:
    return re.findall(r'data-run="(\w+)"', text)


def test_the_list_asks_no_more_of_the_database_for_more_runs(
    trader: Client, run: BacktestRun, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(10):  # four are the frame's
        trader.get("/backtests/")
    many(run, 400)
    with django_assert_max_num_queries(10):  # four are the frame's
        assert len(ids(trader.get("/backtests/").content.decode())) == 50


@pytest.mark.parametrize("sort", [f"{sign}{name}" for name in SORTS for sign in ("", "-")])
def test_every_run_comes_once_whatever_the_list_is_sorted_by(trader: Client, run: BacktestRun, sort: str) -> None:
    many(run, 120)
    seen: list[str] = []
    page, query = 0, f"?sort={sort}&part=table"
    while query and page < 5:
        text = trader.get(f"/backtests/{query}", headers=HTMX).content.decode()
        seen += ids(text)
        following = re.search(r'hx-get="/backtests/(\?[^"]*part=rows)"', text)
        query, page = following[1].replace("&amp;", "&") if following else "", page + 1
    assert len(seen) == 121
    assert set(seen) == set(BacktestRun.objects.values_list("run_id", flat=True))
    values = list(BacktestRun.objects.in_bulk(seen, field_name="run_id").values())
    column = SORTS[sort.removeprefix("-")]
    known = [
        getattr(one, column) for one in sorted(values, key=lambda one: seen.index(one.run_id)) if getattr(one, column) is not None
    ]
    assert known == sorted(known, reverse=sort.startswith("-"))


def test_filters_narrow_the_list_and_the_export(trader: Client, run: BacktestRun) -> None:
    many(run, 30)
    listed = trader.get("/backtests/?status=failed&q=Run").content.decode()
    assert len(ids(listed)) == 6
    rows = list(csv.DictReader(StringIO(trader.get("/backtests/export.csv?status=failed").content.decode())))
    assert {row["run_id"] for row in rows} == set(ids(listed))
    assert "No run matches" in trader.get("/backtests/?symbol=XRP-USD").content.decode()


def test_a_name_cannot_become_a_formula_in_the_export(
    trader: Client, candles: Candles, execute: Callable[..., BacktestRun]
) -> None:
    execute(name="=1+1")
    (row,) = csv.DictReader(StringIO(trader.get("/backtests/export.csv").content.decode()))
    assert row["name"] == "'=1+1"


def test_what_cannot_be_asked_of_the_list_is_refused_by_name(trader: Client, run: BacktestRun) -> None:
    for query in ("sort=nonsense", "cursor=x~y", "sort=-return&cursor=abc~1", "status=odd"):
        assert trader.get(f"/backtests/?{query}").status_code == 400, query


def test_an_empty_list_says_the_next_step(trader: Client, viewer: Client, candles: Candles) -> None:
    text = trader.get("/backtests/").content.decode()
    assert "Run your first backtest" in text
    assert "ETH-BTC 5m of binance" in text
    assert "Run your first backtest" not in viewer.get("/backtests/").content.decode()


def test_the_form_starts_a_run_that_equals_one_of_the_api(trader: Client, candles: Candles) -> None:
    answer = trader.post("/backtests/new/", {**POSTED, "cash": "5000", "exits.stop_loss": "0.03"})
    made = BacktestRun.objects.get()
    assert answer.headers["Location"] == f"/backtests/{made.run_id}/"
    same = services.run_create(
        config={
            "strategy": "sma_cross",
            "params": {"fast": 5, "slow": 20},
            "symbols": ["ETH-BTC"],
            "interval": "5m",
            "cash": 5000,
            "exits": {"stop_loss": 0.03},
        }
    )
    assert made.config == same.config


def test_every_fault_stands_at_its_input_and_what_was_typed_is_kept(trader: Client, candles: Candles) -> None:
    wrong = {
        **POSTED,
        "params.fast": "50",
        "cash": "-7",
        "sizing.kind": "kelly",
        "sizing.min_trades.kelly": "0",
        "start": "2030-01-01T00:00",
    }
    answer = trader.post("/backtests/new/", wrong, headers=HTMX)
    assert answer.status_code == 422
    assert not BacktestRun.objects.exists()
    text = answer.content.decode()
    for name, value in (("params-fast", "50"), ("cash", "-7"), ("sizing-min_trades-kelly", "0")):
        (tag,) = re.findall(rf'<input[^>]*id="id_{name}"[^>]*>', text)
        assert 'aria-invalid="true"' in tag, name
        assert f'value="{value}"' in tag, name
        assert re.search(rf'class="errors" id="id_{name}-help"', text), name


def test_a_fault_that_only_the_store_can_find_stands_at_its_input(trader: Client, candles: Candles) -> None:
    text = trader.post("/backtests/new/", {**POSTED, "start": "2030-01-01T00:00"}, headers=HTMX).content.decode()
    assert re.search(r'id="id_start"[^>]*aria-invalid="true"', text)
    text = trader.post("/backtests/new/", {**POSTED, "symbols": ""}, headers=HTMX).content.decode()
    assert re.search(r'id="symbols"[^>]*aria-invalid="true"', text)
    assert "Tick at least one symbol" in text


def test_what_belongs_to_another_choice_does_not_count(trader: Client, candles: Candles) -> None:
    form = ConfigForm({**POSTED, "slippage.kind": "bps", "slippage.value.bps": "3", "slippage.value.half_spread": "x"}, ["ETH-BTC"])
    assert parse_config(form.config()).slippage.value == 3.0


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sizing": {"kind": "volatility", "value": 0.3, "lookback": 50, "cap": 0.8}, "start": "2022-01-01T05:00:00Z"},
        {
            "sizing": {"kind": "kelly", "value": 0.5},
            "slippage": {"kind": "volume_share", "max_share": 0.1},
            "limits": {"symbol_cap": 0.4},
        },
        {"strategy": "macd", "params": {"above_zero": True}, "order_ttl": 4, "seed": 9, "exits": {"max_candles": 7}},
        {"protections": {"cooldown": 5, "stop_count": 2, "stop_window": 9, "stop_pause": 7, "stop_scope": "all"}},
    ],
)
def test_a_clone_that_is_not_edited_has_the_same_configuration(
    candles: Candles, execute: Callable[..., BacktestRun], changes: dict[str, Any]
) -> None:
    given = {"params": {}, **changes} if "strategy" in changes else changes
    config = execute(**given).config
    form = ConfigForm.of_config(config)
    assert parse_config(form.config()).to_json() == {**config, "rules": {}}


def test_the_plan_counts_what_would_run(trader: Client, candles: Candles) -> None:
    text = trader.post("/backtests/new/", {**POSTED, "part": "check", "start": "2022-01-01T10:00"}, headers=HTMX).content.decode()
    assert f"<b>{len(candles) - 120}</b> of 5m" in text
    assert not BacktestRun.objects.exists()
    text = trader.post("/backtests/new/", {**POSTED, "part": "check", "cash": "0"}, headers=HTMX).content.decode()
    assert "Not ready" in text
    assert "#id_cash" in text


def test_who_may_only_look_cannot_start_or_delete(viewer: Client, run: BacktestRun) -> None:
    assert viewer.get(f"/backtests/{run.run_id}/").status_code == 200
    assert viewer.get("/backtests/new/").status_code == 403
    for act in ("again", "cancel", "retry", "delete"):
        assert viewer.post(f"/backtests/{run.run_id}/{act}/").status_code == 403
    assert BacktestRun.objects.count() == 1


def test_a_run_can_be_repeated_retried_and_deleted(trader: Client, run: BacktestRun) -> None:
    location = trader.post(f"/backtests/{run.run_id}/again/").headers["Location"]
    again = BacktestRun.objects.get(run_id=location.split("/")[2])
    assert (again.cloned_from, again.config) == (run, run.config)
    trader.post(f"/backtests/{again.run_id}/cancel/")
    assert trader.post(f"/backtests/{again.run_id}/cancel/").status_code == 302
    trader.post(f"/backtests/{again.run_id}/retry/")
    again.refresh_from_db()
    assert again.status == "queued"
    assert trader.post(f"/backtests/{again.run_id}/delete/").status_code == 409
    trader.post(f"/backtests/{run.run_id}/delete/")
    assert trader.get(f"/backtests/{run.run_id}/").status_code == 404


def test_every_part_of_a_run_answers_in_few_queries(trader: Client, run: BacktestRun, django_assert_max_num_queries: Any) -> None:
    for part in ("", "trades", "trade_rows", "refusals", "refusal_rows", "breakdown", "metrics", "settings"):
        with django_assert_max_num_queries(10):  # four are the frame's
            answer = trader.get(f"/backtests/{run.run_id}/?part={part}", headers=HTMX if part else {})
        assert answer.status_code == 200, part


def test_a_run_without_results_says_why_and_what_to_do(
    trader: Client, candles: Candles, strategies: None, execute: Callable[..., BacktestRun]
) -> None:
    failed = execute(strategy="raising", params={})
    text = trader.get(f"/backtests/{failed.run_id}/").content.decode()
    assert "The run failed" in text
    assert "ZeroDivisionError" in text
    assert "Mend the strategy" in text
    waiting = services.run_create(config=failed.config | {"strategy": "honest"})
    text = trader.get(f"/backtests/{waiting.run_id}/?part=progress", headers=HTMX).content.decode()
    assert "Waiting for a worker" in text
    services.run_cancel(run_id=waiting.run_id)
    answer = trader.get(f"/backtests/{waiting.run_id}/?part=progress", headers=HTMX)
    assert answer.headers["HX-Retarget"] == "#run"
    assert "The run was cancelled" in answer.content.decode()


def test_a_strategy_that_peeks_is_told_of_first(
    trader: Client, candles: Candles, strategies: None, execute: Callable[..., BacktestRun]
) -> None:
    text = trader.get(f"/backtests/{execute(strategy='peeking', params={}).run_id}/").content.decode()
    assert "Do not trust this result" in text
    assert text.index("Do not trust this result") < text.index('class="tile-value"')


def test_trades_sort_by_every_column_and_page_by_key(trader: Client, candles: Candles, execute: Callable[..., BacktestRun]) -> None:
    run = execute(params={"fast": 1, "slow": 2})
    assert results_of(run)["trades"] > 60
    for name in ("number", "profit", "-profit", "exit_reason", "-duration_s", "symbol"):
        first = trader.get(f"/backtests/{run.run_id}/?part=trades&sort={name}", headers=HTMX).content.decode()
        following = re.search(r'hx-get="(\?[^"]*part=trade_rows)"', first)
        assert following, name
        rest = trader.get(f"/backtests/{run.run_id}/{following[1].replace('&amp;', '&')}", headers=HTMX).content.decode()
        numbers = re.findall(r"Show trade (\d+) ", first + rest)
        assert len(numbers) == len(set(numbers)) == min(100, results_of(run)["trades"])


def test_the_states_of_playback_are_those_of_the_api(trader: Client, run: BacktestRun) -> None:
    states = trader.get(f"/backtests/{run.run_id}/states.json?first=40&count=25").json()["states"]
    assert [state["index"] for state in states] == list(range(40, 65))
    for state in states:
        told = trader.get(f"/api/v1/backtests/{run.run_id}/playback/state/{state['time']}").json()
        assert {name: value for name, value in state.items() if name != "happened"} == told


def test_playback_finds_the_next_and_the_previous_event(trader: Client, run: BacktestRun) -> None:
    fills = sorted({int(index) for index in open_artifact(run).fills["index"]})

    def event(**query: Any) -> Any:
        return trader.get(f"/backtests/{run.run_id}/event.json", {"kind": "fill", **query}).json()["index"]

    assert event(index=0) == fills[0]
    assert event(index=fills[0]) == fills[1]
    assert event(index=fills[1], way="previous") == fills[0]
    assert event(index=fills[-1]) is None
    # An order is made at a close and filled at the next open.
    assert event(index=0, kind="any") == fills[0] - 1


def test_a_coarse_chart_keeps_highs_lows_volume_and_the_deepest_drawdown(
    trader: Client, run: BacktestRun, candles: Candles
) -> None:
    found = json.loads(trader.get(f"/backtests/{run.run_id}/candles.json?bars=50").content)
    whole = json.loads(trader.get(f"/backtests/{run.run_id}/candles.json?bars=4000").content)
    columns = found["columns"]
    assert (found["size"], len(columns["time"]), whole["size"]) == (16, 38, 1)
    assert max(columns["high"]) == candles.high.max()
    assert min(columns["low"]) == candles.low.min()
    assert np.isclose(sum(columns["volume"]), candles.volume.sum())
    assert min(columns["drawdown"]) == min(whole["columns"]["drawdown"]) == pytest.approx(results_of(run)["max_drawdown"])
    assert columns["equity"][-1] == whole["columns"]["equity"][-1]


def test_windows_of_one_coarseness_share_their_bars(trader: Client, run: BacktestRun) -> None:
    def bars(**query: Any) -> dict[int, float]:
        columns = json.loads(trader.get(f"/backtests/{run.run_id}/candles.json", query).content)["columns"]
        return dict(zip(columns["time"], columns["close"], strict=True))

    whole = bars(bars=80)
    times = list(whole)
    part = bars(bars=10, start=times[20] + 60, end=times[29])
    assert list(part) == times[20:29]
    assert part.items() <= whole.items()


def test_marks_say_why(trader: Client, run: BacktestRun) -> None:
    marks = json.loads(trader.get(f"/backtests/{run.run_id}/candles.json").content)["marks"]
    assert marks[0]["side"] == "buy"
    assert re.fullmatch(r"Bought [\d.]+ at [\d.,]+, fee [\d.]+: the strategy asked to be in", marks[0]["detail"])


def test_comparing_says_what_is_not_alike_and_marks_the_best(
    trader: Client,
    hold: Callable[..., Candles],
    candles: Candles,
    execute: Callable[..., BacktestRun],
    django_assert_max_num_queries: Any,
) -> None:
    hold("LTC-BTC", seed=4)
    runs = [execute(), execute(params={"fast": 3, "slow": 30}), execute(symbols=["LTC-BTC"])]
    with django_assert_max_num_queries(11):
        text = trader.get(f"/backtests/compare/?runs={','.join(run.run_id for run in runs)}").content.decode()
    assert "different symbols" in text
    best = max(runs, key=lambda run: results_of(run)["total_return"])
    row = text[text.index("Return</button>") :]
    cells = row[: row.index("</tr>")].split("<td")[1:]
    assert ["best-word" in cell for cell in cells] == [run is best for run in runs]
    alike = trader.get(f"/backtests/compare/?runs={runs[0].run_id}&runs={runs[1].run_id}").content.decode()
    assert "Not like for like" not in alike


def test_comparing_says_whether_other_code_changed_the_result(
    trader: Client, run: BacktestRun, execute: Callable[..., BacktestRun]
) -> None:
    def page_with(*others: BacktestRun) -> str:
        ids = ",".join(one.run_id for one in (run, *others))
        return trader.get(f"/backtests/compare/?runs={ids}").content.decode()

    same, unlike = execute(), execute(params={"fast": 3, "slow": 30})
    assert "Other code" not in page_with(same)
    BacktestRun.objects.filter(pk__in=[same.pk, unlike.pk]).update(code_hash="0" * 64)
    assert "Other code, same result" in page_with(same)
    assert "The code has changed" not in page_with(same)
    both = page_with(same, unlike)
    assert "Run 2 has the figures, orders, trades and equity of run 1" in both
    assert "The code has changed between these runs" in both


@pytest.mark.parametrize(("query", "status"), [("", 400), ("?runs=one", 400), ("?runs=one,two", 404)])
def test_what_cannot_be_compared_is_said(trader: Client, run: BacktestRun, query: str, status: int) -> None:
    assert trader.get(f"/backtests/compare/{query}").status_code == status
