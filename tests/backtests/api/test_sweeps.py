"""Sweeps over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from access.services import token_create
from backtests.models import Status, Sweep
from backtests.sweeps import services
from engine.types import Candles
from tests.backtests.fixtures import CONFIG

pytestmark = pytest.mark.django_db
BODY = {**CONFIG, "params": {}, "space": {"fast": "5:20:5", "slow": [10, 20, 30, 40]}}


@pytest.fixture(autouse=True)
def market(hold: Callable[..., Candles]) -> Candles:
    return hold(count=9_600)


@pytest.fixture
def sweep() -> Sweep:
    return services.sweep_run(sweep_id=services.sweep_create(config=BODY).sweep_id)


def post(api: APIClient, path: str, body: Any = None) -> Any:
    return api.post(f"/api/v1/{path}", body, format="json")


def test_started_it_is_queued_with_its_number_of_trials(api: APIClient) -> None:
    answer = post(api, "sweeps", {**BODY, "name": "First"})
    assert answer.status_code == 202
    assert answer.json() == {"sweep_id": Sweep.objects.get().sweep_id, "status": "queued", "trials_total": 12, "skipped": 4}
    detail = api.get(f"/api/v1/sweeps/{answer.json()['sweep_id']}").json()
    assert (detail["name"], detail["status"], detail["trials_done"], detail["summary"]) == ("First", "queued", 0, None)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"space": {"fats": "5:25:1"}}, "space.fats"),
        ({"space": {"fast": "25:5:1"}}, "space.fast"),
        ({"space": {"fast": {"start": 1, "stop": 9, "step": 0}}}, "space.fast"),
        ({"space": {"fast": "1:5000:1", "slow": "2:5000:1"}}, "space"),
        ({"method": "random", "trials": "many"}, "trials"),
        ({"objective": "luck"}, "objective"),
        ({"symbols": ["NO-WAY"]}, "symbols"),
        ({"seed": -1}, "seed"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_bad_request_names_the_field_and_stores_nothing(api: APIClient, changes: dict[str, Any], field: str) -> None:
    answer = post(api, "sweeps", {**BODY, **changes})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid"
    assert field in answer.json()["error"]["fields"]
    assert not Sweep.objects.exists()


@pytest.mark.parametrize("body", [[], "x", None, 1])
def test_a_body_that_is_no_object_is_refused(api: APIClient, body: Any) -> None:
    assert post(api, "sweeps", body).status_code == 400


def test_the_summary_says_how_many_trials_were_made_and_what_luck_gives(api: APIClient, sweep: Sweep) -> None:
    detail = api.get(f"/api/v1/sweeps/{sweep.sweep_id}").json()
    summary = detail["summary"]
    assert (detail["status"], detail["share"], summary["trials"], summary["skipped"]) == ("completed", 1.0, 12, 4)
    assert "With 12 trials" in summary["verdict"]
    assert isinstance(summary["best"]["final_equity"], str)
    assert 0 <= summary["deflated_sharpe"] <= 1


def test_the_list_pages_by_key_and_filters(api: APIClient) -> None:
    made = [services.sweep_create(config=BODY).sweep_id for _ in range(3)]
    services.sweep_cancel(sweep_id=made[0])
    first = api.get("/api/v1/sweeps?limit=2").json()
    assert [row["sweep_id"] for row in first["results"]] == made[:0:-1]
    assert [row["sweep_id"] for row in api.get(first["next"]).json()["results"]] == made[:1]
    assert [row["sweep_id"] for row in api.get("/api/v1/sweeps?status=cancelled").json()["results"]] == made[:1]
    assert api.get("/api/v1/sweeps?status=lost").status_code == 400
    assert api.get("/api/v1/sweeps?cursor=x").status_code == 400


def test_trials_page_by_key_in_any_order(api: APIClient, sweep: Sweep) -> None:
    found: list[Any] = []
    url: str | None = f"/api/v1/sweeps/{sweep.sweep_id}/trials?sort=-total_return&limit=5"
    while url:
        page = api.get(url).json()
        found, url = found + page["results"], page["next"]
    returns = [row["total_return"] for row in found]
    assert len(found) == 12
    assert returns == sorted(returns, reverse=True)
    best_first = api.get(f"/api/v1/sweeps/{sweep.sweep_id}/trials?limit=1").json()["results"][0]
    assert sweep.summary is not None
    assert best_first == sweep.summary["best"]


def test_the_heat_map(api: APIClient, sweep: Sweep) -> None:
    found = api.get(f"/api/v1/sweeps/{sweep.sweep_id}/heatmap?x=slow&y=fast&metric=trades").json()
    assert (found["x_values"], found["y_values"]) == ([10, 20, 30, 40], [5, 10, 15, 20])
    assert found["cells"][1][0] is None
    assert found["cells"][0][0]["params"] == {"fast": 5, "slow": 10}


@pytest.mark.parametrize(
    "query",
    ["heatmap?x=no", "heatmap?x=fast&y=fast", "heatmap?metric=luck", "trials?sort=no", "trials?cursor=-1", "trials?limit=0"],
)
def test_bad_queries_are_refused_at_their_field(api: APIClient, sweep: Sweep, query: str) -> None:
    answer = api.get(f"/api/v1/sweeps/{sweep.sweep_id}/{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"]


def test_cancel_retry_and_delete(api: APIClient) -> None:
    path = f"sweeps/{services.sweep_create(config=BODY).sweep_id}"
    assert api.delete(f"/api/v1/{path}").status_code == 409
    assert post(api, f"{path}/cancel").json()["status"] == "cancelled"
    assert post(api, f"{path}/cancel").status_code == 409
    assert post(api, f"{path}/retry").status_code == 202
    assert Sweep.objects.get().status == Status.QUEUED
    post(api, f"{path}/cancel")
    assert api.delete(f"/api/v1/{path}").status_code == 204
    assert api.get(f"/api/v1/{path}").status_code == 404


@pytest.mark.parametrize("tail", ["", "/trials", "/heatmap"])
def test_unknown_sweeps_are_not_found(api: APIClient, tail: str) -> None:
    assert api.get(f"/api/v1/sweeps/none{tail}").status_code == 404


def test_reading_needs_one_scope_and_starting_another(vic: User, sweep: Sweep) -> None:
    _, secret = token_create(user=vic, scopes=["read"])
    client = APIClient()
    assert client.get("/api/v1/sweeps").status_code == 401
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get(f"/api/v1/sweeps/{sweep.sweep_id}").status_code == 200
    for path in ("sweeps", f"sweeps/{sweep.sweep_id}/cancel"):
        assert post(client, path, BODY).status_code == 403
    assert client.delete(f"/api/v1/sweeps/{sweep.sweep_id}").status_code == 403


@pytest.mark.parametrize("path", ["", "/trials?limit=5", "/heatmap"])
def test_queries_do_not_grow_with_the_trials(api: APIClient, django_assert_max_num_queries: Any, path: str) -> None:
    for space in ({"fast": "5:6:1", "slow": "20:30:10"}, {"fast": "5:14:1", "slow": "20:60:2"}):
        sweep = services.sweep_run(sweep_id=services.sweep_create(config={**BODY, "space": space}).sweep_id)
        with django_assert_max_num_queries(6):
            assert api.get(f"/api/v1/sweeps/{sweep.sweep_id}{path}").status_code == 200
