"""What a person wants of a running bot: to pause, to go on, to stop, or to sell everything first.

`follow_wanted` is called on the loop; what it submits runs in the bot's thread.
"""

from __future__ import annotations

from collections.abc import Mapping

from trading.live.bot_runner import BotRunner
from trading.models import OPEN, DesiredStatus, Order
from trading.services.orders import orders_cancel_note
from trading.services.runs import run_end
from trading.services.step_writer import StepEffects


def follow_wanted(runner: BotRunner, wanted: str) -> None:
    """Called every second or so: a bot that does already as is wanted is left alone."""
    entries_allowed = runner.loaded_bot.trader.entries_allowed
    if wanted == DesiredStatus.PAUSED and entries_allowed:
        runner.submit(runner.steps.pause, urgent=True)
    elif wanted == DesiredStatus.RUNNING and not entries_allowed:
        runner.submit(runner.steps.resume, urgent=True)
    elif wanted == DesiredStatus.CLOSING:
        runner.submit(lambda: wind_up(runner, sell=True), urgent=True)
    elif wanted == DesiredStatus.STOPPED:
        runner.submit(lambda: wind_up(runner, sell=False), urgent=True)


def wind_up(runner: BotRunner, *, sell: bool) -> StepEffects | None:
    """Called again and again until nothing is open: then the run ends."""
    steps, loaded = runner.steps, runner.loaded_bot
    prices = steps.find_prices()
    if loaded.trader.entries_allowed:
        return steps.pause()  # a bot that winds up buys nothing more
    selling = is_selling(runner)
    if sell and has_to_sell(runner, prices) and not selling:
        return steps.act_by_hand("close", lambda: loaded.trader.sell_all("by_hand", prices))
    if loaded.orders and not (sell and selling):
        # All of them: the engine does not know those that were adopted.
        orders_cancel_note(Order.objects.filter(run=loaded.run, status__in=OPEN, cancel_requested=False))
        return steps.act_by_hand("stop", loaded.trader.cancel_all)
    if not loaded.orders:
        runner.candles.save()
        run_end(loaded.run, "closed" if sell else "stopped")
        runner.leave()
    return None


def has_to_sell(runner: BotRunner, prices: Mapping[str, float]) -> bool:
    """Whether it holds more than crumbs, which no venue takes: fees in base leave parts of a lot behind."""
    for symbol, quantity in runner.loaded_bot.trader.positions().items():
        rules = runner.loaded_bot.instruments[symbol]
        worth = quantity * prices.get(symbol, float("inf"))
        if quantity > 0 and quantity >= float(rules.lot_size or 0) and worth >= float(rules.min_notional or 0):
            return True
    return False


def is_selling(runner: BotRunner) -> bool:
    """Whether a market order to sell is on its way: a take-profit that rests does not count."""
    return any(order.side == "sell" and order.type == "market" for order in runner.loaded_bot.trader.working())
