"""A bot's run compared with its backtest: equality is shown as such, and so is every cause of a difference or of no comparison."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from rest_framework.test import APIClient

from tests.trading.making import candles, paper_wallet, replay_bot
from trading.live.replay import replay_drive, replay_load
from trading.models import Bot, BotRun, Fill
from trading.services.bots import bot_start
from trading.services.steps import progress_save

pytestmark = [pytest.mark.django_db, pytest.mark.services]
STEP = timedelta(minutes=5)


@pytest.fixture
def bot(storage_folder: Path) -> Bot:
    """A replay that is over."""
    candles(110)
    made = replay_bot(paper_wallet(), exits={"stop_loss": 0.01, "take_profit": 0.02})
    bot_start(bot_id=made.bot_id)
    replay_drive(made.pk)
    return Bot.objects.select_related("run").get(pk=made.pk)


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("viewer"))
    return client


def run_of(bot: Bot) -> BotRun:
    assert bot.run
    return bot.run


def page(client: Client, bot: Bot, status: int = 200) -> str:
    answer = client.get(f"/bots/{bot.bot_id}/runs/{run_of(bot).run_id}/compare/")
    assert answer.status_code == status
    return answer.content.decode()


def told(run_id: str) -> Any:
    client = APIClient()
    client.force_authenticate(User.objects.get_or_create(username="ada")[0])
    return client.get(f"/api/v1/backtests/against-live/{run_id}")


def fill_at(bot: Bot, number: int) -> Fill:
    return Fill.objects.filter(bot=bot).exclude(order__reason="end_of_data").order_by("id")[number]


def test_a_replay_shows_no_difference(bot: Bot, viewer: Client) -> None:
    found = told(run_of(bot).run_id).json()
    assert (found["same"], found["causes"], found["mode"]) == (True, {}, "replay")
    assert found["pairs_total"] == len(found["pairs"]) > 5
    assert abs(Decimal(found["difference"])) < Decimal("0.01")
    assert all(pair["expected"]["price"] == pair["actual"]["price"] for pair in found["pairs"])
    shown = page(viewer, bot)
    assert "No difference." in shown
    assert "Why they differ" not in shown


def test_a_bot_that_still_holds_has_the_backtests_equity(storage_folder: Path, viewer: Client) -> None:
    candles(110)
    made = replay_bot(paper_wallet(), strategy="buy_and_hold", params={})
    bot_start(bot_id=made.bot_id)
    replay = replay_load(made.pk)
    for time_ms in replay.times:
        replay.step(time_ms)
    progress_save(replay.loaded_bot)
    found = told(replay.loaded_bot.run.run_id).json()
    assert (found["same"], found["pairs_total"], found["in_what_is_held"]) == (True, 1, None)
    assert abs(Decimal(found["difference"])) < Decimal("0.000001")


def changed(bot: Bot, number: int, **values: Any) -> None:
    Fill.objects.filter(pk=fill_at(bot, number).pk).update(**values)


def lose(bot: Bot) -> None:
    fill_at(bot, 2).delete()


def add(bot: Bot) -> None:
    other = fill_at(bot, 2)
    other.pk, other.trade_id, other.ts = None, "another", other.ts + 20 * STEP
    other.save()


DIFFERENCES: dict[str, Any] = {
    "price": lambda bot: changed(bot, 0, cost=fill_at(bot, 0).cost * Decimal("1.01")),
    "fee": lambda bot: changed(bot, 0, fee=fill_at(bot, 0).fee + 1),
    "quantity": lambda bot: changed(bot, 0, quantity=fill_at(bot, 0).quantity / 2, cost=fill_at(bot, 0).cost / 2),
    "timing": lambda bot: changed(bot, 0, ts=fill_at(bot, 0).ts + STEP),
    "missed": lose,
    "extra": add,
}


WORDS = {"missed": "only the backtest traded", "extra": "only the bot traded", "timing": "1 candle later"}


def test_a_difference_is_named_by_its_cause(bot: Bot, viewer: Client) -> None:
    for cause, make in DIFFERENCES.items():
        with transaction.atomic():
            make(bot)
            found = told(run_of(bot).run_id).json()
            assert not found["same"]
            assert {code: one["fills"] for code, one in found["causes"].items()} == {cause: 1}
            shown = page(viewer, bot)
            assert "1 of " in shown
            assert "No difference." not in shown
            assert WORDS.get(cause, cause) in shown
            transaction.set_rollback(True)


def test_what_a_cause_cost_is_told_in_money(bot: Bot) -> None:
    changed(bot, 0, fee=fill_at(bot, 0).fee + 1)
    run = run_of(bot)
    assert run.equity is not None
    BotRun.objects.filter(pk=run.pk).update(equity=run.equity - 1)
    found = told(run.run_id).json()
    assert Decimal(found["causes"]["fee"]["effect"]).quantize(Decimal("1e-6")) == -1
    assert Decimal(found["difference"]).quantize(Decimal("0.01")) == -1
    assert found["in_what_is_held"] is None


def test_a_run_that_has_decided_nothing_says_so(bot: Bot, viewer: Client) -> None:
    BotRun.objects.update(decides_from=None)
    assert "has not decided anything yet" in page(viewer, bot)
    answer = told(run_of(bot).run_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


def test_candles_that_are_not_recorded_are_said_to_be_missing(bot: Bot, viewer: Client) -> None:
    later = run_of(bot).started_at + timedelta(days=3650)
    BotRun.objects.update(history_from=later, decided_at=later)
    assert "not in the store" in page(viewer, bot)
    assert told(run_of(bot).run_id).status_code == 409


def test_a_bot_without_trades_has_nothing_to_compare(bot: Bot, viewer: Client) -> None:
    Fill.objects.all().delete()
    BotRun.objects.update(config={**run_of(bot).config, "params": {"fast": 100, "slow": 259}})
    assert "Neither has traded yet." in page(viewer, bot)


def test_what_is_not_there_is_not_found(bot: Bot, viewer: Client) -> None:
    assert told("nothing").status_code == 404
    assert viewer.get(f"/bots/other/runs/{run_of(bot).run_id}/compare/").status_code == 404


def test_the_bots_page_leads_there(bot: Bot, viewer: Client) -> None:
    path = f"/bots/{bot.bot_id}/runs/{run_of(bot).run_id}/compare/"
    assert path in viewer.get(f"/bots/{bot.bot_id}/").content.decode()
