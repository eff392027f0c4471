"""A strategy that raises or never returns stops its own bot, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.days import Day
from tests.chaos.desk import bot, fixed, open_paper_desk, start
from tests.chaos.play import Play
from trading.live.pools import THREADS
from trading.models import Bot, BotRun, BotState
from wallets.models import Wallet

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
QUIET = Day(seed=1, kills=(), rules=())


def evaluations() -> int:
    return BotRun.objects.get(bot__name="good").evaluations


def begin(name: str, strategy: str, params: dict[str, int | float]) -> Bot:
    """On paper."""
    made = bot(strategy, "binance", "BTC-USDT", params, fixed("100"), {})
    return start(made | {"name": name}, Wallet.objects.get(name="paper"), mode="paper")


def test_a_strategy_that_raises_or_never_returns_stops_its_own_bot_only(tmp_path: Path) -> None:
    with Play(QUIET, tmp_path, desk=open_paper_desk) as play:
        begin("good", "dca", {"every": 1, "part": 1})
        begin("raises", "chaos_raises", {})
        for number in range(THREADS["routine"]):  # as many as there are threads for candles
            begin(f"hangs {number}", "chaos_hangs", {})
        play.begin_child(None)
        bad = BotRun.objects.exclude(bot__name="good")
        play.until(lambda: not bad.filter(ended_at=None).exists(), "the faulty bots are stopped")
        before = evaluations()
        play.until(lambda: evaluations() > before + 3, "the good bot goes on")
    assert {run.end_reason for run in bad} == {"failed"}
    assert "a mistake of its author" in bad.get(bot__name="raises").error
    assert "did not return within 1 s" in bad.get(bot__name="hangs 0").error
    assert BotRun.objects.get(bot__name="good").ended_at is None


def test_a_bot_whose_memory_cannot_be_read_ends_alone(tmp_path: Path) -> None:
    with Play(QUIET, tmp_path, desk=open_paper_desk) as play:
        lost = begin("lost", "dca", {"every": 1, "part": 1})
        BotState.objects.filter(bot=lost).update(book=b"of another time")
        begin("good", "dca", {"every": 1, "part": 1})
        play.begin_child(None)
        play.until(lambda: evaluations() > 1, "the good bot trades")
    run = BotRun.objects.get(bot=lost)
    assert (run.end_reason, run.error) == ("failed", "The bot's stored state cannot be read. Start a new run.")
