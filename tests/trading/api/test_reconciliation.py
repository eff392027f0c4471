"""Reconciliation over the API: begun, listed, and a drift resolved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from tests.wallets.making import account, paper
from wallets.models import Drift, ReconciliationRun, Wallet
from wallets.services import wallet_create
from wallets.services.drifts import FoundDrift, drifts_note
from wallets.services.reconciliations import reconciliation_begin, reconciliation_end

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/wallets"


@pytest.fixture
def wallet() -> Wallet:
    return make_wallet("Main")


def make_wallet(name: str) -> Wallet:
    return wallet_create(name=name, kind="exchange", quote="USDT", account=account())


def reconcile(wallet: Wallet, *assets: str) -> list[Drift]:
    """A run that has found a difference in each of the assets."""
    run = reconciliation_begin(wallet=wallet, trigger="page")
    with transaction.atomic():
        found = [FoundDrift("balance", one, Decimal(0), Decimal(5), "unknown", value=Decimal(5)) for one in assets]
        noted = drifts_note(run, found)
        reconciliation_end(run, "drift" if assets else "clean", drifts=len(assets))
    return noted.standing


def test_a_run_is_begun_and_handed_to_the_workers(api: APIClient, wallet: Wallet) -> None:
    answer = api.post(f"{ROOT}/reconcile", {"wallet": wallet.wallet_id, "alert": {"value": "5"}}, format="json")
    assert answer.status_code == 202
    run = ReconciliationRun.objects.get()
    assert [one["run_id"] for one in answer.json()["runs"]] == [run.run_id]
    assert (run.trigger, run.alert["value"], run.hold["value"]) == ("api", "5", "1000")


def test_all_wallets_that_have_a_venue_are_begun_and_no_other(api: APIClient) -> None:
    names = {make_wallet(f"wallet {number}").wallet_id for number in range(3)}
    paper()
    answer = api.post(f"{ROOT}/reconcile", {}, format="json")
    assert {one["wallet"] for one in answer.json()["runs"]} == names
    assert api.post(f"{ROOT}/reconcile", {}, format="json").json()["runs"] == []


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"wallet": "none"}, 404, ""),
        ({"alert": {"share": 2}}, 400, "alert.share"),
        ({"hold": 5}, 400, "hold"),
        ({"threshold": "5"}, 400, "threshold"),
    ],
)
def test_a_bad_request_is_refused_by_name(api: APIClient, wallet: Wallet, body: dict[str, Any], status: int, field: str) -> None:
    answer = api.post(f"{ROOT}/reconcile", body, format="json")
    assert answer.status_code == status
    assert field in answer.json()["error"]["fields"] or not field
    assert not ReconciliationRun.objects.exists()


def test_a_wallet_that_is_being_reconciled_and_one_of_paper_are_conflicts(api: APIClient, wallet: Wallet) -> None:
    reconciliation_begin(wallet=wallet, trigger="page")
    for one in (wallet, paper()):
        assert api.post(f"{ROOT}/reconcile", {"wallet": one.wallet_id}, format="json").status_code == 409


def test_history_and_drifts_are_filtered_and_paged_in_a_constant_number_of_queries(
    api: APIClient, wallet: Wallet, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    reconcile(wallet, "BTC", "ETH", "USDT")
    reconcile(make_wallet("Other"))
    for path in ("reconcile/history", "drifts"):
        with django_assert_num_queries(2):  # the token, and the list
            api.get(f"{ROOT}/{path}")
    assert len(api.get(f"{ROOT}/reconcile/history?state=clean").json()["results"]) == 1
    page = api.get(f"{ROOT}/drifts?wallet={wallet.wallet_id}&state=open&limit=2").json()
    assert [one["asset"] for one in page["results"]] == ["USDT", "ETH"]
    assert [one["asset"] for one in api.get(page["next"]).json()["results"]] == ["BTC"]


def test_a_drift_is_resolved_once(api: APIClient, wallet: Wallet) -> None:
    [drift] = reconcile(wallet, "USDT")
    url = f"{ROOT}/drifts/{drift.pk}/resolve"
    for _ in range(2):
        answer = api.post(url, {"action": "adopt"}, format="json")
        assert (answer.status_code, answer.json()["state"], answer.json()["action"]) == (200, "resolved", "adopt")
    assert wallet.balances.get().amount == 5
    assert api.post(url, {"action": "ignore", "reason": "known", "until": "2090-01-01"}, format="json").status_code == 409
    assert api.post(f"{ROOT}/drifts/{drift.pk + 1}/resolve", {"action": "adopt"}, format="json").status_code == 404


def test_a_viewer_may_look_and_not_act(client: Client, vic: User, wallet: Wallet) -> None:
    client.force_login(vic)
    [drift] = reconcile(wallet, "USDT")
    assert client.get(f"{ROOT}/drifts").status_code == 200
    for path, body in (("reconcile", {}), (f"drifts/{drift.pk}/resolve", {"action": "adopt"})):
        assert client.post(f"{ROOT}/{path}", body, content_type="application/json").status_code == 403
