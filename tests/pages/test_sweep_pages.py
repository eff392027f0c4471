"""The pages of sweeps, without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from backtests.models import Status, Sweep
from backtests.sweeps import services
from backtests.sweeps.forms import text_of
from engine.types import Candles
from tests.backtests.fixtures import CONFIG, ada, candles, hold, storage_folder, vic

__all__ = ["ada", "candles", "hold", "storage_folder", "vic"]
pytestmark = pytest.mark.django_db
GRID = {**CONFIG, "params": {}, "space": {"fast": "5:20:5", "slow": "10:40:10"}}
FORM = {
    "strategy": "sma_cross",
    "venue": "binance",
    "symbols": "ETH-BTC",
    "interval": "5m",
    "space.fast": "5:20:5",
    "space.slow": "10:40:10",
}
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def market(storage_folder: Path, hold: Callable[..., Candles]) -> Candles:
    return hold(count=9_600)


@pytest.fixture
def desk(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


@pytest.fixture
def sweep() -> Sweep:
    return services.sweep_run(sweep_id=services.sweep_create(config=GRID).sweep_id)


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_an_empty_list_says_what_to_do(desk: Client) -> None:
    answer = desk.get("/backtests/sweeps/")
    assert "No sweep yet" in text(answer)
    assert "/backtests/sweeps/new/" in answer.content.decode()


def test_the_form_begins_with_the_declared_ranges(desk: Client) -> None:
    answer = desk.get("/backtests/sweeps/new/").content.decode()
    assert 'name="space.fast" value="5:24:1"' in answer
    assert 'name="space.slow" value="30:125:5"' in answer


def test_another_strategy_brings_its_own(desk: Client) -> None:
    answer = desk.get("/backtests/sweeps/new/?part=strategy&strategy=momentum", headers=HTMX).content.decode()
    assert 'name="space.lookback" value="10:60:5"' in answer
    assert 'name="space.higher" value="4h"' in answer


def test_the_trials_are_counted_before_anything_is_started(desk: Client) -> None:
    answer = desk.post("/backtests/sweeps/new/", {**FORM, "part": "check"}, headers=HTMX)
    assert "12 trials" in text(answer)
    assert "4 that the strategy refuses" in text(answer)
    assert not Sweep.objects.exists()


@pytest.mark.parametrize(
    ("changes", "words", "target"),
    [
        ({"space.fast": "25:5:1"}, "after its stop", "id_space-fast"),
        ({"space.fast": "x"}, "whole number", "id_space-fast"),
        ({"space.slow": "2:4000:1", "space.fast": "1:4000:1"}, "at most 20,000", "strategy-part"),
        ({"method": "random", "trials": "0"}, "from 1 to 20000", "id_trials"),
        ({"cash": "-1"}, "above 0", "id_cash"),
        ({"interval": "1m"}, "cannot be made", "id_interval"),
    ],
)
def test_faults_stand_at_their_inputs(desk: Client, changes: dict[str, str], words: str, target: str) -> None:
    for extra in ({"part": "check"}, {}):
        answer = desk.post("/backtests/sweeps/new/", {**FORM, **changes, **extra}, headers=HTMX)
        assert words in text(answer)
        assert f'href="#{target}"' in answer.content.decode()
    assert answer.status_code == 422
    assert not Sweep.objects.exists()


def test_started_it_leads_to_its_page_which_fills_as_trials_come(desk: Client) -> None:
    answer = desk.post("/backtests/sweeps/new/", {**FORM, "name": "First"}, headers=HTMX)
    sweep = Sweep.objects.get()
    address = f"/backtests/sweeps/{sweep.sweep_id}/"
    assert answer.headers["HX-Redirect"] == address
    assert "Waiting for a worker" in text(desk.get(address))
    services.chunk_execute(sweep_id=sweep.sweep_id, index=0)
    assert "2 of 12 trials" in text(desk.get(f"{address}?part=sweep", headers=HTMX))
    services.sweep_run(sweep_id=sweep.sweep_id)
    assert "First completed" in text(desk.get(address))


def test_one_fixed_value_is_not_searched(desk: Client) -> None:
    desk.post("/backtests/sweeps/new/", {**FORM, "space.slow": "40"})
    sweep = Sweep.objects.get()
    assert (sweep.config["params"], sweep.space) == ({"slow": 40}, {"fast": [5, 10, 15, 20]})


def test_the_best_stands_beside_the_trials_and_what_luck_gives(desk: Client, sweep: Sweep) -> None:
    shown = text(desk.get(f"/backtests/sweeps/{sweep.sweep_id}/"))
    assert sweep.summary is not None
    assert f"Best Sharpe ratio {sweep.summary['best']['sharpe']:,.2f}".replace("-", "−") in shown
    assert re.search(r"Trials made .{0,120} 12 ", shown)
    assert "Deflated Sharpe ratio" in shown
    assert "With 12 trials a best Sharpe ratio of" in shown


def test_every_trial_has_its_cell_and_leads_to_a_run_of_its_own(desk: Client, sweep: Sweep) -> None:
    shown = desk.get(f"/backtests/sweeps/{sweep.sweep_id}/").content.decode()
    heat = shown[shown.index('<table class="heat') : shown.index("</table>", shown.index('<table class="heat'))]
    links = re.findall(r'href="(/backtests/sweeps/[^"]+/new/)"', heat)
    assert len(links) == len(set(links)) == 12
    assert heat.count("no trial") == 4
    assert heat.count(" best") >= 1
    trial = sweep.results.get(index=5)
    form = desk.get(f"/backtests/sweeps/{sweep.sweep_id}/trials/5/new/").content.decode()
    for name, value in trial.params.items():
        assert re.search(rf'name="params.{name}" value="{value}"', form)


def test_other_axes_and_figures(desk: Client, sweep: Sweep) -> None:
    answer = desk.get(f"/backtests/sweeps/{sweep.sweep_id}/?part=heatmap&x=slow&y=slow&metric=trades", headers=HTMX)
    assert "Trades by slow (across) and fast" in text(answer)


def test_trials_sort_and_page(desk: Client) -> None:
    made = services.sweep_create(config={**GRID, "space": {"fast": "2:11:1", "slow": "20:80:10"}})
    services.sweep_run(sweep_id=made.sweep_id)
    address = f"/backtests/sweeps/{made.sweep_id}/"
    first = desk.get(f"{address}?part=trials&sort=trades", headers=HTMX).content.decode()
    more = re.search(r'hx-get="([^"]+part=rows[^"]+)"', first)
    assert more
    rest = desk.get(more[1].replace("&amp;", "&"), headers=HTMX).content.decode()
    assert first.count('scope="row"') + rest.count('scope="row"') == 70
    assert 'aria-sort="ascending"' in first


def test_clone_keeps_ranges_and_settings(desk: Client, sweep: Sweep) -> None:
    form = desk.get(f"/backtests/sweeps/new/?clone={sweep.sweep_id}").content.decode()
    assert 'name="space.fast" value="5:20:5"' in form
    assert 'name="cash" value="10000"' in form


@pytest.mark.parametrize(
    ("values", "text"), [([5, 10, 15, 20], "5:20:5"), ([1, 2], "1,2"), ([0.1, 0.2, 0.3, 0.4], "0.1,0.2,0.3,0.4"), ([True], "true")]
)
def test_values_are_written_as_a_person_would(values: list[Any], text: str) -> None:
    assert text_of(values) == text


def test_cancel_retry_delete(desk: Client) -> None:
    sweep = services.sweep_create(config=GRID)
    address = f"/backtests/sweeps/{sweep.sweep_id}/"
    assert desk.post(f"{address}delete/").status_code == 409
    desk.post(f"{address}cancel/")
    assert Sweep.objects.get().status == Status.CANCELLED
    assert "No trial was made" in text(desk.get(address))
    desk.post(f"{address}retry/")
    assert Sweep.objects.get().status == Status.QUEUED
    desk.post(f"{address}cancel/")
    assert desk.post(f"{address}delete/").status_code == 302
    assert not Sweep.objects.exists()


def test_who_may_only_look_sees_no_buttons_and_is_refused(client: Client, vic: User, sweep: Sweep) -> None:
    client.force_login(vic)
    shown = client.get(f"/backtests/sweeps/{sweep.sweep_id}/")
    assert shown.status_code == 200
    assert "Delete" not in text(shown)
    assert client.get("/backtests/sweeps/new/").status_code == 403
    for act in ("cancel", "retry", "delete"):
        assert client.post(f"/backtests/sweeps/{sweep.sweep_id}/{act}/").status_code == 403


def test_the_admin_lists_shows_and_cancels(client: Client, sweep: Sweep) -> None:
    client.force_login(User.objects.create_superuser("root"))
    queued = services.sweep_create(config=GRID)
    listed = text(client.get("/admin/backtests/sweep/"))
    assert "12 of 12" in listed
    assert "With 12 trials" in text(client.get(f"/admin/backtests/sweep/{sweep.pk}/change/"))
    client.post("/admin/backtests/sweep/", {"action": "cancel", "_selected_action": [sweep.pk, queued.pk]})
    queued.refresh_from_db()
    assert queued.status == Status.CANCELLED
    client.post("/admin/backtests/sweep/", {"action": "delete_sweeps", "_selected_action": [queued.pk]})
    assert Sweep.objects.count() == 1
    assert client.get("/admin/backtests/sweep/add/").status_code == 403
