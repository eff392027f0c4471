"""What was earned by day, bot, symbol and strategy: sums that the database keeps, of one mode and in one currency each."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Q, Sum
from django.test.utils import CaptureQueriesContext

from tests.trading.live.fixtures import Rows, price, rows
from trading.models import Bot, BotDay, Fill, WalletDay
from trading.portfolio.held import find_held
from trading.portfolio.periods import Period
from trading.portfolio.profit import Earned, Parts, list_days, list_parts, sum_currencies, sum_months
from trading.portfolio.rates import Rates

pytestmark = [pytest.mark.django_db, pytest.mark.services]

__all__ = ["rows"]

DAY = date(2026, 3, 31)
NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
SPRING = Period("custom", date(2026, 3, 1), date(2026, 4, 30))
APART = Rates("")


def sell(rows: Rows, bot: Bot, profit: str, ts: datetime = NOON, order: dict[str, Any] | None = None, **given: Any) -> Fill:
    placed = rows.order(bot, side="sell", **(order or {}))
    return rows.fill(placed, profit=Decimal(profit), ts=ts, **given)


def parts_of(mode: str = "paper", period: Period = SPRING, rates: Rates = APART, **given: Any) -> Parts:
    return list_parts(mode, period, rates, find_held(mode), **given)


def told(found: list[Earned] | Any) -> list[tuple[str, str, str]]:
    return [(one.key, one.currency, str(one.realised.normalize())) for one in found]


def test_days_are_those_of_utc_by_the_venues_time(rows: Rows) -> None:
    bot = rows.bot()
    sell(rows, bot, "5", NOON)
    sell(rows, bot, "2", datetime(2026, 3, 31, 23, 59, 59, 999999, UTC))
    sell(rows, bot, "-1.5", datetime(2026, 4, 1, 0, 0, tzinfo=UTC))
    sell(rows, bot, "99", datetime(2026, 5, 1, 0, 0, tzinfo=UTC))
    days = list_days("paper", SPRING, APART)
    assert told(days) == [("2026-03-31", "USDT", "7"), ("2026-04-01", "USDT", "-1.5")]
    assert told(sum_months(days)) == [("2026-03", "USDT", "7"), ("2026-04", "USDT", "-1.5")]
    assert [(one.sales, one.won, one.win_rate) for one in sum_currencies(days)] == [(3, 2, 2 / 3)]


def test_money_of_one_mode_is_never_beside_that_of_another(rows: Rows) -> None:
    """A bot that began on paper and trades live now has earned something in each, and replays count nowhere."""
    bot = rows.bot(mode="live")
    sell(rows, bot, "5", order={"mode": "paper"})
    sell(rows, bot, "7")
    sell(rows, bot, "11", order={"mode": "replay"})
    found = {mode: told(list_days(mode, SPRING, APART)) for mode in ("paper", "live", "testnet", "replay")}
    assert found == {"paper": [("2026-03-31", "USDT", "5")], "live": [("2026-03-31", "USDT", "7")], "testnet": [], "replay": []}
    assert told(parts_of("live").bots) == [(bot.bot_id, "USDT", "7")]


def test_currencies_stay_apart_where_there_is_no_price(rows: Rows) -> None:
    for symbols, profit in (("BTC-USDT", "5"), ("BTC-USD", "7"), ("ETH-BTC", "0.01")):
        sell(rows, rows.bot(symbols=symbols), profit)
    assert told(list_days("paper", SPRING, APART)) == [
        ("2026-03-31", "BTC", "0.01"),
        ("2026-03-31", "USD", "7"),
        ("2026-03-31", "USDT", "5"),
    ]
    assert sorted(told(parts_of().strategies)) == [
        ("sma_cross", "BTC", "0.01"),
        ("sma_cross", "USD", "7"),
        ("sma_cross", "USDT", "5"),
    ]


def test_what_has_a_price_is_valued_at_that_of_its_day(rows: Rows) -> None:
    tether, dollars = rows.bot(symbols="BTC-USDT"), rows.bot(symbols="BTC-USD")
    sell(rows, tether, "100", NOON)
    sell(rows, tether, "100", NOON + timedelta(days=1))
    sell(rows, tether, "100", NOON + timedelta(days=2))
    sell(rows, dollars, "1")
    days = {("binance", "USDT", DAY): Decimal("0.5"), ("binance", "USDT", DAY + timedelta(days=1)): Decimal("0.9")}
    rates = Rates("USD", days | {("binance", "USD", DAY): Decimal(1)})
    assert told(list_days("paper", SPRING, rates)) == [
        ("2026-03-31", "USD", "51"),
        ("2026-04-01", "USD", "9E+1"),
        ("2026-04-02", "USDT", "1E+2"),
    ]
    assert sorted(told(parts_of(rates=rates).bots)) == [
        (tether.bot_id, "USD", "1.4E+2"),
        (tether.bot_id, "USDT", "1E+2"),
        (dollars.bot_id, "USD", "1"),
    ]


def test_what_is_held_counts_at_the_price_of_now_and_without_one_by_name(rows: Rows) -> None:
    bot = rows.bot(symbols="BTC-USDT,ETH-USDT")
    rows.position(bot, quantity="0.5", cost="50")
    rows.position(bot, "ETH-USDT", quantity="2", cost="10")
    price("BTC-USDT", "120")
    found = parts_of()
    assert [(one.key, int(one.unrealised), int(one.total)) for one in found.symbols] == [("BTC-USDT", 10, 10)]
    assert (find_held("paper").unpriced, find_held("paper").old) == (["ETH-USDT"], [])
    rated = parts_of(rates=Rates("EUR", now={("binance", "USDT"): Decimal("0.9")}))
    assert [(one.key, one.currency, int(one.unrealised)) for one in rated.strategies] == [("sma_cross", "EUR", 9)]


def test_a_strategy_is_that_of_the_run_and_not_of_what_the_bot_became(rows: Rows) -> None:
    bot = rows.bot()
    sell(rows, bot, "5")
    Bot.objects.filter(pk=bot.pk).update(strategy="grid")
    assert told(parts_of().strategies) == [("sma_cross", "USDT", "5")]


def test_of_many_bots_both_ends_are_listed(rows: Rows) -> None:
    for number in range(7):
        sell(rows, rows.bot(), str(number))
    found = parts_of(shown=2)
    assert ([int(one.realised) for one in found.bots], found.bot_count) == ([6, 5, 1, 0], 7)
    assert found.bots[0].name.startswith("bot ")
    assert len(parts_of(shown=4).bots) == 7


def test_all_lists_come_to_the_same(rows: Rows) -> None:
    """Whichever way profit and fees are told apart."""
    for number in range(24):
        bot = rows.bot(symbols=f"{'ABC'[number % 3]}-USDT", config={"strategy": "xyz"[number % 2]})
        for day in range(3):
            sell(rows, bot, str(number * 7 % 11 - 5 + day), NOON - timedelta(days=day), fee=Decimal(number))
    days, parts = list_days("paper", SPRING, APART), parts_of()
    lists = (days, sum_months(days), parts.symbols, parts.strategies, parts.bots)
    assert [len(found) for found in lists] == [3, 1, 3, 2, 24]
    sums = [[sum(getattr(one, name) for one in found) for name in ("sales", "won", "realised", "fees")] for found in lists]
    assert sums == [sums[0]] * len(lists)


def test_the_queries_are_as_many_for_one_bot_as_for_many(rows: Rows) -> None:
    def count_queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            list_days("paper", SPRING, APART)
            parts_of()
        return len(asked)

    sell(rows, rows.bot(), "1")
    few = count_queries()
    for number in range(5):
        bot = rows.bot(symbols=f"A{number}-USDT")
        sell(rows, bot, "1")
        rows.position(bot, f"A{number}-USDT")
    assert (few, count_queries()) == (4, 4)


def sums_of(model: type[BotDay] | type[WalletDay]) -> dict[str, Any]:
    names = ("sales", "won", "realised", "fees", "unvalued")
    return model.objects.aggregate(**{name: Sum(name) for name in names})


def test_the_sums_by_day_are_those_of_the_fills_whatever_is_changed_later(rows: Rows) -> None:
    """A fee whose worth is found later, and a profit with it; a fill that is taken out by hand."""
    bot = rows.bot(symbols="BTC-USDT,ETH-USDT")
    bought = rows.fill(rows.order(bot), fee=None, fee_asset="BNB", fee_paid=Decimal("0.001"), ts=NOON)
    best = sell(rows, bot, "9", fee=None, fee_asset="BNB")
    sell(rows, bot, "4")
    sell(rows, bot, "-3", symbol="ETH-USDT", order={"symbol": "ETH-USDT"})
    Fill.objects.filter(pk=bought.pk).update(fee=Decimal("0.3"))
    Fill.objects.filter(pk=best.pk).update(fee=Decimal("0.5"), profit=Decimal("-1"))
    rows.fill(rows.order(bot), ts=NOON).delete()
    of_fills = Fill.objects.aggregate(
        sales=Count("profit"),
        won=Count("pk", filter=Q(profit__gt=0)),
        realised=Sum("profit"),
        fees=Sum("fee"),
        unvalued=Count("pk", filter=Q(fee=None)),
    )
    assert sums_of(BotDay) == sums_of(WalletDay) == of_fills
    assert of_fills["unvalued"] == 0
    ends = BotDay.objects.order_by("symbol").values_list("symbol", "best", "worst")
    assert list(ends) == [("BTC-USDT", 4, -1), ("ETH-USDT", -3, -3)]
