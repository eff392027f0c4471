"""What users do with bots: create, start, pause, stop, delete, kill; and when each is refused."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from core.errors import Conflict, DomainError, Invalid, NotFound
from core.models import Event
from market.models import Instrument
from tests.trading.making import candles, config, paper_wallet, replay_bot
from trading.models import Bot, BotState, KillSwitch, RiskBudget
from trading.services import bots

pytestmark = pytest.mark.django_db


def make(**changes: Any) -> Bot:
    given = {"name": "One", "mode": "paper", "config": config(), "wallet_id": "", **changes}
    if not given["wallet_id"]:
        given["wallet_id"] = paper_wallet(f"Wallet of {given['name']}").wallet_id
    return bots.bot_create(**given)


def test_a_bot_is_made_stopped_with_its_canonical_settings() -> None:
    bot = make(limits={"daily_loss": "50"}, schedule={"days": ["mon"], "from": "08:00", "to": "20:00"})
    assert (bot.wanted, bot.strategy, bot.symbols, bot.interval) == ("stopped", "sma_cross", "ETH-BTC", "5m")
    assert bot.limits["daily_loss"] == "50"
    assert bot.schedule == {"days": ["mon"], "from": "08:00", "to": "20:00"}
    assert bot.config["params"] == {"fast": 3, "slow": 8}
    assert Event.objects.filter(type="bot_status", bot=bot.bot_id).exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"mode": "real"}, "mode"),
        ({"wallet_id": "nothing"}, "wallet_id"),
        ({"mode": "testnet"}, "wallet_id"),
        ({"config": config(strategy="nothing")}, "config.strategy"),
        ({"config": config(params={"fast": 0})}, "config.params.fast"),
        ({"config": config(symbols=["A-X", "B-Y"])}, "config.symbols"),
        ({"limits": {"daily_loss": "-1"}}, "limits.daily_loss"),
        ({"limits": {"dayly_loss": "1"}}, "limits.dayly_loss"),
        ({"schedule": {"days": ["monday"]}}, "schedule.days"),
        ({"schedule": {"from": "08:00"}}, "schedule.to"),
        ({"mode": "replay", "replay": {"start": "2022-02-01", "end": "2022-01-01"}}, "replay.end"),
    ],
)
def test_what_cannot_be_used_is_named(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        make(**changes)
    assert field in caught.value.fields, caught.value.fields
    assert not Bot.objects.exists()


def test_a_name_is_taken_once() -> None:
    make()
    with pytest.raises(Invalid, match="named One"):
        make(wallet_id=paper_wallet("Second").wallet_id)


def test_a_start_makes_a_run_its_budgets_and_its_instrument() -> None:
    bot = bots.bot_start(bot_id=make().bot_id)
    assert bot.wanted == "running"
    assert bot.run is not None
    assert bot.run.code_hash
    assert BotState.objects.get(bot=bot).run == bot.run
    assert {one.scope for one in RiskBudget.objects.all()} == {"bot", "wallet", "desk"}
    assert Instrument.objects.filter(venue="test", symbol="ETH-BTC").exists()


def test_pause_goes_on_with_the_same_run() -> None:
    bot = bots.bot_start(bot_id=make().bot_id)
    assert bots.bot_pause(bot_id=bot.bot_id).wanted == "paused"
    again = bots.bot_start(bot_id=bot.bot_id)
    assert (again.wanted, again.run) == ("running", bot.run)


@pytest.mark.parametrize("act", [bots.bot_pause, bots.bot_close])
def test_a_stopped_bot_can_be_neither_paused_nor_closed(act: Any) -> None:
    with pytest.raises(Conflict):
        act(bot_id=make().bot_id)


def test_a_running_bot_is_neither_changed_nor_deleted() -> None:
    bot = bots.bot_start(bot_id=make().bot_id)
    for act in (lambda: bots.bot_update(bot_id=bot.bot_id, changes={"name": "Two"}), lambda: bots.bot_delete(bot_id=bot.bot_id)):
        with pytest.raises(Conflict, match="Stop it first"):
            act()


def test_a_change_is_checked_like_a_new_bot() -> None:
    bot = make()
    assert bots.bot_update(bot_id=bot.bot_id, changes={"name": "Two"}).name == "Two"
    with pytest.raises(Invalid) as caught:
        bots.bot_update(bot_id=bot.bot_id, changes={"strategy": "grid"})
    assert "strategy" in caught.value.fields


def test_a_deleted_bot_is_gone_from_the_desk_and_its_name_free() -> None:
    bot = make()
    bots.bot_delete(bot_id=bot.bot_id)
    with pytest.raises(NotFound):
        bots.bot_get(bot.bot_id)
    make(wallet_id=paper_wallet("Second").wallet_id)


def test_live_needs_both_switches_and_a_wallet_at_the_real_venue(settings: Any) -> None:
    bot = make()
    Bot.objects.filter(pk=bot.pk).update(mode="live")
    with pytest.raises(Invalid, match="LIVE_TRADING"):
        bots.bot_start(bot_id=bot.bot_id)
    settings.LIVE_TRADING = True
    with pytest.raises(Invalid, match="may not trade live yet"):
        bots.bot_start(bot_id=bot.bot_id)
    Bot.objects.filter(pk=bot.pk).update(live_allowed=True)
    with pytest.raises(Invalid, match="no key"):
        bots.bot_start(bot_id=bot.bot_id)


def test_the_kill_switch_stops_every_bot_and_every_start() -> None:
    candles(50)
    bot = bots.bot_start(bot_id=replay_bot(paper_wallet("Other")).bot_id)
    switch = bots.kill_switch_set(killed=True, reason="test")
    assert switch.killed
    bot.refresh_from_db()
    assert bot.wanted == "stopped"
    with pytest.raises(DomainError, match="kill switch"):
        bots.bot_start(bot_id=bot.bot_id)
    bots.kill_switch_set(killed=False)
    assert not KillSwitch.objects.get().killed
    alerts = Event.objects.filter(type="alert", source="kill_switch")
    assert [event.payload["killed"] for event in alerts.order_by("id")] == [True, False]


def test_the_command_kills_and_arms() -> None:
    bot = bots.bot_start(bot_id=make().bot_id)
    call_command("kill", reason="by hand", stdout=io.StringIO())
    bot.refresh_from_db()
    assert (bot.wanted, KillSwitch.objects.get().killed) == ("stopped", True)
    out = io.StringIO()
    call_command("kill", arm=True, json=True, stdout=out)
    assert not json.loads(out.getvalue())["killed"]
