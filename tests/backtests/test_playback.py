"""Playback from what is stored of a run equals walking through the run from its start."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from backtests import selectors
from backtests.artifacts import Artifact
from backtests.models import BacktestRun
from backtests.selectors.trades import COLUMNS
from core.errors import Conflict, Invalid
from core.text import ms_text
from core.times import from_ms
from engine.types import ORDER_STATUSES, Candles
from tests.backtests.fixtures import results_of

Execute = Callable[..., BacktestRun]


@pytest.fixture
def resting(hold: Any, execute: Execute, strategies: None) -> BacktestRun:
    """Two symbols, one with a gap, limit orders that often stay open, many lots."""
    hold("ETH-BTC", count=2_000, seed=3)
    hold("LTC-BTC", count=2_000, seed=4, skip=slice(500, 520))
    return execute(strategy="resting", params={}, symbols=["ETH-BTC", "LTC-BTC"], sizing={"kind": "fraction", "value": 0.05})


def walked(run: BacktestRun, index: int) -> dict[str, Any]:
    """Cash, quantities and waiting orders after candle `index`, from the first fill on, one after the other."""
    artifact = Artifact(run.artifact, run.candles_folder)
    orders, fills, symbols = artifact.orders, artifact.fills, run.symbols.split(",")
    cash, held = float(run.config["cash"]), dict.fromkeys(symbols, 0.0)
    for row in range(len(fills)):
        if fills["index"][row] <= index:
            order = fills["order"][row]
            value, fee = fills["price"][row] * fills["quantity"][row], fills["fee"][row]
            buy = orders["side"][order] == 0
            cash += -value - fee if buy else value - fee
            held[symbols[orders["symbol"][order]]] += fills["quantity"][row] * (1 if buy else -1)
    waiting = [
        row for row in range(len(orders)) if orders["created_index"][row] <= index and not 0 <= orders["closed_index"][row] <= index
    ]
    return {"cash": cash, "held": {name: held for name, held in held.items() if held > 1e-9}, "waiting": waiting}


@pytest.mark.parametrize("place", [0, 1, 57, 499, 510, 777, 1500, 1999])
def test_the_state_at_any_moment_is_what_a_walk_from_the_start_finds(resting: BacktestRun, place: int) -> None:
    artifact = Artifact(resting.artifact, resting.candles_folder)
    state = selectors.playback_state(resting, from_ms(artifact.equity["time"][place]))
    expected = walked(resting, place)
    assert state["index"] == place
    assert float(state["cash"]) == pytest.approx(expected["cash"], abs=1e-6)
    assert {row["symbol"]: float(row["quantity"]) for row in state["positions"]} == pytest.approx(expected["held"])
    assert state["open_order_count"] == len(expected["waiting"])
    assert [row["order"] - 1 for row in state["open_orders"]] == expected["waiting"][-200:]
    worth = float(state["cash"]) + sum(float(row["value"]) for row in state["positions"])
    assert worth == pytest.approx(float(state["equity"]), rel=1e-9)


def test_the_walk_meets_open_orders_and_positions(resting: BacktestRun) -> None:
    """Or the test above would prove little."""
    found = [walked(resting, place) for place in (499, 777, 1500)]
    assert any(len(one["held"]) == 2 for one in found)
    assert any(len(one["waiting"]) > 1 for one in found)
    assert len(Artifact(resting.artifact).checkpoints[0]) > 0


def test_the_state_tells_the_reason_of_what_happened_last(run: BacktestRun) -> None:
    trade = selectors.run_trades(run, limit=1).rows[0]
    state = selectors.playback_state(run, datetime.fromisoformat(trade["entry_time"]))
    assert (state["last_fill"]["side"], state["last_fill"]["reason"]) == ("buy", "entry_signal")
    assert state["last_fill"]["time"] == trade["entry_time"]
    assert state["positions"][0]["average_price"] == trade["entry_price"]
    assert set(state["indicators"]["ETH-BTC"]) == {"fast", "slow"}


def test_a_refusal_is_told_with_its_code(hold: Any, execute: Execute) -> None:
    hold(rules={"min_notional": "1000000"})
    run = execute()
    refusal = selectors.playback_state(run, from_ms(Artifact(run.artifact).equity["time"][-1]))["last_refusal"]
    assert (refusal["status"], refusal["refusal"]) == ("refused", "below_min_notional")


def test_the_average_price_is_that_of_what_is_held(resting: BacktestRun) -> None:
    fills = Artifact(resting.artifact).fills
    orders = Artifact(resting.artifact).orders
    mine = np.flatnonzero(fills["symbol"] == 0)[:40]
    cost = quantity = 0.0
    for row in mine:
        if orders["side"][fills["order"][row]] == 0:
            cost += fills["price"][row] * fills["quantity"][row]
            quantity += fills["quantity"][row]
        else:
            cost -= cost * fills["quantity"][row] / quantity
            quantity = fills["position"][row]
        if quantity > 0:
            assert fills["average"][row] == pytest.approx(cost / quantity)
        else:
            cost = quantity = 0.0
            assert np.isnan(fills["average"][row])


def test_a_moment_outside_the_run_is_refused(run: BacktestRun) -> None:
    for moment in (datetime(2021, 1, 1, tzinfo=UTC), datetime(2023, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)):
        with pytest.raises(Invalid, match="inside the run"):
            selectors.playback_state(run, moment)


def test_playback_candles_are_the_ones_the_run_saw(candles: Candles, run: BacktestRun) -> None:
    first = selectors.playback_candles(run, limit=100)
    assert len(first["results"]) == 100
    assert first["results"][7]["close"] == str(candles.close[7])
    assert first["results"][3]["indicators"] == {"fast": None, "slow": None}
    assert first["results"][99]["indicators"]["fast"] == pytest.approx(candles.close[95:100].mean())
    rest = selectors.playback_candles(run, start=datetime.fromisoformat(first["next"]), limit=5_000)
    assert rest["next"] is None
    assert [row["time"] for row in first["results"] + rest["results"]] == [ms_text(at) for at in candles.time]
    assert len(first["fills"]) + len(rest["fills"]) == len(Artifact(run.artifact).fills)


def test_playback_keeps_the_candles_when_the_store_changes(candles: Candles, run: BacktestRun, hold: Any) -> None:
    hold(seed=99)
    assert selectors.playback_candles(run)["results"][7]["close"] == str(candles.close[7])


def test_an_empty_range_is_empty(run: BacktestRun) -> None:
    found = selectors.playback_candles(run, start=datetime(2030, 1, 1, tzinfo=UTC))
    assert (found["results"], found["fills"], found["next"]) == ([], [], None)


@pytest.mark.parametrize("sort", [*COLUMNS, *(f"-{name}" for name in COLUMNS)])
def test_pages_of_trades_are_the_sorted_whole(resting: BacktestRun, sort: str) -> None:
    whole = selectors.run_trades(resting, sort=sort, limit=500).rows
    pages, cursor = [], ""
    while True:
        page = selectors.run_trades(resting, sort=sort, limit=37, cursor=cursor)
        pages += page.rows
        if page.next is None:
            break
        cursor = page.next
    assert pages[:500] == whole
    assert len({row["number"] for row in pages}) == len(pages) == resting.trades

    def key(row: dict[str, Any]) -> Any:
        value = row[sort.removeprefix("-")]
        symbols, reasons = resting.symbols.split(","), ("entry_signal", "exit_signal", "ladder", "end_of_data")
        return symbols.index(value) if value in symbols else reasons.index(value) if value in reasons else as_number(value)

    keys = [key(row) for row in pages]
    assert keys == sorted(keys, reverse=sort.startswith("-"))


def as_number(value: Any) -> float:
    return datetime.fromisoformat(value).timestamp() if isinstance(value, str) and "T" in value else float(value)


def test_trades_are_filtered(resting: BacktestRun) -> None:
    every = selectors.run_trades(resting, limit=500).rows
    won = selectors.run_trades(resting, outcome="won", limit=500).rows
    assert won == [row for row in every if float(row["profit"]) > 0]
    one = selectors.run_trades(resting, symbol="LTC-BTC", reason="exit_signal", limit=500).rows
    assert one == [row for row in every if row["symbol"] == "LTC-BTC" and row["exit_reason"] == "exit_signal"]
    start, end = every[20]["entry_time"], every[-20]["entry_time"]
    span = selectors.run_trades(resting, start=start, end=end, limit=500).rows
    assert span == [row for row in every if start <= row["entry_time"] < end]


@pytest.mark.parametrize(
    ("filters", "field"),
    [
        ({"sort": "proft"}, "sort"),
        ({"symbol": "X-Y"}, "symbol"),
        ({"reason": "bored"}, "reason"),
        ({"outcome": "draw"}, "outcome"),
        ({"start": "soon"}, "start"),
        ({"cursor": "abc"}, "cursor"),
        ({"cursor": "999999"}, "cursor"),
    ],
)
def test_filters_that_mean_nothing_are_refused(run: BacktestRun, filters: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        selectors.run_trades(run, **filters)
    assert field in refused.value.fields


def test_csv_holds_every_trade(resting: BacktestRun) -> None:
    lines = "".join(selectors.trades_csv(resting)).splitlines()
    assert lines[0].split(",") == list(COLUMNS)
    assert len(lines) - 1 == resting.trades
    first = dict(zip(COLUMNS, lines[1].split(","), strict=True))
    assert first["profit"] == selectors.run_trades(resting).rows[0]["profit"]


def test_thinned_equity_keeps_its_ends_and_its_deepest_fall(resting: BacktestRun) -> None:
    table = Artifact(resting.artifact).equity
    rows = selectors.run_equity(resting, points=50)
    assert 50 <= len(rows) <= 52
    assert (rows[0]["time"], rows[-1]["time"]) == (ms_text(table["time"][0]), ms_text(table["time"][-1]))
    assert min(row["drawdown"] for row in rows) == table["drawdown"].min() == pytest.approx(resting.max_drawdown)
    trough = int(table["drawdown"].argmin())
    assert max(float(row["equity"]) for row in rows if row["time"] <= ms_text(table["time"][trough])) == pytest.approx(
        table["equity"][: trough + 1].max()
    )


def test_paged_equity_is_every_point(run: BacktestRun) -> None:
    first = selectors.run_equity_page(run, limit=450)
    second = selectors.run_equity_page(run, limit=450, cursor=first.next or "")
    assert (len(first.rows), len(second.rows), second.next) == (450, 150, None)
    assert selectors.run_equity_page(run, cursor="600").rows == []
    assert first.rows[0]["buy_and_hold"] == pytest.approx(first.rows[0]["buy_and_hold"])


def test_buy_and_hold_ends_where_the_metric_says(resting: BacktestRun) -> None:
    last = selectors.run_equity(resting, points=10)[-1]
    assert float(last["buy_and_hold"]) == pytest.approx(10_000 * (1 + results_of(resting)["buy_and_hold_return"]))


def test_results_of_a_run_that_has_none_say_why(candles: Candles, execute: Execute, strategies: None) -> None:
    failed = execute(strategy="raising", params={})
    with pytest.raises(Conflict, match="ZeroDivisionError"):
        selectors.run_results(failed)


def test_comparison_of_a_run_with_itself_again(run: BacktestRun, execute: Execute) -> None:
    other = execute()
    found = selectors.runs_compare([run.run_id, other.run_id])
    assert found["config"] == {}
    assert found["metrics"]["final_equity"]["differences"] == ["0", "0"]
    assert found["equity"]["absolute"][0] == found["equity"]["absolute"][1]
    assert found["equity"]["normalised"][0][0] == pytest.approx(1)
    assert found["trades"] == {"in_each": [run.trades] * 2, "in_all": run.trades, "only_in": [0, 0], "share": 1.0}


def test_comparison_of_different_runs(run: BacktestRun, execute: Execute) -> None:
    other = execute(params={"fast": 9, "slow": 20}, start="2022-01-01T12:00:00Z", cash="500")
    found = selectors.runs_compare([run.run_id, other.run_id])
    assert found["config"]["params.fast"] == [5, 9]
    assert found["config"]["cash"] == ["10000", "500"]
    curve = found["equity"]["absolute"][1]
    assert curve[0] is None
    assert float(curve[-1]) == pytest.approx(float(results_of(other)["final_equity"]), abs=1e-6)
    trades = found["trades"]
    assert trades["in_each"] == [run.trades, other.trades]
    assert [trades["in_all"] + only for only in trades["only_in"]] == trades["in_each"]


def test_other_code_that_changes_no_result_is_told_from_one_that_does(run: BacktestRun, execute: Execute) -> None:
    other, unlike = execute(), execute(params={"fast": 9, "slow": 20})
    for one in (other, unlike):
        BacktestRun.objects.filter(pk=one.pk).update(code_hash="0" * 64, results={**results_of(one), "code_hash": "0" * 64})
    ids = [run.run_id, other.run_id, unlike.run_id]
    same = selectors.runs_compare(ids)["same_as_first"]
    assert same == [{"code": True, "result": True}, {"code": False, "result": True}, {"code": False, "result": False}]
    # Figures alone are not the result: the same ones over other orders are another.
    BacktestRun.objects.filter(pk=other.pk).update(artifact=unlike.artifact)
    assert selectors.runs_compare(ids)["same_as_first"][1] == {"code": False, "result": False}


@pytest.mark.parametrize("count", [0, 1, 9])
def test_comparison_needs_two_to_eight(run: BacktestRun, count: int) -> None:
    with pytest.raises(Invalid, match="two to 8"):
        selectors.runs_compare([f"{run.run_id}{n}" for n in range(count)])


def test_orders_end_in_a_known_way(resting: BacktestRun) -> None:
    """What checkpoints rest on: orders stand in the order they were made, and none closes before it was made."""
    orders = Artifact(resting.artifact).orders
    assert (np.diff(orders["created_index"]) >= 0).all()
    closed = orders["closed_index"]
    assert ((closed < 0) | (closed >= orders["created_index"])).all()
    refused = orders["status"] == ORDER_STATUSES.index("refused")
    assert (closed[refused] == orders["created_index"][refused]).all()
