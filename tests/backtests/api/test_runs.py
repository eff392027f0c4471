"""The API of backtests: shapes, states, lists, and a pinned number of queries."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from backtests import services
from backtests.models import BacktestRun, Status
from engine.types import Candles
from tests.backtests.fixtures import CONFIG, results_of

Execute = Callable[..., BacktestRun]
RESULTS = {
    "final_equity", "total_return", "cagr", "volatility", "sharpe", "sortino", "calmar", "max_drawdown", "max_drawdown_duration_s",
    "trades", "win_rate", "profit_factor", "expectancy", "average_win", "average_loss", "exposure", "turnover", "fees_paid",
    "slippage_paid", "buy_and_hold_return", "per_symbol", "per_exit_reason", "monthly_returns", "candles", "candles_per_second",
    "fingerprint", "code_hash",
}  # fmt: skip


def streamed(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


@pytest.mark.django_db(transaction=True)
def test_a_run_is_accepted_queued_and_followed(hold: Any, api: APIClient) -> None:
    hold()
    started = api.post("/api/v1/backtests", {**CONFIG, "name": "first"}, format="json")
    assert started.status_code == 202
    run_id = started.json()["run_id"]
    assert started.json() == {"run_id": run_id, "status": "queued"}
    waiting = api.get(f"/api/v1/backtests/{run_id}").json()
    assert (waiting["status"], waiting["candles_processed"], waiting["error"], waiting["name"]) == ("queued", 0, None, "first")
    assert api.get(f"/api/v1/backtests/{run_id}/results").status_code == 409
    services.run_execute(run_id=run_id)
    done = api.get(f"/api/v1/backtests/{run_id}").json()
    assert (done["status"], done["candles_processed"], done["candles_total"], done["share"]) == ("completed", 600, 600, 1.0)
    assert done["created_at"].endswith("Z")


def test_results_hold_everything_the_interface_promises(api: APIClient, run: BacktestRun) -> None:
    results = api.get(f"/api/v1/backtests/{run.run_id}/results").json()
    assert set(results) >= RESULTS | {"run_id", "honesty", "config", "seed", "results_digest"}
    assert isinstance(results["final_equity"], str)
    assert isinstance(results["total_return"], float)
    assert results["candles_per_second"] > 0
    assert "candles_per_second" not in results_of(run)


def test_a_failed_run_says_why(api: APIClient, candles: Candles, strategies: None, execute: Execute) -> None:
    run = execute(strategy="raising", params={})
    error = api.get(f"/api/v1/backtests/{run.run_id}").json()["error"]
    assert error["code"] == "strategy_failed"
    refused = api.get(f"/api/v1/backtests/{run.run_id}/results")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "run_failed")


@pytest.mark.parametrize(
    "path",
    ["", "/results", "/equity", "/trades", "/trades.csv", "/export", "/playback/candles", "/playback/state/2022-01-01T00:00:00Z"],
)
def test_an_unknown_run_is_not_found(api: APIClient, path: str) -> None:
    answer = api.get(f"/api/v1/backtests/nothing{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/results", "/equity", "/trades", "/trades.csv", "/export", "/playback/candles"])
def test_results_that_are_not_there_yet_are_a_conflict(api: APIClient, candles: Candles, path: str) -> None:
    run = services.run_create(config=CONFIG)
    answer = api.get(f"/api/v1/backtests/{run.run_id}{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_completed")


def test_the_list_pages_by_key_and_filters(api: APIClient, candles: Candles) -> None:
    for number in range(7):
        services.run_create(config={**CONFIG, "name": str(number)})
    services.run_cancel(run_id=BacktestRun.objects.get(name="3").run_id)
    names, url = [], "/api/v1/backtests?limit=3&strategy=sma_cross"
    while url:
        page = api.get(url).json()
        names += [row["name"] for row in page["results"]]
        url = page["next"]
    assert names == list("6543210")
    cancelled = api.get("/api/v1/backtests?status=cancelled").json()
    assert ([row["name"] for row in cancelled["results"]], cancelled["next"]) == (["3"], None)
    assert len(api.get("/api/v1/backtests?symbol=ETH-BTC").json()["results"]) == 7
    assert api.get("/api/v1/backtests?symbol=ETH").json()["results"] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("status=done", "status"), ("cursor=abc", "cursor"), ("limit=0", "limit"), ("limit=many", "limit"), ("status=%00", "status")],
)
def test_a_list_that_makes_no_sense_is_refused(api: APIClient, query: str, field: str) -> None:
    answer = api.get(f"/api/v1/backtests?{query}")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_equity_is_thinned_or_paged(api: APIClient, run: BacktestRun) -> None:
    url = f"/api/v1/backtests/{run.run_id}/equity"
    thin = api.get(f"{url}?points=50").json()
    assert 50 <= len(thin["results"]) <= 52
    assert thin["next"] is None
    assert set(thin["results"][0]) == {"time", "equity", "drawdown", "buy_and_hold"}
    page = api.get(f"{url}?cursor=&limit=400").json()
    rest = api.get(page["next"]).json()
    assert (len(page["results"]), len(rest["results"]), rest["next"]) == (400, 200, None)
    for query, field in (("points=0", "points"), ("limit=0", "limit"), ("cursor=٣", "cursor"), ("cursor=&points=x", "points")):
        assert api.get(f"{url}?{query}").json()["error"]["fields"].keys() == {field}


def test_trades_page_and_export(api: APIClient, run: BacktestRun) -> None:
    url = f"/api/v1/backtests/{run.run_id}"
    best = api.get(f"{url}/trades?sort=-profit&limit=2").json()
    assert len(best["results"]) == 2
    assert float(best["results"][0]["profit"]) >= float(best["results"][1]["profit"])
    assert len(api.get(best["next"]).json()["results"]) == 2
    sheet = api.get(f"{url}/trades.csv", HTTP_ACCEPT="text/csv")
    rows = list(csv.DictReader(io.StringIO(streamed(sheet))))
    assert len(rows) == run.trades
    assert "attachment" in sheet["Content-Disposition"]
    whole = json.loads(streamed(api.get(f"{url}/export")))
    assert set(whole) == {"run", "config", "results", "trades"}
    assert (len(whole["trades"]), whole["config"]) == (run.trades, run.config)


def test_an_exported_config_runs_again_to_the_same_results(api: APIClient, run: BacktestRun) -> None:
    config = json.loads(streamed(api.get(f"/api/v1/backtests/{run.run_id}/export")))["config"]
    again = services.run_execute(run_id=api.post("/api/v1/backtests", config, format="json").json()["run_id"])
    assert again.results_digest == run.results_digest


def test_playback(api: APIClient, run: BacktestRun) -> None:
    url = f"/api/v1/backtests/{run.run_id}/playback"
    found = api.get(f"{url}/candles?start=2022-01-01T01:00:00Z&end=2022-01-01T02:00:00Z").json()
    assert [row["time"] for row in found["results"]][::11] == ["2022-01-01T01:00:00Z", "2022-01-01T01:55:00Z"]
    page = api.get(f"{url}/candles?limit=10").json()
    assert api.get(page["next"]).json()["results"][0]["time"] == "2022-01-01T00:50:00Z"
    state = api.get(f"{url}/state/2022-01-01T10:02:30Z").json()
    assert (state["time"], state["closes_at"]) == ("2022-01-01T10:00:00Z", "2022-01-01T10:05:00Z")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("playback/state/now", "timestamp"),
        ("playback/state/2030-01-01", "timestamp"),
        ("playback/candles?start=x", "start"),
        ("playback/candles?symbol=X-Y", "symbol"),
        ("trades?sort=profits", "sort"),
    ],
)
def test_questions_that_make_no_sense_are_refused(api: APIClient, run: BacktestRun, path: str, field: str) -> None:
    answer = api.get(f"/api/v1/backtests/{run.run_id}/{path}")
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_cancel_retry_delete(api: APIClient, candles: Candles) -> None:
    url = f"/api/v1/backtests/{services.run_create(config=CONFIG).run_id}"
    assert api.delete(url).status_code == 409
    assert api.post(f"{url}/cancel").json()["status"] == "cancelled"
    assert api.post(f"{url}/cancel").status_code == 409
    retried = api.post(f"{url}/retry")
    assert (retried.status_code, retried.json()["status"]) == (202, "queued")
    api.post(f"{url}/cancel")
    assert api.delete(url).status_code == 204
    assert api.get(url).status_code == 404


def test_compare(api: APIClient, run: BacktestRun, execute: Execute) -> None:
    other = execute(params={"fast": 6, "slow": 20})
    found = api.get(f"/api/v1/backtests/compare?runs={run.run_id},{other.run_id}").json()
    assert [row["run_id"] for row in found["runs"]] == [run.run_id, other.run_id]
    assert found["config"] == {"params.fast": [5, 6]}
    assert found["same_as_first"] == [{"code": True, "result": True}, {"code": True, "result": False}]
    assert api.get("/api/v1/backtests/compare?runs=a").json()["error"]["fields"]["runs"]
    assert api.get(f"/api/v1/backtests/compare?runs={run.run_id},nothing").status_code == 404


QUERIES = {
    "backtests": 2,
    "backtests/{id}": 2,
    "backtests/{id}/results": 2,
    "backtests/{id}/trades?sort=-profit": 2,
    "backtests/{id}/equity?points=100": 2,
    "backtests/{id}/playback/candles": 2,
    "backtests/{id}/playback/state/2022-01-01T10:00:00Z": 2,
}
"""One for the token and its person, one for the row."""


@pytest.mark.parametrize("path", QUERIES)
def test_the_number_of_queries_is_pinned(api: APIClient, run: BacktestRun, execute: Execute, path: str) -> None:
    for fast in (6, 7, 8):
        execute(params={"fast": fast, "slow": 20})
    with CaptureQueriesContext(connection) as queries:
        assert api.get(f"/api/v1/{path.format(id=run.run_id)}").status_code == 200
    assert len(queries) == QUERIES[path], [query["sql"] for query in queries]


def test_looking_needs_read_and_starting_needs_trade(candles: Candles, vic: Any, ada: Any) -> None:
    client = APIClient()
    assert client.get("/api/v1/backtests").status_code == 401
    client.force_login(vic)
    assert client.get("/api/v1/backtests").status_code == 200
    refused = client.post("/api/v1/backtests", CONFIG, format="json")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_denied")
    client.force_login(ada)
    assert client.post("/api/v1/backtests", CONFIG, format="json").status_code == 202
    assert BacktestRun.objects.get().created_by == ada


def test_status_values_are_the_documented_ones() -> None:
    assert set(Status.values) == {"queued", "running", "completed", "failed", "cancelled"}
