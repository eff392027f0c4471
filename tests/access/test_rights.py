"""Who may write what: asked by the services, so pages, API, admin and sockets cannot differ. Every desk has four groups."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import AnonymousUser, Group, User
from django.test import Client
from rest_framework.test import APIClient

from access.rights import REAL_MONEY, has_right, require_right
from access.scopes import scopes_of
from access.services import token_create
from backtests import services as runs
from backtests.sweeps import services as sweeps
from core.errors import Forbidden, NotFound
from market import services as market
from market.models import VenueStream
from tests.people import make_person
from tests.trading.live.fixtures import CONFIG, Rows, rows
from trading.models import Bot, KillSwitch, RiskBudget
from trading.services import bots, orders
from wallets import services as wallets

__all__ = ["rows"]
pytestmark = pytest.mark.django_db
NOWHERE: dict[str, Any] = {"venue": "x", "environment": "live", "wanted": False}
WRITES: dict[str, tuple[str, Callable[[User], Any]]] = {
    "make a bot": ("trader", lambda user: bots.bot_create(config={}, name="", mode="paper", wallet_id="", user=user)),
    "change a bot": ("trader", lambda user: bots.bot_update(bot_id="x", changes={}, user=user)),
    "delete a bot": ("trader", lambda user: bots.bot_delete(bot_id="x", user=user)),
    "pause a bot": ("trader", lambda user: bots.bot_pause(bot_id="x", user=user)),
    "stop a bot": ("trader", lambda user: bots.bot_stop(bot_id="x", user=user)),
    "close a bot": ("trader", lambda user: bots.bot_close(bot_id="x", user=user)),
    "cancel an order": ("trader", lambda user: orders.order_cancel_request(order_id="x", user=user)),
    "decide on a foreign order": ("trader", lambda user: orders.foreign_order_resolve(foreign_id=0, action="", user=user)),
    "kill": ("trader", lambda user: bots.kill_switch_set(killed=True, user=user)),
    "run a backtest": ("trader", lambda user: runs.run_create(config={}, user=user)),
    "cancel a backtest": ("trader", lambda user: runs.run_cancel(run_id="x", user=user)),
    "delete a backtest": ("trader", lambda user: runs.run_delete(run_id="x", user=user)),
    "retry a sweep": ("trader", lambda user: sweeps.sweep_retry(sweep_id="x", user=user)),
    "delete candles": ("operator", lambda user: market.series_delete(series_id=0, user=user)),
    "stop a stream": ("operator", lambda user: market.stream_switch(**NOWHERE, user=user)),
    "make a wallet": ("operator", lambda user: wallets.wallet_create(name="", kind="", quote="", user=user)),
    "make an account": ("administrator", lambda user: wallets.account_create(name="", venue="", environment="", user=user)),
}
ORDER = ("", "viewer", "trader", "operator", "administrator")


def fund_wallet(rows: Rows) -> str:
    """The id of a wallet that a bot can trade with."""
    wallet = rows.wallet()
    wallets.wallet_deposit(wallet=wallet, asset="USDT", amount="100000")
    return wallet.wallet_id


@pytest.mark.parametrize("what", WRITES)
def test_each_write_is_for_a_role_and_those_above_it(what: str) -> None:
    """Whoever may not is told so before anything else: also where the request would be refused for another reason."""
    least, write = WRITES[what]
    for role in ORDER:
        user = make_person(f"one {role}", role, is_staff=True)
        try:
            write(user)
            refused = False
        except Exception as error:
            refused = isinstance(error, Forbidden)
        assert refused == (ORDER.index(role) < ORDER.index(least)), (role, what)


def test_staff_alone_trade_nothing_by_any_way(rows: Rows, client: Client) -> None:
    bot = bots.bot_create(config=CONFIG, name="x", mode="paper", wallet_id=fund_wallet(rows))
    clerk = make_person("clerk", is_staff=True)
    assert scopes_of(clerk) == {"read"}
    api = APIClient()
    api.force_authenticate(clerk)
    client.force_login(clerk)
    assert api.post("/api/v1/live/kill-switch", {"killed": True}, format="json").status_code == 403
    assert client.post("/live/kill-switch/", {"killed": "true"}).status_code == 403
    assert api.delete(f"/api/v1/bots/{bot.bot_id}").status_code == 403
    assert client.post(f"/bots/{bot.bot_id}/delete/").status_code == 403
    assert not KillSwitch.objects.filter(killed=True).exists()
    assert Bot.objects.filter(archived_at=None).exists()


def test_a_right_that_a_person_lacks_is_refused_alike_on_page_and_api(client: Client) -> None:
    """A trader may not stop streams: page and API ask the same service."""
    trader = make_person("tom", "trader")
    VenueStream.objects.create(venue="binance", environment="sandbox")
    api = APIClient()
    api.force_authenticate(trader)
    client.force_login(trader)
    answer = api.post("/api/v1/streams/stop", {"venue": "binance", "environment": "sandbox"}, format="json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "permission_denied")
    page = client.post("/market/streams/switch/", {"venue": "binance", "environment": "sandbox", "wanted": "false"})
    assert page.status_code == 403
    assert VenueStream.objects.get().wanted


def test_real_money_is_switched_on_by_those_alone_who_have_the_right(rows: Rows) -> None:
    trader, boss = make_person("tom", "trader"), make_person("boss", "administrator")
    given: dict[str, Any] = {"config": CONFIG, "name": "x", "mode": "paper", "wallet_id": fund_wallet(rows)}
    with pytest.raises(Forbidden):
        bots.bot_create(**given, live_allowed=True, user=trader)
    bot = bots.bot_create(**given, user=trader)
    with pytest.raises(Forbidden):
        bots.bot_update(bot_id=bot.bot_id, changes={"live_allowed": True}, user=trader)
    bots.bot_update(bot_id=bot.bot_id, changes={"live_allowed": True}, user=boss)
    with pytest.raises(Forbidden):  # what it trades is the boss's to say from now on
        bots.bot_update(bot_id=bot.bot_id, changes={"name": "y"}, user=trader)
    bots.bot_update(bot_id=bot.bot_id, changes={"live_allowed": False}, user=trader)
    Bot.objects.update(mode="live")
    with pytest.raises(Forbidden):
        bots.bot_start(bot_id=bot.bot_id, user=trader)
    assert bots.bot_stop(bot_id=bot.bot_id, user=trader)


def test_a_token_for_trading_does_not_switch_real_money_on(rows: Rows) -> None:
    boss = make_person("boss", "administrator")
    bot = bots.bot_create(config=CONFIG, name="x", mode="paper", wallet_id=fund_wallet(rows))
    for scopes, status in ((["read", "trade"], 403), (["read", "trade", "admin"], 200)):
        api = APIClient()
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {token_create(user=boss, scopes=scopes)[1]}")
        answer = api.patch(f"/api/v1/bots/{bot.bot_id}", {"live_allowed": True}, format="json")
        assert answer.status_code == status, answer.content


def test_a_limit_of_real_money_is_not_for_operators(client: Client) -> None:
    budget = RiskBudget.objects.create(scope="desk", mode="live", currency="USD", limit=1)
    for role, status in (("operator", 403), ("administrator", 302)):
        client.force_login(make_person(role, role, is_staff=True))
        answer = client.post(f"/admin/trading/riskbudget/{budget.pk}/change/", {"limit": "1000"})
        assert answer.status_code == status
    budget.refresh_from_db()
    assert budget.limit == 1000


def test_people_who_are_not_there_have_no_right() -> None:
    gone = make_person("gone", "administrator", is_active=False)
    for person in (gone, AnonymousUser()):
        assert not has_right(person, REAL_MONEY)
        with pytest.raises(Forbidden):
            require_right(person, "trading.change_bot")
    assert scopes_of(gone) == frozenset()
    require_right(None, REAL_MONEY)  # the desk itself


def test_a_desk_that_had_a_group_admin_keeps_what_it_could() -> None:
    old = Group.objects.create(name="admin")
    migration = importlib.import_module("access.migrations.0002_security_access")
    migration.write_roles(apps, None)
    user = User.objects.create_user("old")
    user.groups.add(old)
    assert scopes_of(user) == {"read", "trade"}
    assert set(Group.objects.values_list("name", flat=True)) >= {"viewer", "trader", "operator", "administrator"}


def test_every_right_of_a_role_is_one_that_exists() -> None:
    from access.roles import ROLES

    known = {
        f"{model._meta.app_label}.{name}"
        for model in apps.get_models()
        for name in (
            *(f"{act}_{model._meta.model_name}" for act in model._meta.default_permissions),
            *(name for name, _ in model._meta.permissions),
        )
    }
    assert {right for rights in ROLES.values() for right in rights} <= known


def test_what_is_not_there_is_said_only_to_those_who_may_look_for_it() -> None:
    with pytest.raises(NotFound):
        bots.bot_stop(bot_id="x", user=make_person("tom", "trader"))
