"""Invariant 5 over the wire: fed with recorded candles by the sockets of both venues, bots on paper do what their backtests do."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from heapq import merge
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Q

from backtests.against_live import compare_with_backtest
from core.times import from_ms
from engine.resample import resample
from engine.strategies import registry
from engine.strategy import Strategy
from market.sandbox.history import SandboxCandle
from market.sandbox.scenario import Scenario
from market.sandbox.tape import of_candles
from tests.chaos.days import HOUR
from tests.chaos.desk import LISTED, START, bot, open_paper_desk, start
from tests.chaos.play import Play
from tests.chaos.test_strategies import QUIET
from tests.engine.driving import recorded
from trading.models import Bot, BotRun
from wallets.models import Wallet

PLACES = (("binance", "BTC-USDT"), ("coinbase", "BTC-USD"))
KNOWN, PLAYED = 480, 60
"""Hours that are history when the bots begin, and hours after it."""
PARAMS: dict[str, dict[str, Any]] = {"momentum": {"higher": "4h", "trend": 5}, "buy_and_hold": {}}
"""That act within so few hours."""


def hours(shared_data: Path) -> list[SandboxCandle]:
    """Recorded, moved so that the known ones end at START."""
    found = resample(recorded(shared_data / "candles" / "BTC-USD-1m-2022-01.csv.gz", "BTC-USD", "1m"), "1h")
    columns = (found.open, found.high, found.low, found.close, found.volume)
    rows = zip(*([exact(value) for value in column[: KNOWN + PLAYED]] for column in columns), strict=True)
    return [SandboxCandle(START + (number - KNOWN) * HOUR, *row) for number, row in enumerate(rows)]


def exact(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal("0.01"))


def scenario(candles: list[SandboxCandle]) -> Scenario:
    listed = {venue: tuple(one for one in LISTED[venue] if one.symbol == symbol) for venue, symbol in PLACES}
    past, plays = {}, []
    for venue, symbol in PLACES:
        one = listed[venue][0]
        past[venue, symbol] = candles[:KNOWN]
        plays.append(of_candles(venue, symbol, candles[KNOWN:], lot=one.lot, step=HOUR))
    listed = {venue: (replace(one[0], price=candles[0].open),) for venue, one in listed.items()}
    return Scenario(speed=None, start=START, ticks=merge(*plays, key=lambda tick: tick.time), past=past, listed=listed)


@pytest.mark.django_db(transaction=True)
@pytest.mark.chaos
def test_every_strategy_on_paper_at_both_venues_does_what_its_backtest_does(
    tmp_path: Path, shared_data: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    with Play(QUIET, tmp_path, desk=open_paper_desk, market=scenario(hours(shared_data))) as play:
        paper = Wallet.objects.get(name="paper")
        for venue, symbol in PLACES:
            for kind in built_in():
                made = bot(kind.name, venue, symbol, PARAMS.get(kind.name, {}), {"kind": "all_in"}, {"stop_loss": 0.02})
                start(made, paper, mode="paper")
        play.begin_child(None)
        for hour in range(0, PLAYED, 12):
            play.until(lambda hour=hour: taken_in(hour), f"hour {hour} is taken in")  # type: ignore[misc]
        assert play.child
        play.child.terminate()  # in order: the newest candles are written
        play.child.join()
    traded = 0
    for run in BotRun.objects.select_related("bot"):
        found = compare_with_backtest(run)
        assert found.zero, (run.bot.name, run.bot.venue, found.causes)
        traded += bool(found.pairs)
    assert traded >= Bot.objects.count() / 3


def built_in() -> list[type[Strategy]]:
    return [kind for kind in registry.list_strategies() if kind.__module__.startswith("engine.strategies.")]


def taken_in(hour: int) -> bool:
    return not BotRun.objects.filter(Q(decided_at=None) | Q(decided_at__lt=from_ms(START + hour * HOUR))).exists()
