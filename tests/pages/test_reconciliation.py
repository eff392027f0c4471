"""The page *Reconciliation* without a browser: what it shows, that many rows cost no more queries, and what is resolved from it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.pages import live_rows
from tests.people import make_person
from wallets.models import Drift, ReconciliationRun, Wallet

pytestmark = [pytest.mark.django_db, pytest.mark.services]
PAGE = "/wallets/reconciliation/"
HTMX: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def trader() -> Client:
    client = Client()
    client.force_login(make_person("trader", "trader", is_staff=True))
    return client


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("viewer"))
    return client


def text_of(client: Client, path: str = PAGE, **given: Any) -> str:
    answer = client.get(path, **given)
    assert answer.status_code == 200
    return answer.content.decode()


def act(drift: Drift) -> str:
    return f"{PAGE}drifts/{drift.pk}/"


def test_an_empty_page_says_that_nothing_differs(trader: Client) -> None:
    shown = text_of(trader)
    assert "Nothing differs" in shown
    assert "Nothing has been compared yet" in shown


def test_open_drifts_come_first_with_their_causes_and_evidence(trader: Client) -> None:
    live_rows.drifts()
    shown = text_of(trader)
    for words in ("fill missed", "holds its bots", "BTC-USDT:77:buy", "no row of the venue explains it", "order unknown to us"):
        assert words in shown
    assert "fills of DOGE-USDT: no answer within 20 s" in shown
    assert shown.index('id="part-drifts"') < shown.index('id="part-runs"')


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ({"action": "adopt", "until": "", "reason": "", "amount": ""}, "resolved"),
        ({"action": "ignore", "until": "2090-01-01", "reason": "staked", "amount": "7"}, "ignored"),
        ({"action": "correct", "amount": "4.5", "reason": "the venue confirmed it", "until": ""}, "resolved"),
    ],
)
def test_a_drift_is_resolved_in_place(trader: Client, decision: dict[str, str], state: str) -> None:
    drift = live_rows.drifts(assets=["USDT"])[0]
    answer = trader.post(act(drift), decision, **HTMX)
    assert (answer.status_code, 'id="part-drifts"' in answer.content.decode()) == (200, True)
    drift.refresh_from_db()
    assert (drift.state, str(drift.ended_by)) == (state, "trader")


def test_a_decision_that_cannot_be_made_says_why(trader: Client) -> None:
    drift = live_rows.drifts(assets=["USDT"])[0]
    answer = trader.post(act(drift), {"action": "ignore", "reason": "staked"}, **HTMX)
    assert answer.status_code == 400
    assert "in the future" in answer.content.decode()
    drift.refresh_from_db()
    assert drift.state == "open"


def test_reconcile_now_begins_a_run_of_the_wallet(trader: Client) -> None:
    wallet = live_rows.exchange_wallet("At a venue")
    trader.post(f"{PAGE}now/", {"wallet": wallet.wallet_id})
    run = ReconciliationRun.objects.get()
    assert (run.wallet, run.trigger, run.started_by) == (wallet, "page", "trader")


def test_a_viewer_may_look_and_not_act(viewer: Client) -> None:
    drift = live_rows.drifts()[0]
    shown = text_of(viewer)
    assert f'action="{PAGE}' not in shown
    assert "fill missed" in shown
    assert {viewer.post(path).status_code for path in (act(drift), f"{PAGE}now/")} == {403}


def test_many_drifts_wallets_and_runs_cost_no_more_queries(trader: Client) -> None:
    live_rows.drifts()
    few = {path: count_queries(trader, path) for path in (PAGE, "/wallets/")}
    for number in range(6):
        live_rows.drifts(f"wallet {number}")
    assert {path: count_queries(trader, path) for path in few} == few


def count_queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        text_of(client, path)
    return len(asked)


def test_the_list_of_wallets_says_how_each_stands(trader: Client) -> None:
    live_rows.drifts()
    live_rows.exchange_wallet("Never asked")
    shown = text_of(trader, "/wallets/")
    assert "drift, bots hold" in shown
    assert "not compared yet" in shown
    wallet = Wallet.objects.get(name="At a venue")
    assert "drift, bots hold" in text_of(trader, f"/wallets/{wallet.wallet_id}/")


def test_the_admin_ignores_many_and_adopts_rounding_alone(client: Client) -> None:
    client.force_login(make_person("trader", "trader", is_staff=True))
    live_rows.drifts(assets=["BTC", "USDT"])
    Drift.objects.filter(asset="BTC").update(cause="rounding")
    keys = list(Drift.objects.values_list("pk", flat=True))
    for action in ("adopt_rounding", "ignore_week"):
        answer = client.post("/admin/wallets/drift/", {"action": action, "_selected_action": keys}, follow=True)
        assert answer.status_code == 200
    assert dict(Drift.objects.values_list("asset", "state").exclude(about="order")) == {"BTC": "resolved", "USDT": "ignored"}
    assert client.get(f"/admin/wallets/drift/{keys[0]}/change/").status_code == 200
