"""Bots and the running desk over the API: made, started, stopped, killed; shapes as documented; refusals with their remedy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from market.models import VenueStream
from tests.people import find_group
from tests.trading.live.fixtures import CONFIG, Rows, price
from trading.models import Bot, KillSwitch
from wallets.models import Wallet, WalletBalance
from wallets.services import wallet_deposit

pytestmark = pytest.mark.django_db
ROOT = "/api/v1"


@pytest.fixture
def wallet(rows: Rows) -> Wallet:
    rows.stream()
    found = rows.wallet()
    wallet_deposit(wallet=found, asset="USDT", amount="100000")
    return found


def new(wallet: Wallet, **changes: Any) -> dict[str, Any]:
    return {"name": "crosses", "mode": "paper", "wallet_id": wallet.wallet_id, "config": CONFIG} | changes


def make(api: APIClient, wallet: Wallet, **changes: Any) -> str:
    answer = api.post(f"{ROOT}/bots", new(wallet, **changes), format="json")
    assert answer.status_code == 201, answer.content
    return str(answer.json()["bot"])


def get(api: APIClient, path: str, status: int = 200, **query: Any) -> Any:
    answer = api.get(f"{ROOT}/{path}", query)
    assert answer.status_code == status, answer.content
    return answer.json()


def test_a_bot_is_made_started_paused_closed_and_stopped(api: APIClient, ada: User, wallet: Wallet) -> None:
    bot = make(api, wallet)
    found = get(api, f"bots/{bot}")
    assert (found["status"], found["equity"], found["config"]["strategy"], found["currency"]) == (
        "stopped",
        "1000",
        "sma_cross",
        "USDT",
    )
    assert Bot.objects.get().created_by == ada
    said = {}
    for act, status in (("start", "starting"), ("pause", "starting"), ("close", "starting"), ("stop", "stopping")):
        answer = api.post(f"{ROOT}/bots/{bot}/{act}")
        assert answer.status_code == 200, answer.content
        assert answer.json()["status"] == status
        said[act] = answer.json()["effect"]
    assert said["stop"] == "Cancels no open orders, holds nothing."
    assert get(api, f"bots/{bot}/performance")["runs"][0]["run_id"] == get(api, f"bots/{bot}")["run_id"]


def test_effects_say_what_becomes_of_orders_and_positions(api: APIClient, rows: Rows) -> None:
    rows.stream()
    bot = rows.bot()
    rows.order(bot, status="accepted")
    rows.position(bot, quantity="0.5")
    assert "at a price not known now" in get(api, f"bots/{bot.bot_id}")["effects"]["close"]
    price("BTC-USDT", "2480.5")
    effects = get(api, f"bots/{bot.bot_id}")["effects"]
    assert effects["close"] == "Cancels 1 open order, sells 1 position at market, about 1,240.25 USDT, then stops."
    assert effects["stop"] == "Cancels 1 open order, keeps 1 position, with nothing to protect it."


def test_a_stopped_bot_is_changed_and_deleted(api: APIClient, wallet: Wallet) -> None:
    bot = make(api, wallet)
    changed = api.patch(f"{ROOT}/bots/{bot}", {"name": "renamed", "limits": {"open_orders": 3}}, format="json").json()
    assert (changed["name"], changed["limits"]["open_orders"]) == ("renamed", 3)
    assert api.delete(f"{ROOT}/bots/{bot}").status_code == 204
    assert get(api, "bots")["results"] == []


def test_what_runs_is_neither_changed_nor_deleted(api: APIClient, rows: Rows) -> None:
    bot = rows.bot().bot_id
    for answer in (api.patch(f"{ROOT}/bots/{bot}", {"name": "x"}, format="json"), api.delete(f"{ROOT}/bots/{bot}")):
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"name": ""}, {"name"}),
        ({"wallet_id": "nothing"}, {"wallet_id"}),
        ({"mode": "real"}, {"mode"}),
        ({"config": {**CONFIG, "strategy": "sma_crss"}}, {"config.strategy"}),
        ({"config": None}, {"config.config", "config"}),
        ({"surprise": 1}, {"surprise"}),
        ({"from_backtest": "x" * 40}, {"from_backtest"}),
        ({"limits": {"open_orders": 0}}, {"limits.open_orders"}),
    ],
)
def test_a_bad_bot_names_its_fields(api: APIClient, wallet: Wallet, changes: dict[str, Any], fields: set[str]) -> None:
    answer = api.post(f"{ROOT}/bots", new(wallet, **changes), format="json")
    assert answer.status_code == 400, answer.content
    assert set(answer.json()["error"]["fields"]) & fields, answer.json()
    assert not Bot.objects.exists()


@pytest.mark.parametrize("body", [[], "text", 3, None])
@pytest.mark.parametrize("path", ["bots", "live/kill-switch", "streams/start"])
def test_a_body_that_is_no_object_is_refused(api: APIClient, path: str, body: Any) -> None:
    assert api.post(f"{ROOT}/{path}", body, format="json").status_code == 400


def test_the_kill_switch_stops_bots_and_is_armed_again(api: APIClient, rows: Rows) -> None:
    bot = rows.bot()
    assert get(api, "live/kill-switch") == {"killed": False, "reason": "", "changed_by": None, "changed_at": None}
    killed = api.post(f"{ROOT}/live/kill-switch", {"killed": True, "reason": "odd prices"}, format="json").json()
    assert (killed["killed"], killed["changed_by"], killed["reason"]) == (True, "ada", "odd prices")
    assert get(api, "live/kill-switch") == killed
    assert Bot.objects.get(pk=bot.pk).wanted == "stopped"
    assert api.post(f"{ROOT}/bots/{bot.bot_id}/start").status_code == 409
    assert api.post(f"{ROOT}/live/kill-switch", {"killed": False}, format="json").json()["killed"] is False


@pytest.mark.parametrize("body", [{}, {"killed": "yes"}, {"killed": 1}, {"killed": True, "force": True}])
def test_a_kill_switch_request_that_is_not_plain_changes_nothing(api: APIClient, body: dict[str, Any]) -> None:
    assert api.post(f"{ROOT}/live/kill-switch", body, format="json").status_code == 400
    assert not KillSwitch.objects.exists()


def test_an_order_is_asked_to_be_cancelled_once_it_is_there_and_open(api: APIClient, rows: Rows) -> None:
    bot = rows.bot()
    order, over = rows.order(bot, status="accepted"), rows.order(bot)
    answer = api.post(f"{ROOT}/live/orders/{order.order_id}/cancel")
    assert (answer.status_code, answer.json()["cancel_requested"]) == (200, True)
    assert api.post(f"{ROOT}/live/orders/{over.order_id}/cancel").status_code == 409
    assert api.post(f"{ROOT}/live/orders/nothing/cancel").status_code == 404


def test_streams_tell_how_they_do_and_are_switched(api: APIClient, ada: User, rows: Rows) -> None:
    ada.groups.add(find_group("operator"))
    rows.stream(last_message_at=timezone.now() - timedelta(seconds=5), messages_per_second=41.5)
    (stream,) = get(api, "streams")["results"]
    assert (stream["connected"], stream["state"], stream["messages_per_second"]) == (True, "live", 41.5)
    assert stream["last_message_age_s"] >= 5
    stopped = api.post(f"{ROOT}/streams/stop", {"venue": "binance"}, format="json").json()
    assert stopped["wanted"] is False
    assert not VenueStream.objects.get().wanted
    assert api.post(f"{ROOT}/streams/start", {"venue": "binance", "environment": "live"}, format="json").json()["wanted"] is True
    assert api.post(f"{ROOT}/streams/stop", {"venue": "binance", "environment": "sandbox"}, format="json").status_code == 404
    assert api.post(f"{ROOT}/streams/stop", {}, format="json").json()["error"]["fields"] == {"venue": ["is required."]}


def test_a_stream_that_nobody_holds_is_not_connected_whatever_it_last_said(api: APIClient, rows: Rows) -> None:
    rows.stream(held_until=timezone.now() - timedelta(seconds=1))
    (stream,) = get(api, "streams")["results"]
    assert (stream["connected"], stream["state"], stream["messages_per_second"]) == (False, "stopped", 0.0)


def test_a_stream_whose_venue_is_silent_is_stale_whatever_it_last_said(api: APIClient, rows: Rows) -> None:
    rows.stream(last_message_at=timezone.now() - timedelta(seconds=20))
    (stream,) = get(api, "streams")["results"]
    assert (stream["connected"], stream["state"]) == (False, "stale")


def test_ticks_are_the_newest_of_the_symbols_that_were_asked_for(api: APIClient, rows: Rows) -> None:
    rows.stream()
    rows.stream("coinbase")
    price("BTC-USDT", "64250.12")
    price("ETH-USDT", "3000")
    price("BTC-USD", "64251", venue="coinbase")
    (tick,) = get(api, "market/ticks", symbols="btc-usdt")["results"]
    assert (tick["price"], tick["venue"], tick["stale"], tick["bid"]) == ("64250.12", "binance", False, None)
    assert [one["symbol"] for one in get(api, "market/ticks")["results"]] == ["BTC-USDT", "ETH-USDT", "BTC-USD"]
    assert [one["symbol"] for one in get(api, "market/ticks", venue="coinbase")["results"]] == ["BTC-USD"]
    assert get(api, "market/ticks", environment="sandbox")["results"] == []
    assert get(api, "market/ticks", 400, symbols="nonsense")["error"]["fields"]["symbol"]


LISTS = ["bots", "bots/status", "live/positions", "live/orders", "live/fills", "live/blocks", "live/risk-budget", "agents/events"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "many"}, {"cursor": "x"}, {"cursor": "9" * 40}, {"symbol": "\x00"}, {"mode": "real"}]
)
def test_a_bad_query_is_400_and_never_worse(api: APIClient, path: str, query: dict[str, str]) -> None:
    answer = api.get(f"{ROOT}/{path}", query)
    ignored = "symbol" in query and path == "live/risk-budget"
    assert answer.status_code == (200 if ignored else 400), answer.content


@pytest.mark.parametrize("path", ["live/orders", "live/fills", "live/blocks", "live/block-reasons", "agents/events"])
def test_a_time_that_cannot_be_read_is_said(api: APIClient, path: str) -> None:
    assert get(api, path, 400, since="yesterday")["error"]["fields"]["since"]


@pytest.mark.parametrize("path", ["bots/nothing", "bots/%00", "bots/nothing/performance", "agents/events/correlation/nothing"])
def test_what_is_not_there_is_404(api: APIClient, path: str) -> None:
    assert get(api, path, 404)["error"]["code"] == "not_found"


def test_pages_of_a_list_join(api: APIClient, rows: Rows) -> None:
    bot = rows.bot()
    for _ in range(5):
        rows.block(bot)
    page = get(api, "live/blocks", limit=2, bot=bot.bot_id)
    ids = [one["id"] for one in page["results"]]
    while page["next"]:
        page = api.get(page["next"]).json()
        ids += [one["id"] for one in page["results"]]
    assert len(ids) == len(set(ids)) == 5
    assert ids == sorted(ids, reverse=True)


WRITES = [
    "bots",
    "bots/x/start",
    "bots/x/pause",
    "bots/x/stop",
    "bots/x/close",
    "live/kill-switch",
    "live/orders/x/cancel",
    "streams/start",
]


def test_viewers_read_and_do_not_trade(rows: Rows, vic: User) -> None:
    client = APIClient()
    assert client.get(f"{ROOT}/bots").status_code == 401
    client.force_login(vic)
    for path in LISTS:
        assert client.get(f"{ROOT}/{path}").status_code == 200
    for path in WRITES:
        refused = client.post(f"{ROOT}/{path}", {}, format="json")
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "permission_denied")


def test_every_list_answers_in_its_shape(api: APIClient, rows: Rows) -> None:
    rows.stream()
    bot = rows.bot()
    order = rows.order(bot, status="accepted")
    rows.claim(order)
    rows.fill(order)
    rows.position(bot)
    WalletBalance.objects.create(wallet=bot.wallet, asset="XYZ", amount=1)
    rows.position(bot, "ETH-USDT", quantity="0.00004", cost="0.1", dust=True)
    rows.block(bot)
    rows.event(bot=bot)
    rows.budget()
    rows.equity(bot, timezone.now(), "1000")
    for path in (*LISTS, "live/portfolio", "live/block-reasons"):
        assert get(api, path)  # held to its shape by `tests.contract.conformance`
    assert get(api, f"bots/{bot.bot_id}/performance")["equity"]
    assert get(api, f"bots/{bot.bot_id}")["dust"]
    kinds = {link["kind"] for link in get(api, f"agents/events/correlation/{order.correlation_id}")["results"]}
    assert kinds == {"order", "claim", "fill"}
