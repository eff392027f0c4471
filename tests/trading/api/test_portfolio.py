"""The portfolio over the API: one kind of money, one period, told as the document says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from tests.trading.live.fixtures import Rows, price
from tests.trading.portfolio.test_profit import sell
from tests.trading.portfolio.test_report import hold
from wallets.models import ValueSnapshot

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def told(client: APIClient, path: str = "portfolio", **asked: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/{path}", asked)
    assert answer.status_code == 200, answer.content
    found: dict[str, Any] = answer.json()
    return found


def trade(rows: Rows) -> None:
    bot = rows.bot(wallet=hold(rows.wallet(), USDT="1000", BTC="2", XYZ="1"))
    price("BTC-USDT", "100")
    price("USDT-USD", "1")
    sell(rows, bot, "5", timezone.now())
    sell(rows, bot, "3", timezone.now() - timedelta(days=40))
    rows.position(bot, quantity="1", cost="90")


def test_the_portfolio_is_that_of_the_most_real_money_and_thirty_days(api: APIClient, rows: Rows) -> None:
    trade(rows)
    found = told(api)
    assert (found["mode"], found["currency"], found["period"]["name"]) == ("paper", "USD", "30d")
    assert (found["worth"]["value"], found["worth"]["unpriced"]) == ("1200", ["XYZ"])
    assert [(one["currency"], one["realised"], one["unrealised"], one["total"]) for one in found["profit"]["totals"]] == [
        ("USD", "5", "10", "15")
    ]
    assert [one["sales"] for one in found["profit"]["bots"]] == [1]
    assert found["extremes"]["best_sales"][0]["profit"] == "5"


def test_a_longer_period_has_more_and_what_no_price_leads_from_stays_apart(api: APIClient, rows: Rows) -> None:
    trade(rows)
    totals = {one["currency"]: one["realised"] for one in told(api, period="all")["profit"]["totals"]}
    assert totals == {"USD": "5", "USDT": "3"}
    day = (timezone.now() - timedelta(days=40)).date().isoformat()
    found = told(api, **{"from": day, "to": day})["profit"]
    assert [(one["key"], one["realised"]) for one in found["days"]] == [(day, "3")]
    assert [one["key"] for one in found["months"]] == [day[:7]]


@pytest.mark.parametrize(
    ("asked", "field"),
    [({"mode": "replay"}, "mode"), ({"period": "1h"}, "period"), ({"from": "2026-02-01", "to": "2026-01-01"}, "to")],
)
def test_what_cannot_be_asked_is_refused_by_name(api: APIClient, asked: dict[str, str], field: str) -> None:
    answer = api.get("/api/v1/portfolio", asked)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]


def test_a_mode_without_wallets_is_empty(api: APIClient, rows: Rows) -> None:
    trade(rows)
    found = told(api, mode="live")
    assert (found["worth"]["wallets"], found["worth"]["value"], found["profit"]["days"]) == (0, "0", [])
    assert Decimal(found["worth"]["value"]) == 0


def test_the_history_has_returns_with_what_was_paid_in_taken_out(api: APIClient, rows: Rows) -> None:
    wallet, midnight = rows.wallet(), timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    for days, value, paid_in in ((2, 100, 100), (1, 1100, 1100), (0, 1210, 1100)):
        at = midnight - timedelta(days=days)
        ValueSnapshot.objects.create(wallet=wallet, currency="USD", ts=at, value=Decimal(value), paid_in=Decimal(paid_in))
    found = told(api, "portfolio/history")
    assert found["time_weighted"] == {"value": pytest.approx(0.1), "yearly": None, "why": None}
    assert (found["gained"], found["paid_in"], found["drawdown"]["depth"]) == ("110", "1000", 0)
    assert [(one["value"], one["flow"]) for one in found["points"]] == [("100", "0"), ("1100", "1000"), ("1210", "0")]
    empty = told(api, "portfolio/history", mode="live")
    assert (empty["points"], empty["drawdown"], empty["money_weighted"]["value"]) == ([], None, None)
    assert api.get("/api/v1/portfolio/history", {"points": "1"}).status_code == 400
