"""The running desk's pages without a browser: what they show, who may do what, and that many rows cost no more queries."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from backtests.models import BacktestRun
from market.models import VenueStream
from tests.pages import live_rows
from tests.people import make_person
from trading.models import BlockEvent, Bot, ForeignOrder, KillSwitch, Order
from wallets.models import ExchangeAccount, Wallet, WalletBalance

pytestmark = [pytest.mark.django_db, pytest.mark.services]

HTMX: dict[str, Any] = {"HTTP_HX_REQUEST": "true"}
PAGES = ("/live/", "/bots/", "/bots/new/", "/live/unresolved/", "/market/watchlist/", "/market/streams/")


@pytest.fixture
def trader() -> Client:
    client = Client()
    client.force_login(make_person("trader", "operator", is_staff=True))
    return client


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("viewer"))
    return client


def text_of(client: Client, path: str, **given: Any) -> str:
    answer = client.get(path, **given)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_desk_says_the_next_step(trader: Client, path: str) -> None:
    assert "empty-title" in text_of(trader, path) or path == "/live/unresolved/"


def test_the_live_page_shows_what_the_desk_is_and_does(trader: Client) -> None:
    live_rows.unresolved(live_rows.busy())
    shown = text_of(trader, "/live/")
    for words in ("Trend by the hour", "PAPER", "wallet budget", "Look and decide"):
        assert words in shown
    assert shown.count('data-key="fill-') == 12
    assert shown.count('data-key="block-') == 4


def test_how_often_each_reason_came_is_told_of_a_day(trader: Client) -> None:
    bot = live_rows.bot()
    live_rows.block(bot, "order_rate", 1)
    BlockEvent.objects.update(ts=timezone.now() - timedelta(hours=25))
    old = text_of(trader, "/live/?part=blocks", **HTMX)
    live_rows.block(bot, "stale_price", 2)
    (told,) = re.findall(r'<p class="reasons small">.*?</p>', text_of(trader, "/live/?part=blocks", **HTMX), re.DOTALL)
    assert 'class="reasons small"' not in old
    assert ("stale price" in told, "order rate" in told) == (True, False)


def test_a_page_of_parts_answers_those_that_are_asked_for(trader: Client) -> None:
    live_rows.busy()
    parts = text_of(trader, "/live/?part=fills,risk,nonsense", **HTMX)
    assert "<html" not in parts
    assert ('data-part="fills"' in parts, 'data-part="risk"' in parts, 'data-part="orders"' in parts) == (True, True, False)


def test_a_value_without_fresh_prices_says_that_it_is_an_estimate(trader: Client) -> None:
    live_rows.stream()
    held = live_rows.position(live_rows.bot(symbol="XRP-USDT"))
    WalletBalance.objects.create(wallet=held.wallet, asset="XRP", amount=held.quantity)
    shown = text_of(trader, "/live/")
    assert "estimated: no fresh price of XRP-USDT" in shown
    assert "no price" in shown


def test_many_rows_cost_the_same_queries(trader: Client, django_assert_max_num_queries: Any) -> None:
    live_rows.busy()
    for number in range(8):
        more = live_rows.bot(f"More {number}")
        live_rows.position(more)
        live_rows.filled(more, 1)
        live_rows.block(more, "order_rate", 1)
    text_of(trader, "/live/")
    with django_assert_max_num_queries(36):
        text_of(trader, "/live/")
    with django_assert_max_num_queries(16):
        text_of(trader, "/bots/")
    with django_assert_max_num_queries(5):
        text_of(trader, "/live/?part=fills", **HTMX)


def test_a_bots_page_has_its_own_rows_only(trader: Client) -> None:
    trend = live_rows.busy()
    other = Bot.objects.get(name="Dips")
    shown = text_of(trader, f"/bots/{trend.bot_id}/")
    assert "cancels 1 open order, keeps 1 position" in shown
    assert "sells 1 position, about 621.4" in shown
    assert other.name not in shown
    assert text_of(trader, f"/bots/{other.bot_id}/").count('data-key="fill-') == 0
    assert trader.get("/bots/none/").status_code == 404


def test_an_order_is_a_chain_from_candle_to_profit(trader: Client) -> None:
    trend = live_rows.bot()
    sold = live_rows.filled(trend, 2, "sell", profit=Decimal("12.5"))
    shown = text_of(trader, f"/orders/{sold.order.order_id}/")
    steps = [shown.index(f"<b>{title}</b>") for title in ("Candle", "Intent", "Order", "Fill", "Profit")]
    assert steps == sorted(steps)
    assert "12.50 USDT after the fees of both sides" in shown
    bought = live_rows.filled(trend, 3)
    assert "<b>Claim</b>" in text_of(trader, f"/orders/{bought.order.order_id}/")
    blocked = live_rows.block(trend, "stale_price", 1)
    assert "<b>Blocked</b>" in text_of(trader, f"/decisions/{blocked.correlation_id}/")
    assert trader.get("/decisions/none/").status_code == 404


def test_an_order_that_the_venue_has_not_answered_is_told_so(trader: Client) -> None:
    live_rows.unresolved(live_rows.bot())
    order = Order.objects.get(status="submitted")
    assert "The venue has not answered" in text_of(trader, f"/orders/{order.order_id}/")
    shown = text_of(trader, "/live/unresolved/")
    assert "Adopt" in shown
    assert "778812" in shown


POSTED = {
    "name": "Mine",
    "mode": "paper",
    "strategy": "sma_cross",
    "params.fast": "5",
    "params.slow": "20",
    "symbols": "BTC-USDT",
    "interval": "5m",
    "cash": "500",
    "risk.budget": "200",
    "risk.daily_loss": "20",
    "schedule.from": "08:00",
    "schedule.to": "20:00",
    "days": ["mon", "tue"],
}


def posted(**more: Any) -> dict[str, Any]:
    wallet = live_rows.wallet()
    return {**POSTED, "wallet_id": wallet.wallet_id, "venue": wallet.venue, **more}


def test_the_form_makes_a_stopped_bot_and_changes_it(trader: Client) -> None:
    answer = trader.post("/bots/new/", posted())
    bot = Bot.objects.get(name="Mine")
    assert answer.headers["Location"] == f"/bots/{bot.bot_id}/"
    assert (bot.wanted, bot.interval, bot.symbols, bot.mode) == ("stopped", "5m", "BTC-USDT", "paper")
    assert (bot.limits["budget"], bot.limits["daily_loss"]) == ("200", "20")
    assert bot.schedule == {"days": ["mon", "tue"], "from": "08:00", "to": "20:00"}
    shown = text_of(trader, f"/bots/{bot.bot_id}/settings/")
    for value in ('value="200"', 'value="08:00"', 'value="mon" checked', 'value="5m" selected'):
        assert value in shown
    trader.post(f"/bots/{bot.bot_id}/settings/", posted(cash="900"))
    bot.refresh_from_db()
    assert bot.config["cash"] == "900"


def test_each_fault_of_the_form_is_told_at_its_field(trader: Client) -> None:
    given = posted(**{"risk.daily_loss": "-1", "params.fast": "x", "mode": "testnet", "name": "", "symbols": ""})
    answer = trader.post("/bots/new/", given, **HTMX)
    assert answer.status_code == 422
    told = {label for label, _, _ in answer.context["form"].problems}
    assert {"Daily loss", "Fast", "Name", "Symbols"} <= told
    assert not Bot.objects.exists()


def test_the_check_says_what_the_bot_would_do(trader: Client) -> None:
    shown = trader.post("/bots/new/", posted(part="check"), **HTMX).content.decode()
    assert "closed" not in shown
    assert "Trades with at most 500.00 USDT; at risk at once at most 200.00 USDT" in shown
    assert not Bot.objects.exists()


def test_a_preset_fills_the_form(trader: Client) -> None:
    live_rows.wallet()
    shown = text_of(trader, "/bots/new/?preset=trend")
    assert 'value="ema_cross" checked' in shown
    assert trader.get("/bots/new/?from_backtest=abc").headers["Location"] == "/backtests/abc/trade/"


@pytest.mark.parametrize(("act", "wanted"), [("pause", "paused"), ("stop", "stopped"), ("close", "closing")])
def test_the_buttons_call_the_service(trader: Client, act: str, wanted: str) -> None:
    bot = live_rows.bot()
    assert trader.post(f"/bots/{bot.bot_id}/{act}/").status_code == 302
    bot.refresh_from_db()
    assert bot.wanted == wanted


def test_what_cannot_be_done_is_told_and_not_done(trader: Client) -> None:
    bot = live_rows.bot(wanted="stopped")
    answer = trader.post(f"/bots/{bot.bot_id}/close/", follow=True)
    assert "Start it, then close it" in answer.content.decode()
    live_rows.position(bot)
    assert "holds positions" in trader.post(f"/bots/{bot.bot_id}/delete/", follow=True).content.decode()
    assert trader.post(f"/bots/{bot.bot_id}/explode/").status_code == 404


def test_an_order_can_be_cancelled_once(trader: Client) -> None:
    order = live_rows.order(live_rows.bot(), 1)
    answer = trader.post(f"/orders/{order.order_id}/cancel/", **HTMX)
    order.refresh_from_db()
    assert order.cancel_requested
    assert "Asked to cancel" in answer.content.decode()
    Order.objects.update(status="filled")
    assert trader.post(f"/orders/{order.order_id}/cancel/", **HTMX).status_code == 409


def test_the_kill_switch_names_its_consequence_and_stays_on_every_page(trader: Client) -> None:
    live_rows.busy()
    asked = text_of(trader, "/live/kill-switch/ask/", HTTP_HX_CURRENT_URL="http://testserver/market/", **HTMX)
    assert "2 bots" in asked
    assert "2 open orders" in asked
    assert "2 positions" in asked
    assert 'value="/market/"' in asked
    answer = trader.post("/live/kill-switch/", {"killed": "true", "reason": "odd fills", "back": "/market/"})
    assert answer.headers["Location"] == "/market/"
    assert KillSwitch.objects.get().killed
    for path in ("/market/", "/live/", "/admin/"):
        assert "Killed by trader" in text_of(trader, path)
    trader.post("/live/kill-switch/", {"killed": "false"})
    assert "Killed by" not in text_of(trader, "/live/")


def test_the_kill_switch_leads_back_to_this_desk_only(trader: Client) -> None:
    answer = trader.post("/live/kill-switch/", {"killed": "true", "back": "https://evil.example/"})
    assert answer.headers["Location"] == "/live/"


def test_a_viewer_may_look_and_not_touch(viewer: Client) -> None:
    bot = live_rows.busy()
    for path in ("/live/", f"/bots/{bot.bot_id}/", "/market/streams/", "/live/unresolved/"):
        shown = text_of(viewer, path)
        assert "Kill switch" not in shown
        assert 'method="post" action="/bots/' not in shown
    refused = ("/live/kill-switch/", f"/bots/{bot.bot_id}/stop/", "/market/streams/switch/", "/bots/new/", "/live/unresolved/1/")
    assert {viewer.post(path).status_code for path in refused} == {403}
    bot.refresh_from_db()
    assert bot.wanted == "running"


def test_a_stream_is_switched_and_its_health_shown(trader: Client) -> None:
    live_rows.busy()
    shown = text_of(trader, "/market/streams/")
    assert "The socket was silent for 20 s." in shown
    trader.post("/market/streams/switch/", {"venue": "binance", "environment": "sandbox", "wanted": "false"})
    assert not VenueStream.objects.get().wanted
    assert trader.post("/market/streams/switch/", {"venue": "no", "environment": "way", "wanted": "true"}).status_code == 302


def test_what_does_not_work_beside_the_prices_is_told_on_the_live_page(trader: Client) -> None:
    row = live_rows.stream()
    assert "No user stream" not in text_of(trader, "/live/")
    VenueStream.objects.filter(pk=row.pk).update(detail="No user stream of mine: it was lost.")
    assert "No user stream of mine: it was lost." in text_of(trader, "/live/")


def test_the_watchlist_shows_prices_and_says_which_are_old(trader: Client) -> None:
    live_rows.stream()
    live_rows.prices()
    shown = text_of(trader, "/market/watchlist/")
    assert "62,140.50" in shown
    assert "binance:sandbox:BTC-USDT" in shown


def test_a_bots_chart_has_its_fills_on_their_candles(trader: Client) -> None:
    bot = live_rows.bot()
    fill = live_rows.filled(bot, 1)
    answer = trader.get(f"/bots/{bot.bot_id}/candles.json").json()
    assert answer["rows"] == []
    [mark] = answer["marks"]
    assert (mark["side"], mark["time"]) == ("buy", int(fill.ts.timestamp()) // 60 * 60)
    assert trader.get(f"/bots/{bot.bot_id}/candles.json", {"symbol": "XRP-USD"}).status_code == 400


def test_the_admin_shows_every_record_and_changes_none(client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    live_rows.unresolved(live_rows.busy())
    models = (
        "trading/bot",
        "trading/botrun",
        "trading/order",
        "trading/fill",
        "trading/position",
        "trading/blockevent",
        "trading/riskbudget",
        "trading/riskallocation",
        "trading/foreignorder",
        "trading/killswitch",
        "core/event",
    )
    for model in (*models, "trading/equitypoint", "trading/positionsnapshot"):
        assert client.get(f"/admin/{model}/").status_code == 200, model
    for model in ("trading/bot", "trading/order", "trading/fill", "core/event", "trading/blockevent"):
        [first, *_] = client.get(f"/admin/{model}/").context["cl"].result_list
        page = client.get(f"/admin/{model}/{first.pk}/change/")
        assert page.status_code == 200
        assert b'name="_save"' not in page.content
    assert client.get("/admin/market/venuestream/").status_code == 200
    assert client.get("/admin/market/feedincident/").status_code == 200


def test_the_admins_actions_call_the_services(client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    live_rows.busy()
    running = Bot.objects.get(name="Trend by the hour")

    def act(model: str, action: str, pk: int) -> str:
        given = {"action": action, "_selected_action": [pk]}
        return client.post(f"/admin/{model}/", given, follow=True).content.decode()

    assert "1 paused" in act("trading/bot", "pause", running.pk)
    assert "only a running bot can be paused" in act("trading/bot", "pause", running.pk)
    assert "1 stopped" in act("trading/bot", "stop", running.pk)
    assert "1 stopped" in act("market/venuestream", "stop", VenueStream.objects.get().pk)
    assert "Killed by boss" in act("trading/killswitch", "kill", KillSwitch.objects.get_or_create(pk=1)[0].pk)


def test_the_admin_home_shows_whether_the_desk_trades(client: Client) -> None:
    client.force_login(User.objects.create_superuser("boss"))
    live_rows.busy()
    shown = text_of(client, "/admin/")
    assert "2 bots switched on: paper" in shown
    assert "Binance" in shown


def test_a_position_is_valued_at_the_newest_price(trader: Client) -> None:
    live_rows.stream()
    live_rows.prices()
    live_rows.position(live_rows.bot(), cost="600")
    shown = text_of(trader, "/live/?part=positions", **HTMX)
    assert "+21.41 USDT" in shown


def test_an_account_whose_balances_nobody_has_read_yet_is_worth_nothing_known(trader: Client) -> None:
    account = ExchangeAccount.objects.create(name="Elsewhere", venue="binance", environment="testnet")
    wallet = Wallet.objects.create(
        wallet_id="elsewhere", name="Elsewhere", kind="exchange", account=account, venue="binance-testnet", quote="USDT"
    )
    Bot.objects.filter(pk=live_rows.bot().pk).update(wallet=wallet, mode="testnet")
    shown = text_of(trader, "/live/?part=portfolio", **HTMX)
    assert "nothing booked yet" in shown
    assert "more than there is" not in shown
    assert "0.00 USDT" not in shown.partition("Today")[0]
    bar = text_of(trader, "/live/bar/", **HTMX)
    assert "0.00 USDT" not in bar
    assert "nothing is booked yet" in bar


def test_a_bot_that_was_never_started_has_a_page(trader: Client) -> None:
    trader.post("/bots/new/", posted())
    bot = Bot.objects.get()
    shown = text_of(trader, f"/bots/{bot.bot_id}/")
    assert "It was never started" in shown
    assert "decides from the next closed candle on" in shown
    assert "Mine" in text_of(trader, "/bots/")


def test_a_foreign_order_is_decided_once(trader: Client) -> None:
    live_rows.unresolved(live_rows.bot())
    found = ForeignOrder.objects.get()
    assert "is ignored" in trader.post(f"/live/unresolved/{found.pk}/", {"action": "ignore"}, follow=True).content.decode()
    found.refresh_from_db()
    assert found.state == "ignored"
    again = trader.post(f"/live/unresolved/{found.pk}/", {"action": "ignore"}, follow=True)
    assert "is ignored already" in again.content.decode()


def test_a_backtest_becomes_a_bots_form(trader: Client) -> None:
    live_rows.wallet()
    config = {**live_rows.CONFIG, "params": {"fast": 7, "slow": 30}, "fees": {"maker_bps": 3, "taker_bps": 4}}
    run = BacktestRun.objects.create(
        run_id="abc123", config=config, strategy="sma_cross", symbols="BTC-USDT", interval="1m", status="completed", name="Proven"
    )
    shown = text_of(trader, f"/backtests/{run.run_id}/trade/")
    for value in ('value="7"', 'value="30"', 'name="from_backtest" value="abc123"', 'value="Proven"', 'value="BTC-USDT" checked'):
        assert value in shown
    trader.post("/bots/new/", posted(from_backtest="abc123"))
    assert Bot.objects.get().from_backtest == "abc123"
