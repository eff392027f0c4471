"""Limits of people and tokens to some bots, wallets or accounts: asked by the services, so the same by every way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from access.models import ApiToken, AuditEntry, ObjectLimit
from access.roles import ROLES
from access.services import limit_add, limit_remove, token_create, token_revoke
from core.errors import Forbidden, Invalid, NotFound
from tests.people import make_person
from tests.trading.live.fixtures import CONFIG, Rows, rows
from trading.models import Bot, KillSwitch
from trading.services import bots, orders
from wallets import services as wallets

__all__ = ["rows"]
pytestmark = pytest.mark.django_db

ACTS: dict[str, Callable[[Bot, User], Any]] = {
    "change": lambda bot, user: bots.bot_update(bot_id=bot.bot_id, changes={"name": "new"}, user=user),
    "delete": lambda bot, user: bots.bot_delete(bot_id=bot.bot_id, user=user),
    "start": lambda bot, user: bots.bot_start(bot_id=bot.bot_id, user=user),
    "pause": lambda bot, user: bots.bot_pause(bot_id=bot.bot_id, user=user),
    "stop": lambda bot, user: bots.bot_stop(bot_id=bot.bot_id, user=user),
    "close": lambda bot, user: bots.bot_close(bot_id=bot.bot_id, user=user),
}


def make_limited(name: str, kind: str, key: str, role: str = "trader") -> User:
    person = make_person(name, role, is_staff=True)
    limit_add(person=person, kind=kind, key=key)
    return person


def is_kept_out(what: str, bot: Bot, person: User) -> bool:
    """Whether it is the limit that keeps the person from it, and not the state of the bot."""
    try:
        ACTS[what](bot, person)
    except Forbidden as error:
        return "some" in str(error)
    except Exception:
        return False
    return False


@pytest.mark.parametrize("what", ACTS)
def test_who_is_limited_to_a_bot_or_its_wallet_acts_on_that_alone(rows: Rows, what: str) -> None:
    mine, other = rows.bot(), rows.bot()
    for person in (make_limited("ann", "bot", mine.bot_id), make_limited("bob", "wallet", mine.wallet.wallet_id)):
        assert not is_kept_out(what, mine, person)
        assert is_kept_out(what, other, person)
    assert not is_kept_out(what, other, make_person("cid", "trader"))


def test_orders_go_by_their_bot_and_those_of_nobody_by_their_wallet(rows: Rows) -> None:
    mine, other = (rows.order(rows.bot(), status="accepted") for _ in range(2))
    person = make_limited("ann", "bot", mine.bot.bot_id)
    assert orders.order_cancel_request(order_id=mine.order_id, user=person).cancel_requested
    with pytest.raises(Forbidden):
        orders.order_cancel_request(order_id=other.order_id, user=person)
    foreign = rows.foreign(mine.wallet)
    with pytest.raises(Forbidden):
        orders.foreign_order_resolve(foreign_id=foreign.pk, action="ignore", user=person)
    keeper = make_limited("bob", "wallet", foreign.wallet.wallet_id)
    assert orders.foreign_order_resolve(foreign_id=foreign.pk, action="ignore", user=keeper)


def test_a_bot_is_made_in_the_wallets_that_a_person_may_use(rows: Rows) -> None:
    mine, other = rows.wallet(), rows.wallet()
    for wallet in (mine, other):
        wallets.wallet_deposit(wallet=wallet, asset="USDT", amount="100000")
    person = make_limited("ann", "wallet", mine.wallet_id)
    given: dict[str, Any] = {"config": CONFIG, "mode": "paper", "user": person}
    made = bots.bot_create(**given, name="x", wallet_id=mine.wallet_id)
    with pytest.raises(Forbidden):
        bots.bot_create(**given, name="y", wallet_id=other.wallet_id)
    with pytest.raises(Forbidden):
        bots.bot_update(bot_id=made.bot_id, changes={"wallet_id": other.wallet_id}, user=person)
    with pytest.raises(Forbidden):  # a new one is none of the bots that he may act on
        bots.bot_create(**given | {"user": make_limited("bob", "bot", made.bot_id)}, name="z", wallet_id=mine.wallet_id)


def test_accounts_and_wallets_are_limited_alike(rows: Rows) -> None:
    account = wallets.account_create(name="a", venue="binance", environment="sandbox", rest="http://127.0.0.1:9")
    boss = make_limited("boss", "account", str(account.pk), role="administrator")
    wallets.account_update(account=account, name="b", rest="http://127.0.0.1:9", user=boss)
    with pytest.raises(Forbidden):
        wallets.account_create(name="c", venue="binance", environment="sandbox", user=boss)
    with pytest.raises(Forbidden):
        wallets.wallet_rename(wallet=rows.wallet(), name="d", user=boss)


def test_page_api_and_admin_ask_the_same(rows: Rows, client: Client) -> None:
    mine, other = rows.bot(), rows.bot()
    person = make_limited("ann", "bot", mine.bot_id)
    api = APIClient()
    api.force_authenticate(person)
    client.force_login(person)
    assert api.post(f"/api/v1/bots/{other.bot_id}/pause").status_code == 403
    told = client.post(f"/bots/{other.bot_id}/pause/", follow=True).content.decode()
    assert "may act on some bots only" in told
    client.post("/admin/trading/bot/", {"action": "pause", "_selected_action": [other.pk]})
    assert set(Bot.objects.values_list("wanted", flat=True)) == {"running"}
    assert api.post(f"/api/v1/bots/{mine.bot_id}/pause").status_code == 200


def test_the_limited_may_kill_too_and_the_unlimited_alone_arm_again(rows: Rows) -> None:
    person = make_limited("ann", "bot", rows.bot().bot_id)
    assert bots.kill_switch_set(killed=True, user=person).killed
    with pytest.raises(Forbidden, match="whole desk"):
        bots.kill_switch_set(killed=False, user=person)
    assert KillSwitch.objects.get().killed


def test_a_token_can_be_held_to_less_than_its_person(rows: Rows) -> None:
    mine, other = rows.bot(), rows.bot()
    person = make_person("ann", "trader")
    token, secret = token_create(user=person, scopes=["read", "trade"], limits={"bot": [mine.bot_id]})
    api = APIClient(headers={"authorization": f"Bearer {secret}"})
    assert api.post(f"/api/v1/bots/{mine.bot_id}/pause").status_code == 200
    assert api.post(f"/api/v1/bots/{other.bot_id}/pause").status_code == 403
    assert api.get(f"/api/v1/auth/tokens/{token.pk}").json()["limits"] == {"bot": [mine.bot_id]}
    free = token_create(user=person, scopes=["read"])[0]
    vars(person)["bearer"] = token
    with pytest.raises(Forbidden):
        token_revoke(token=free, by=person)
    # What neither of them reaches alone, they do not reach together.
    limit_add(person=person, kind="bot", key=other.bot_id)
    for bot in (mine, other):
        assert api.post(f"/api/v1/bots/{bot.bot_id}/stop").status_code == 403


@pytest.mark.parametrize("wrong", [{"bots": ["x"]}, {"bot": "x"}, {"bot": [1]}, ["bot"], "bot"])
def test_limits_that_cannot_be_read_make_no_token(wrong: Any) -> None:
    with pytest.raises(Invalid) as refused:
        token_create(user=make_person("ann"), scopes=["read"], limits=wrong)
    assert refused.value.fields.keys() == {"limits"}
    assert not ApiToken.objects.exists()


def test_the_command_limits_a_token_too() -> None:
    make_person("ann", "trader")
    given = ("--limit", "bot:abc", "--limit", "bot:def", "--limit", "wallet:x")
    call_command("create_api_token", "ann", "--scopes", "read,trade", *given)
    assert ApiToken.objects.get().limits == {"bot": ["abc", "def"], "wallet": ["x"]}


def test_administrators_set_limits_in_the_admin_and_the_audit_keeps_it(client: Client) -> None:
    boss, ann = make_person("boss", "administrator", is_staff=True), make_person("ann", "trader")
    client.force_login(boss)
    assert client.post("/admin/access/objectlimit/add/", {"person": ann.pk, "kind": "bot", "key": "abc"}).status_code == 302
    limit = ObjectLimit.objects.get()
    assert client.post(f"/admin/access/objectlimit/{limit.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not ObjectLimit.objects.exists()
    kept = AuditEntry.objects.order_by("id").values_list("who", "act")
    assert list(kept) == [("boss", "limit person"), ("boss", "end limit")]


def test_nobody_who_is_limited_sets_limits() -> None:
    boss = make_limited("boss", "wallet", "x", role="administrator")
    with pytest.raises(Forbidden):
        limit_remove(limit=ObjectLimit.objects.get(), by=boss)
    with pytest.raises(Forbidden):
        limit_add(person=boss, kind="wallet", key="y", by=boss)


def test_what_is_not_there_is_said_before_any_limit() -> None:
    with pytest.raises(NotFound):
        bots.bot_stop(bot_id="nothing", user=make_limited("ann", "bot", "abc"))


OURS = {"access", "core", "market", "wallets", "trading", "backtests", "operations"}
UNSEEN = {
    "trading.botstate",  # the trader's snapshot in bytes, which says nothing to a person
    "backtests.sweepchunk",  # how a sweep's work is cut
    "backtests.sweeptrial",  # seen with its sweep
}


def test_each_model_of_ours_is_seen_by_a_role_or_deliberately_by_none() -> None:
    names = {f"{model._meta.app_label}.{model._meta.model_name}" for model in apps.get_models()}
    seen = {right.replace(".view_", ".") for right in ROLES["administrator"] if ".view_" in right}
    assert {name for name in names if name.split(".")[0] in OURS} - seen == UNSEEN
