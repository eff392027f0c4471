"""What a person wants of a running bot: to pause, to go on, to stop, or to sell everything first.

`follow_wanted` is called on the loop; what it submits runs in the bot's thread.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.order_rules import is_dust
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
    if sell and (unsold := list_unsold(runner, prices)):
        # A sale that only waits for an open is wanted anew. One that was refused is tried again when it is its time.
        if loaded.trader.is_selling() or (loaded.external and unsold <= loaded.trader.symbols_leaving()):
            return None
        return steps.act_by_hand("close", lambda: loaded.trader.sell_all("by_hand", prices))
    if loaded.orders:
        # All of them: the engine does not know those that were adopted.
        orders_cancel_note(Order.objects.filter(run=loaded.run, status__in=OPEN, cancel_requested=False))
        return steps.act_by_hand("stop", loaded.trader.cancel_all)
    runner.candles.save()
    run_end(loaded.run, "closed" if sell else "stopped")
    runner.leave()
    return None


def list_unsold(runner: BotRunner, prices: Mapping[str, float]) -> set[str]:
    """The symbols of which it holds something that can be sold: at a venue dust cannot, nor what was dust when its lots were given
    up."""
    loaded = runner.loaded_bot
    held = {lot.symbol for lot in loaded.trader.holdings()}
    return {
        symbol
        for symbol, quantity in loaded.trader.positions().items()
        if symbol in held and not (loaded.external and is_dust(loaded.rules[symbol], quantity, prices.get(symbol, 0.0)))
    }
