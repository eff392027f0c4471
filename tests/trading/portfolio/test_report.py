"""The whole picture: where the money is, what venues took, the best and the worst, and what is left out by name."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.errors import Invalid
from core.fields import Fields
from tests.trading.live.fixtures import Rows, price, rows
from tests.trading.portfolio.test_profit import sell
from tests.wallets.prices import store_closes
from trading.models import Bot
from trading.portfolio.periods import EARLIEST, Period, make_period, read_period
from trading.portfolio.report import PortfolioReport, list_money, report_portfolio
from trading.portfolio.writing import report_json
from wallets.models import ExchangeAccount, Reporting, Wallet, WalletBalance

pytestmark = [pytest.mark.django_db, pytest.mark.services]

__all__ = ["rows"]

TODAY = date(2026, 4, 30)


@pytest.fixture(autouse=True)
def storage_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


def hold(wallet: Wallet, **amounts: str) -> Wallet:
    for asset, amount in amounts.items():
        WalletBalance.objects.create(wallet=wallet, asset=asset, amount=Decimal(amount))
    return wallet


def report(mode: str = "paper", period: Period | None = None, **given: Any) -> PortfolioReport:
    return report_portfolio(mode, period or make_period("all", timezone.now().date()), list_money().get(mode, []), **given)


def shares(found: Any) -> list[tuple[str, str, float | None]]:
    return [(one.name, str(one.value and one.value.normalize()), one.share) for one in found]


def test_the_money_is_shared_out_by_asset_wallet_and_venue(rows: Rows) -> None:
    hold(rows.wallet(name="Large"), USDT="250", BTC="2", XYZ="7")
    hold(rows.wallet(name="Small", venue="coinbase"), USD="50")
    hold(rows.wallet(name="Old", archived=True), USD="999")
    price("BTC-USDT", "100")
    price("USDT-USD", "1")
    found = report()
    assert (int(found.worth.value), found.worth.unpriced) == (500, ("XYZ",))
    assert shares(found.allocation.assets) == [
        ("USDT", "2.5E+2", 0.5),
        ("BTC", "2E+2", 0.4),
        ("USD", "5E+1", 0.1),
        ("XYZ", "None", None),
    ]
    assert shares(found.allocation.wallets) == [("Large", "4.5E+2", 0.9), ("Small", "5E+1", 0.1)]
    assert shares(found.allocation.venues) == [("binance", "4.5E+2", 0.9), ("coinbase", "5E+1", 0.1)]


def test_a_bot_has_its_equity_and_a_stopped_one_what_it_holds(rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="4000")
    price("USDT-USD", "1")
    price("BTC-USDT", "120")
    trades, stopped = rows.bot(wallet=wallet), rows.bot(wallet=wallet, wanted="stopped", strategy="grid")
    for one in (trades, stopped):
        rows.position(one, quantity="0.5", cost="50", realised=Decimal(5))
    rows.position(stopped, "NEW-USDT", quantity="1", cost="20")
    rows.bot(running=False, wallet=wallet)
    rows.bot(wallet=wallet, archived_at=timezone.now())
    found = report().allocation
    assert shares(found.bots) == [(trades.name, "1015", 1015 / 4000), (stopped.name, "8E+1", 0.02)]
    assert shares(found.strategies) == [("sma_cross", "1015", 1015 / 4000), ("grid", "8E+1", 0.02)]
    assert (found.bot_count, len(report(shown=1).allocation.bots)) == (2, 1)


def test_kinds_of_money_are_told_the_most_real_first_and_never_together(rows: Rows) -> None:
    hold(rows.wallet(), USD="1")
    account = ExchangeAccount.objects.create(name="Real", venue="binance", environment="live")
    hold(rows.wallet(kind="exchange", account=account, maker=None, taker=None), USD="2")
    assert list(list_money()) == ["live", "paper"]
    assert [int(report(mode).worth.value) for mode in ("live", "paper", "testnet")] == [2, 1, 0]


def test_profit_is_valued_by_the_closes_of_its_days_and_what_has_none_stays_apart(rows: Rows) -> None:
    day = datetime(2026, 3, 1, tzinfo=UTC)
    store_closes("USDT-USD", [0.5, 0.9], start=day, interval="1d")
    bot = rows.bot()
    for number in range(4):
        sell(rows, bot, "100", day + timedelta(days=number, hours=5))
    found = report()
    kept = [(one.key, one.currency, int(one.realised)) for one in found.days]
    assert kept == [
        ("2026-03-01", "USD", 50),
        ("2026-03-02", "USD", 90),
        ("2026-03-03", "USD", 90),  # the close of a day before still counts
        ("2026-03-04", "USDT", 100),
    ]
    assert [(one.currency, int(one.realised)) for one in found.totals] == [("USD", 230), ("USDT", 100)]
    Reporting.objects.create(currency="USDT")
    assert [(one.currency, int(one.realised)) for one in report().totals] == [("USDT", 400)]


def test_fees_are_told_by_venue_month_and_asset(rows: Rows) -> None:
    bot = rows.bot()
    march, april = datetime(2026, 3, 31, 23, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    for ts, asset, paid, worth in (
        (march, "BNB", "0.001", "0.5"),
        (march, "BNB", "0.002", None),
        (march, "USDT", "0.25", "0.25"),
        (april, "BNB", "0.004", "2"),
        (april, "BTC", "0", "0"),
    ):
        rows.fill(rows.order(bot), ts=ts, fee_asset=asset, fee_paid=Decimal(paid), fee=None if worth is None else Decimal(worth))
    found = [(one.month, one.venue, one.asset, str(one.paid.normalize()), float(one.value), one.unvalued) for one in report().fees]
    assert found == [
        ("2026-04", "binance", "BNB", "0.004", 2.0, 0),
        ("2026-03", "binance", "BNB", "0.003", 0.5, 1),
        ("2026-03", "binance", "USDT", "0.25", 0.25, 0),
    ]


def test_the_best_and_the_worst_sales_and_days_are_found_among_many(rows: Rows) -> None:
    """Several of the best are of one bot on one day, and one in a currency that cannot be compared."""
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    bots = [rows.bot() for _ in range(3)]
    profits = {0: ["90", "80", "70", "-5"], 1: ["60", "1", "2"], 2: ["-50", "-60", "3"]}
    for number, made in profits.items():
        for profit in made:
            sell(rows, bots[number], profit, start + timedelta(days=number))
    sell(rows, rows.bot(symbols="ETH-BTC"), "9999", start)
    sell(rows, bots[0], "9999", start, order={"mode": "testnet"})
    found = report().extremes
    assert found.currency == "USDT"
    assert [int(one.profit) for one in found.best_sales] == [90, 80, 70, 60, 3]
    assert [int(one.profit) for one in found.worst_sales] == [-60, -50, -5, 1, 2]
    assert [(one.key, int(one.realised)) for one in found.best_days] == [
        ("2026-03-01", 235),
        ("2026-03-02", 63),
        ("2026-03-03", -107),
    ]
    assert found.worst_days[0].key == "2026-03-03"
    assert found.best_sales[0].bot_name == bots[0].name


def test_a_desk_of_nothing_has_a_report_too(rows: Rows) -> None:
    told = report_json(report())
    assert (told["worth"]["value"], told["profit"]["totals"], told["fees"]) == ("0", [], [])
    assert told["extremes"]["best_sales"] == []


def test_the_queries_are_as_many_for_a_busy_desk_as_for_a_small_one(rows: Rows) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            report()
        return len(asked)

    def trade(bot: Bot) -> None:
        hold(bot.wallet, USDT="100", BTC="1")
        sell(rows, bot, "1", timezone.now())
        sell(rows, bot, "1", timezone.now() - timedelta(days=3))
        rows.position(bot)

    price("BTC-USDT", "100")
    trade(rows.bot())
    few = count_queries()
    for number in range(5):
        trade(rows.bot(strategy=f"s{number}"))
    assert (few, count_queries()) == (17, 17)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ({}, date(2026, 4, 1), TODAY),
        ({"period": "7d"}, date(2026, 4, 24), TODAY),
        ({"period": "all"}, EARLIEST, TODAY),
        ({"from": "2026-01-01", "to": "2026-02-01"}, date(2026, 1, 1), date(2026, 2, 1)),
        ({"period": "custom", "to": "2026-02-01T10:00:00Z"}, EARLIEST, date(2026, 2, 1)),
        ({"from": "1970-01-01", "to": "2999-01-01"}, EARLIEST, TODAY),
    ],
)
def test_a_period_is_a_word_or_two_days(asked: dict[str, str], first: date, last: date) -> None:
    form = Fields(asked)
    found = read_period(form, TODAY)
    form.refuse("no")
    assert (found.first, found.last) == (first, last)
    again = Fields(found.query)
    assert read_period(again, TODAY) == found
    assert (found.end - found.start).days == (last - first).days + 1


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"period": "8d"}, "period"),
        ({"period": "custom"}, "from"),
        ({"period": "7d", "from": "2026-01-01"}, "period"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, "to"),
        ({"from": "2026-05-01"}, "from"),
        ({"from": "yesterday"}, "from"),
    ],
)
def test_a_period_that_cannot_be_is_refused_with_the_remedy(asked: dict[str, str], field: str) -> None:
    form = Fields(asked)
    read_period(form, TODAY)
    with pytest.raises(Invalid) as refused:
        form.refuse("no")
    assert field in refused.value.fields
