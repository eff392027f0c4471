"""Invariant 5: the same candles through the simulator and through the live path on paper give the same orders, fills and equity."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from backtests.against_live import compare_with_backtest
from engine.simulator import simulate
from engine.strategies import registry
from engine.strategy import evaluate
from engine.types import ORDER_STATUSES, ORDER_TYPES, REASONS, SIDES, Candles, Simulation
from tests.trading.making import candles, config, paper_wallet, replay_bot
from trading.live.replay import replay_drive
from trading.models import Bot, Fill, Order, Position
from trading.services.bots import bot_start
from trading.setup.config import parse_config
from wallets.selectors import balance_check

pytestmark = pytest.mark.django_db(transaction=True)
CENT = Decimal("0.01")


def replayed(bot: Bot) -> Bot:
    bot_start(bot_id=bot.bot_id)
    replay_drive(bot.pk)
    return Bot.objects.select_related("run", "wallet").get(pk=bot.pk)


def simulated(raw: dict[str, Any], parts: list[Candles]) -> Simulation:
    run = parse_config(raw)
    strategy = registry.get_strategy(run.strategy)(run.params)
    signals = [evaluate(strategy, one)[1] for one in parts]
    warmup = strategy.warmup_at(run.interval)
    return simulate(run.account(), parts, signals, warmup=warmup, position=strategy.position)


def same(bot: Bot, found: Simulation, symbols: list[str]) -> None:
    """Fills one by one, orders by what they were, and the money to the last cent."""
    fills = Fill.objects.filter(bot=bot).select_related("order").order_by("id")
    ours = [(one.symbol, one.side, float(one.price), float(one.quantity), one.maker, one.order.reason) for one in fills]
    orders, table = found.orders, found.fills
    theirs = [
        (
            symbols[orders["symbol"][number]],
            SIDES[orders["side"][number]],
            float(table["price"][i]),
            float(table["quantity"][i]),
            bool(table["maker"][i]),
            REASONS[orders["reason"][number]],
        )
        for i, number in enumerate(table["order"])
    ]
    assert [one[:2] + one[4:] for one in ours] == [one[:2] + one[4:] for one in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        assert mine[2:4] == pytest.approx(other[2:4], rel=1e-12)
    assert abs(Decimal(str(found.final_cash)) - bot.run.equity) < CENT  # type: ignore[union-attr]
    placed = Order.objects.filter(bot=bot).order_by("number").values_list("side", "type", "reason", "status")
    expected = [
        (
            SIDES[orders["side"][i]],
            ORDER_TYPES[orders["type"][i]],
            REASONS[orders["reason"][i]],
            ORDER_STATUSES[orders["status"][i]],
        )
        for i in range(len(orders))
        if ORDER_STATUSES[orders["status"][i]] != "refused" and not never_sized(found, i)
    ]
    assert list(placed) == expected


def never_sized(found: Simulation, i: int) -> bool:
    quantity = found.orders["quantity"][i]
    return bool(quantity != quantity)


def books_balance(bot: Bot) -> None:
    assert not balance_check(wallet=bot.wallet)
    for position in Position.objects.filter(bot=bot):
        fills = Fill.objects.filter(bot=bot, symbol=position.symbol)
        assert position.quantity == sum((one.quantity if one.side == "buy" else -one.quantity for one in fills), Decimal(0))


@pytest.mark.parametrize("strategy", [kind.name for kind in registry.list_strategies()])
def test_every_strategy_replays_as_it_backtests(strategy: str) -> None:
    parts = [candles(260)]
    raw = config(strategy=strategy, params={})
    bot = replayed(replay_bot(paper_wallet(), strategy=strategy, params={}))
    assert bot.run is not None
    assert bot.run.end_reason == "finished", bot.run.error
    same(bot, simulated(raw, parts), ["ETH-BTC"])
    books_balance(bot)


def test_the_run_against_its_backtest_shows_no_difference() -> None:
    candles(260)
    bot = replayed(replay_bot(paper_wallet(), exits={"stop_loss": 0.01, "take_profit": 0.02}))
    found = compare_with_backtest(bot.run)  # type: ignore[arg-type]
    assert len(found.pairs) > 5
    assert found.zero
    assert found.causes == {}
