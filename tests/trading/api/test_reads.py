"""The running desk in figures: values from prices, filters in the database, a pinned number of queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from core.broker import broker_client
from core.errors import Invalid, NotFound
from market.exchanges.base import Tick
from market.models import CandleSeries, Instrument
from market.prices import STALE_AFTER, pack_tick, prices_key
from tests.trading.live.fixtures import Rows, price
from trading import selectors
from trading.models import Bot, BotRun, EquityPoint, Order
from trading.parts import bar_part
from trading.selectors import Filter
from wallets.models import ExchangeAccount, Wallet, WalletBalance
from wallets.services import reporting_currency_set

pytestmark = [pytest.mark.django_db, pytest.mark.services]


def portfolio(**given: str) -> dict[str, Any]:
    return selectors.portfolio_json(selectors.desk_portfolio(**given))


def test_a_position_is_valued_at_the_newest_price(rows: Rows) -> None:
    rows.position(rows.bot(), quantity="0.5", cost="50")
    price("BTC-USDT", "100")
    price("BTC-USDT", "120.5")
    found = selectors.position_json(selectors.positions_valued(selectors.positions_open())[0])
    assert (found["price"], found["value"], found["unrealised"]) == ("120.5", "60.25", "10.25")
    assert (found["unrealised_ratio"], found["average_price"], found["price_state"]) == (0.205, "100", "live")


def test_a_missing_or_old_price_says_so(rows: Rows) -> None:
    rows.position(rows.bot())
    assert [one.state for one in selectors.positions_valued(selectors.positions_open())] == ["missing"]
    price("BTC-USDT", "100")
    known = selectors.positions_valued(selectors.positions_open())[0].price
    assert known is not None
    old = pack_tick(Tick("binance", "BTC-USDT", Decimal(100), known.time), known.heard - STALE_AFTER - 1)
    broker_client(0.5).hset(prices_key("binance", "live"), "BTC-USDT", old)
    assert [one.state for one in selectors.positions_valued(selectors.positions_open())] == ["old"]


def test_a_position_says_where_its_stop_is_in_force(rows: Rows) -> None:
    def told() -> tuple[str, str | None]:
        found = selectors.position_json(selectors.positions_valued(selectors.positions_open(), protected=True)[0])
        return found["stop_at"], found["stop_price"]

    bot = rows.bot()
    rows.position(bot, quantity="0.5", cost="50")
    assert told() == ("none", None)
    BotRun.objects.update(config=bot.config | {"exits": {"trailing_stop": "0.1"}})
    assert told() == ("here", None)
    stops = [
        rows.order(bot, side="sell", type="stop_limit", quantity=Decimal(quantity), stop=Decimal(stop), status="accepted")
        for quantity, stop in (("0.2", "90"), ("0.3", "91"))
    ]
    assert told() == ("venue", "91")
    Order.objects.filter(pk=stops[1].pk).update(cancel_requested=True)
    assert told() == ("partly", "90")
    Order.objects.update(status="cancelled")
    assert told() == ("here", None)
    BotRun.objects.update(ended_at=timezone.now())
    assert told() == ("none", None)


def test_what_is_sold_out_is_no_position(rows: Rows) -> None:
    rows.position(rows.bot(), quantity="0", cost="0", realised=Decimal(7))
    assert not selectors.positions_valued(selectors.positions_open())


def test_a_bots_equity_is_its_cash_and_what_it_holds(rows: Rows) -> None:
    bot = rows.bot(symbols="BTC-USDT,ETH-USDT")
    rows.position(bot, quantity="0.5", cost="50", realised=Decimal("12.5"))
    rows.position(bot, "ETH-USDT", quantity="0", cost="0", realised=Decimal("-2.5"))
    price("BTC-USDT", "120")
    found = selectors.bot_json(selectors.bot_rows([bot])[0])
    assert (found["cash"], found["equity"], found["profit"], found["valued_at"]) == ("960", "1020", "20", "prices")
    assert (found["realised"], found["unrealised"], found["positions"], found["profit_ratio"]) == ("10", "10", 1, 0.02)


def test_without_a_price_equity_counts_what_was_paid_and_says_so(rows: Rows) -> None:
    bot = rows.bot()
    rows.position(bot)
    row = selectors.bot_rows([bot])[0]
    assert (row.equity, row.valued_at) == (Decimal(1000), "cost")


def test_a_replays_equity_is_that_of_its_last_close(rows: Rows) -> None:
    bot = rows.bot(mode="replay", run={"equity": Decimal(1234)})
    rows.position(bot)
    row = selectors.bot_rows([bot])[0]
    assert (row.equity, row.valued_at) == (Decimal(1234), "last close")


def hold(wallet: Wallet, **amounts: str) -> Wallet:
    for asset, amount in amounts.items():
        WalletBalance.objects.create(wallet=wallet, asset=asset, amount=Decimal(amount))
    return wallet


def make_testnet(rows: Rows, **amounts: str) -> Wallet:
    account = ExchangeAccount.objects.create(name="Test market", venue="binance", environment="testnet")
    return hold(rows.wallet(kind="exchange", account=account, maker=None, taker=None), **amounts)


def test_paper_and_real_money_are_never_added_up(rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="90000")
    rows.bot(wallet=wallet)
    rows.bot(wallet=wallet)
    rows.bot(mode="testnet", wallet=make_testnet(rows, USDT="500"))
    rows.bot(symbols="ETH-BTC", config={"cash": "3"}, wallet=hold(rows.wallet(quote="BTC"), BTC="2"))
    hold(rows.wallet(archived=True), USDT="7")
    rows.bot(running=False, wallet=wallet)
    found = portfolio()
    assert [(one["mode"], one["currency"], one["value"], one["bots"]) for one in found["modes"]] == [
        ("paper", "BTC", "2", 1),
        ("paper", "USDT", "90000", 2),
        ("testnet", "USDT", "500", 1),
    ]
    assert len(found["wallets"]) == 3
    assert [one["bots"] for one in portfolio(wallet=wallet.wallet_id)["modes"]] == [2]
    assert [one["mode"] for one in portfolio(mode="testnet")["modes"]] == ["testnet"]


def test_worth_is_what_wallets_hold_and_not_what_was_typed_into_forms(rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="90000", BTC="0.5", DUST="0")
    for _ in range(2):
        rows.bot(wallet=wallet, config={"cash": "5000000"})
    rows.bot(wallet=wallet, symbols="ETH-USD", config={"cash": "10000"})
    price("BTC-USDT", "60000")
    (found,) = portfolio()["modes"]
    assert (found["value"], found["cash"], found["allotted"]) == ("120000", "90000", "10000000")
    assert (found["currency"], found["change_today"], found["unpriced"]) == ("USDT", "0", [])


def test_a_coin_without_a_price_counts_at_its_last_close_and_is_named(rows: Rows) -> None:
    hold(rows.wallet(), USDT="100", BTC="2", XYZ="5", USD="30")
    instrument = Instrument.objects.create(venue="binance", symbol="BTC-USDT", base="BTC", quote="USDT")
    closed = {"first": timezone.now(), "last": timezone.now(), "count": 1, "interval": "1m"}
    CandleSeries.objects.create(instrument=instrument, last_close=Decimal(50), **closed)
    price("USDT-USD", "2")
    (found,) = portfolio()["modes"]
    assert (found["value"], found["unpriced"]) == ("215", ["BTC-USDT", "XYZ-USDT"])  # 100 + 2 x 50 + 30 / 2


def test_a_stopped_bot_is_allotted_what_it_holds(rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="5000")
    rows.bot(wallet=wallet)
    stopped = rows.bot(wallet=wallet, wanted="stopped")
    rows.position(stopped, cost="40")
    assert portfolio()["modes"][0]["allotted"] == "1040"


def test_replays_count_with_their_own_books(rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="5000")
    rows.bot(mode="replay", wallet=wallet, run={"equity": Decimal(1234)})
    assert [(one["mode"], one["value"], one["allotted"]) for one in portfolio()["modes"]] == [
        ("paper", "5000", "0"),
        ("replay", "1000", "1000"),
    ]


def test_todays_change_counts_from_midnight_utc(rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="2100")
    bot, young = rows.bot(wallet=wallet), rows.bot(wallet=wallet)
    for one in (bot, young):
        rows.position(one, quantity="0", cost="0", realised=Decimal(50))
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    rows.equity(bot, midnight - timedelta(days=1), "900")
    rows.equity(bot, midnight, "1040")
    rows.equity(bot, midnight + timedelta(seconds=1), "5000")
    (found,) = portfolio()["modes"]
    assert (found["value"], found["change_today"]) == ("2100", "60")  # 10 since midnight; 50 of the one that began today
    assert found["change_ratio"] == pytest.approx(60 / 2040)


def test_an_unpriced_symbol_is_named(rows: Rows) -> None:
    hold(rows.wallet(), BTC="1")
    assert portfolio()["modes"][0]["unpriced"] == ["BTC-USDT"]
    price("BTC-USDT", "100")
    assert portfolio()["modes"][0]["unpriced"] == []


def test_the_desk_is_worth_all_of_its_currencies_in_one_and_names_what_has_no_price(rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="100", BTC="1", XYZ="7")
    hold(rows.wallet(quote="USD", venue="coinbase"), USD="50")
    for name, change in (("BTC-USDT", "10"), ("BTC-USD", "3"), ("XYZ-QQQ", "4")):
        rows.position(rows.bot(wallet=wallet, symbols=name), name, quantity="0", cost="0", realised=Decimal(change))
    price("BTC-USD", "1000")
    price("BTC-USDT", "2000")
    (found,) = portfolio()["desk"]
    assert (found["mode"], found["currency"], found["value"]) == ("paper", "USD", "1100")  # 100 / 2 + 1000 + 50
    assert (found["change_today"], found["unpriced"], found["wallets"]) == ("8", ["QQQ", "XYZ"], 2)  # 10 / 2 + 3
    assert found["venues"] == [{"venue": "binance", "value": "1050"}, {"venue": "coinbase", "value": "50"}]
    reporting_currency_set(currency="USDT")
    assert [(one["currency"], one["value"]) for one in portfolio()["desk"]] == [("USDT", "2200")]


def test_the_bar_shows_the_reporting_currency_and_a_wallets_own_where_nothing_leads_to_it(rows: Rows) -> None:
    hold(rows.wallet(), USDT="100")
    hold(make_testnet(rows), USDT="50")
    rows.bot(mode="testnet", wallet=Wallet.objects.get(kind="exchange"))

    def shown() -> tuple[str, str]:
        worth = bar_part()["desk"]["worth"]
        return worth.mode, f"{worth.value:.0f} {worth.currency}"

    assert shown() == ("testnet", "50 USDT")
    price("USDT-USD", "0.5")
    assert shown() == ("testnet", "50 USDT"), "a real price says nothing of the testnet's money"
    price("USDT-USD", "0.5", environment="testnet")
    assert shown() == ("testnet", "25 USD")


def test_a_bot_for_which_its_wallet_is_too_small_is_told_so(rows: Rows) -> None:
    wallet = hold(rows.wallet(), USDT="1500")
    mine = rows.bot(wallet=wallet)

    def told(cash: int, instead_of: Bot | None = None) -> tuple[str, bool]:
        found = selectors.allotment_with(wallet_id=wallet.wallet_id, cash=Decimal(cash), currency="USDT", instead_of=instead_of)
        assert found is not None
        return str(found.allotted), found.over

    assert (told(500), told(501), told(1500, mine)) == (("1500", False), ("1501", True), ("1500", False))
    assert selectors.allotment_with(wallet_id=wallet.wallet_id, cash=Decimal(1), currency="EUR") is None


LISTS: dict[str, Callable[..., Any]] = {
    "orders": selectors.orders_page,
    "fills": selectors.fills_page,
    "blocks": selectors.blocks_page,
}


@pytest.mark.parametrize("kind", LISTS)
def test_lists_are_filtered_in_the_database(rows: Rows, kind: str) -> None:
    mine, other = rows.bot(), rows.bot(symbols="ETH-USDT", mode="testnet")
    why, why_not = ("price_band", "daily_loss") if kind == "blocks" else ("entry_signal", "stop_loss")
    for bot, reason in ((mine, why), (other, why_not)):
        rows.fill(rows.order(bot, reason=reason))
        rows.block(bot, reason=reason)
    run = mine.run
    assert run is not None
    for wanted in (
        Filter(symbol="btc/usdt"),
        Filter(bot=mine.bot_id),
        Filter(run_id=run.run_id),
        Filter(reason=why),
        Filter(mode="paper"),
        Filter(symbol="BTC-USDT", bot=mine.bot_id, since=timezone.now() - timedelta(minutes=5)),
    ):
        assert [row.bot_id for row in LISTS[kind](wanted).rows] == [mine.pk], wanted
    assert not LISTS[kind](Filter(since=timezone.now() + timedelta(minutes=5))).rows
    assert not LISTS[kind](Filter(symbol="BTC-USDT", bot=other.bot_id)).rows
    with pytest.raises(Invalid):
        LISTS[kind](Filter(symbol="not a symbol"))
    with pytest.raises(Invalid, match=f"must be one of .*{why}.*; got 'whim'"):
        LISTS[kind](Filter(reason="whim"))


@pytest.mark.parametrize("kind", LISTS)
def test_pages_join_without_loss_while_rows_come_in(rows: Rows, kind: str) -> None:
    bot = rows.bot()

    def add(count: int) -> None:
        for _ in range(count):
            rows.fill(rows.order(bot))
            rows.block(bot)

    add(7)
    before = [row.pk for row in LISTS[kind]().rows]
    seen, cursor = [], ""
    while cursor is not None:
        page = LISTS[kind](cursor=cursor, limit=3)
        seen += [row.pk for row in page.rows]
        cursor = page.next
        add(1)
    assert seen == before == sorted(before, reverse=True)


def test_block_reasons_are_counted_and_dated(rows: Rows) -> None:
    bot = rows.bot()
    for reason in ("price_band", "bot_budget", "bot_budget"):
        rows.block(bot, reason=reason)
    rows.block(rows.bot(), reason="killed")
    found = selectors.block_reasons(Filter(bot=bot.bot_id))
    assert [(one["reason"], one["count"]) for one in found] == [("bot_budget", 2), ("price_band", 1)]
    assert found[0]["last_at"].endswith("Z")


def test_unresolved_are_orders_that_nobody_answered_and_foreign_ones(rows: Rows) -> None:
    bot, now = rows.bot(), timezone.now()
    lost = rows.order(bot, status="submitted", submitted_at=now - timedelta(seconds=11))
    rows.order(bot, status="submitted", submitted_at=now - timedelta(seconds=2))
    rows.order(bot, status="accepted", submitted_at=now - timedelta(minutes=5))
    theirs = rows.foreign(bot.wallet)
    rows.foreign(bot.wallet, state="ignored")
    assert [order.pk for order in selectors.orders_unknown()] == [lost.pk]
    assert [order.pk for order in selectors.foreign_orders()] == [theirs.pk]


def test_a_decisions_chain_is_told_in_order_of_time(rows: Rows) -> None:
    bot, start = rows.bot(), timezone.now()
    at = [start + timedelta(milliseconds=index) for index in range(5)]
    rows.event("intent", bot=bot, correlation_id="abc", ts=at[0])
    order = rows.order(bot, correlation_id="abc", created_at=at[1])
    rows.claim(order, created_at=at[1])
    rows.event("order_submitted", bot=bot, correlation_id="abc", ts=at[2])
    rows.fill(order, created_at=at[3], ts=start - timedelta(hours=1))
    rows.event("fill", bot=bot, correlation_id="abc", ts=at[4])
    rows.fill(rows.order(bot))
    chain = selectors.decision_chain("abc")
    assert [link.kind for link in chain] == ["intent", "claim", "order", "event", "fill", "event"]
    assert [link.after for link in chain] == [None, 0.001, 0.0, 0.001, 0.001, 0.001]
    for unknown in ("", "nothing", "\x00"):
        with pytest.raises(NotFound):
            selectors.decision_chain(unknown)


def test_a_budgets_share_may_exceed_it_and_what_is_free_is_never_negative(rows: Rows) -> None:
    rows.budget(used=Decimal(1500))
    (found,) = [selectors.budget_json(one) for one in selectors.risk_budgets()]
    assert (found["share"], found["free"], found["name"]) == (1.5, "0", "Desk")


def test_the_curve_is_thinned_and_keeps_its_ends(rows: Rows) -> None:
    bot, start = rows.bot(), datetime(2026, 1, 1, tzinfo=UTC)
    points = [EquityPoint(bot=bot, ts=start + timedelta(minutes=minute), equity=1000 + minute % 7, cash=0) for minute in range(300)]
    EquityPoint.objects.bulk_create(points)
    curve = selectors.equity_curve(bot, points=50)
    assert len(curve) == 50
    assert (curve[0][0], curve[-1][0]) == (start, start + timedelta(minutes=299))


QUERIES = {
    "bots": 8,
    "bots/status": 8,
    "bots/{bot}": 8,
    "bots/{bot}/performance": 5,
    "live/portfolio": 7,
    "live/positions": 3,
    "live/orders": 2,
    "live/fills": 2,
    "live/blocks": 2,
    "live/block-reasons": 2,
    "live/risk-budget": 2,
    "live/kill-switch": 2,
    "agents/events": 2,
    "agents/events/correlation/abc": 5,
    "streams": 2,
    "market/ticks": 2,
}
"""One for the token and its person, the rest for the rows."""


def busy_bot(rows: Rows) -> str:
    bot = rows.bot(symbols="BTC-USDT,ETH-USDT")
    for symbol in bot.symbol_list:
        rows.position(bot, symbol)
    order = rows.order(bot, status="accepted", correlation_id="abc")
    rows.claim(order)
    rows.fill(order)
    rows.block(bot, correlation_id="abc")
    rows.event(bot=bot, correlation_id="abc")
    rows.equity(bot, timezone.now(), "1000")
    rows.budget("bot", bot=bot)
    rows.run(bot)
    return bot.bot_id


@pytest.mark.parametrize("path", QUERIES)
def test_the_number_of_queries_does_not_grow(rows: Rows, api: APIClient, path: str) -> None:
    rows.stream()
    for _ in range(4):
        bot_id = busy_bot(rows)
    price("BTC-USDT", "100")
    with CaptureQueriesContext(connection) as queries:
        assert api.get(f"/api/v1/{path.format(bot=bot_id)}").status_code == 200
    assert len(queries) == QUERIES[path], [query["sql"][:120] for query in queries]


def test_runs_come_newest_first(rows: Rows) -> None:
    bot = rows.bot()
    rows.run(bot)
    assert [run.pk for run in selectors.runs_of(bot)] == sorted(BotRun.objects.values_list("pk", flat=True), reverse=True)


def test_events_of_a_type_that_there_is_not_are_refused_with_those_there_are(rows: Rows) -> None:
    rows.event("fill", bot=rows.bot())
    assert len(selectors.events_page(type="fill").rows) == 1
    with pytest.raises(Invalid, match=r"must be one of intent, .*trade_blocked.*; got 'fil'. Did you mean 'fill'"):
        selectors.events_page(type="fil")


def test_computed_money_has_eight_places_and_a_computed_price_twelve_digits(rows: Rows) -> None:
    """A third has no last digit: nothing is gained by eighteen of them."""
    rows.position(rows.bot(), quantity="0.3", cost="100.123456789123")
    price("BTC-USDT", "333.3333333333")
    shown = selectors.position_json(selectors.positions_valued(selectors.positions_open())[0])
    assert (shown["average_price"], shown["cost"], shown["value"]) == ("333.744855964", "100.12345679", "100")
