"""Records say what they are asked for, also of the time before they were: budgets that nobody set, claims, snapshots."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module

import pytest
from django.db import IntegrityError, connection, transaction

from core.errors import Invalid
from tests.trading.live.fixtures import Rows, broker_address, rows
from trading import selectors
from trading.models import BlockEvent, Bot, PositionSnapshot, RiskAllocation, RiskBudget
from trading.services.budgets import budget_claim, budgets_ensure
from trading.services.equity import equity_record
from trading.setup.limits import parse_limits

__all__ = ["broker_address", "rows"]
pytestmark = pytest.mark.django_db
MIGRATION = import_module("trading.migrations.0007_books_records")
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def limits_of(bot: Bot, quote: str) -> dict[str, Decimal | None]:
    ids = budgets_ensure(bot, parse_limits({}), quote)
    return dict(RiskBudget.objects.filter(pk__in=ids).values_list("scope", "limit"))


def test_a_budget_that_nobody_set_is_none_and_no_number(rows: Rows) -> None:
    bot = rows.bot()
    assert limits_of(bot, "USDT") == {"bot": None, "wallet": 1_000_000, "desk": 1_000_000}
    assert limits_of(bot, "BTC") == {"bot": None, "wallet": None, "desk": None}
    ids = budgets_ensure(bot, parse_limits({}), "BTC")
    assert budget_claim(ids, Decimal(10) ** 9) is None
    RiskBudget.objects.filter(scope="wallet", currency="BTC").update(limit=Decimal(10) ** 9 + 1)
    denial = budget_claim(ids, Decimal(2))
    assert denial
    assert denial.reason == "wallet_budget"
    shown = {one["scope"]: one for one in map(selectors.budget_json, selectors.risk_budgets()) if one["currency"] == "BTC"}
    assert (shown["bot"]["limit"], shown["bot"]["free"], shown["bot"]["share"]) == (None, None, None)
    assert shown["wallet"]["free"] == "1"


def test_where_real_money_is_at_risk_a_limit_must_be_named(rows: Rows) -> None:
    bot = rows.bot(mode="live")
    with pytest.raises(Invalid, match="There is no BTC risk budget"):
        budgets_ensure(bot, parse_limits({}), "BTC")
    with pytest.raises(IntegrityError, match="budget_limit_named_for_live"), transaction.atomic():
        rows.budget("desk", mode="live", currency="BTC", limit=None)


def test_an_older_desks_claims_are_given_back_as_far_as_what_they_bought_was_sold(rows: Rows) -> None:
    """225 stayed used for ever. What is still held is of the newest purchases."""
    bot, sold = rows.bot(), rows.bot()
    for one in (bot, bot, bot, sold):
        rows.claim(rows.order(one), released=0)
    rows.position(bot, cost="70")
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.GIVEN_BACK)
    found = RiskAllocation.objects.order_by("id")
    assert [(one.used, one.released, str(one.status)) for one in found] == [
        (0, 50, "released"),
        (20, 30, "used"),
        (50, 0, "used"),
        (0, 50, "released"),
    ]


def test_older_snapshots_and_budgets_get_what_they_lacked(rows: Rows) -> None:
    bot = rows.bot()
    rows.equity(bot, NOON, "1000")
    bot.equity_points.update(run_id="run")
    made = {"symbol": "BTC-USDT", "quantity": 2, "price": 60, "value": 120, "unrealised": 20}
    PositionSnapshot.objects.create(bot=bot, ts=NOON, run_id="", average_entry=0, **made)
    rows.budget("bot", bot=bot, limit=Decimal(10) ** 15)
    with connection.cursor() as cursor:
        cursor.execute(MIGRATION.AVERAGES)
        cursor.execute(MIGRATION.OWN_EQUITY)
    snapshot = PositionSnapshot.objects.get()
    assert (snapshot.run_id, snapshot.average_entry) == ("run", 50)
    assert RiskBudget.objects.get().limit is None


def test_a_snapshot_names_its_run_and_the_average_entry(rows: Rows) -> None:
    bot = rows.bot()
    assert bot.run
    rows.position(bot, quantity="0.5", cost="50")
    rows.position(bot, "ETH-USDT", quantity="0.00001", cost="0.1", dust=True)
    prices = {"BTC-USDT": Decimal(120), "ETH-USDT": Decimal(3000)}
    equity_record([(bot, bot.run, Decimal(1000), Decimal(950))], prices, at=NOON)
    snapshot = PositionSnapshot.objects.get()
    assert (snapshot.symbol, snapshot.run_id, snapshot.average_entry) == ("BTC-USDT", bot.run.run_id, 100)
    assert (snapshot.value, snapshot.unrealised) == (60, 10)


def test_blocks_are_found_by_time_and_reason_and_by_run() -> None:
    columns = {tuple(one.fields) for one in BlockEvent._meta.indexes}
    assert {("ts", "reason"), ("run_id", "-id")} <= columns
