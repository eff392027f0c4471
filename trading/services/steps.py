"""What the engine does at a candle, a price or a person's word, becomes rows: on paper in a transaction, for a venue in one
statement."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial

from django.db import transaction

from core.times import to_ms
from engine.live import OHLCV, SignalRow, Step
from engine.live.previews import may_surprise, preview_close, preview_open
from trading.services.loaded_bot import LoadedBot, MarketNow
from trading.services.paper_steps import PaperStepWriter
from trading.services.runs import runs_progress_write
from trading.services.step_writer import StepEffects, note_equity
from trading.services.venue_steps import VenueStepWriter


def step_apply(loaded_bot: LoadedBot, market: MarketNow, call: Callable[[], Step]) -> StepEffects:
    """What the engine does on `call` becomes rows. A step in which nothing happens writes nothing. After an exception the bot in
    memory is out of step with its rows: load it again."""
    step = call()
    if not (step.wanted or step.executed or step.done):
        note_equity(loaded_bot, step)
        return StepEffects()
    if loaded_bot.external:
        venue_writer = VenueStepWriter(loaded_bot, market)
        venue_writer.take(step)
        return venue_writer.finish()
    with transaction.atomic():
        paper_writer = PaperStepWriter(loaded_bot, market)
        paper_writer.take(step)
        return paper_writer.finish()


def exits_retry(loaded_bot: LoadedBot, market: MarketNow, changed: Collection[str]) -> StepEffects:
    """Exits that were refused go out again if it is their time. `changed`: symbols where what kept them may have gone. That one is
    blocked no more is written though nothing else happens."""
    trader, before = loaded_bot.trader, loaded_bot.trader.blocked_exits().keys()
    effects = step_apply(loaded_bot, market, lambda: trader.retry_exits(to_ms(market.time), changed))
    if effects.news or before <= trader.blocked_exits().keys():
        return effects
    return VenueStepWriter(loaded_bot, market).finish()


def candle_open(loaded_bot: LoadedBot, time_ms: int, opens: Mapping[str, float], market: MarketNow) -> StepEffects:
    """The candle that opened at `time_ms` has begun; `opens` by symbol, in quote. On paper, what was queued is executed at its
    open. For a venue the exits are wanted now, and the entries once no exit is on its way (`Trader.entries`)."""
    trader = loaded_bot.trader
    loaded_bot.opened = time_ms  # before the step, so that the row agrees with the trader's snapshot beside it
    effects = None
    if not (loaded_bot.external or trader.waits_for_volume):
        expected = preview_open(trader, opens)
        if any(one.side == "buy" for one in expected.wanted):
            again = partial(preview_open, trader, opens)
            effects = paper_apply(loaded_bot, market, expected, again, lambda: trader.open(time_ms, opens))
    if effects is None:
        effects = step_apply(loaded_bot, market, lambda: trader.open(time_ms, opens))
    return effects


def paper_apply(
    loaded_bot: LoadedBot, market: MarketNow, expected: Step, preview: Callable[[], Step], call: Callable[[], Step]
) -> StepEffects:
    """As `step_apply`, where the entries that the engine is `expected` to execute are looked at before it does. Where one is
    refused, others may take its place: they are looked at in their turn."""
    with transaction.atomic():
        writer = PaperStepWriter(loaded_bot, market)
        while writer.refuse_one(expected):
            expected = preview()
        writer.take(call())
        return writer.finish()


def candle_close(
    loaded_bot: LoadedBot,
    time_ms: int,
    candles: Mapping[str, OHLCV],
    rows: Mapping[str, SignalRow],
    market: MarketNow,
    *,
    tradable: bool = True,
) -> StepEffects:
    """The candle that opened at `time_ms` has closed; `candles` and the strategy's `rows` by symbol. Paper executes what lies
    inside the candle, and then the trader takes in what the strategy wants. `tradable`: False where the close is too old to act
    on."""
    trader = loaded_bot.trader
    if not loaded_bot.external and loaded_bot.opened != time_ms:
        candle_open(loaded_bot, time_ms, {symbol: one.open for symbol, one in candles.items()}, market)
    loaded_bot.time = time_ms
    if may_surprise(trader):
        preview = partial(preview_close, trader, time_ms, candles)
        return paper_apply(loaded_bot, market, preview(), preview, lambda: trader.close(time_ms, candles, rows, tradable))
    return step_apply(loaded_bot, market, lambda: trader.close(time_ms, candles, rows, tradable))


def progress_save(loaded_bot: LoadedBot) -> None:
    """Writes the engine's memory and how far the run is, for when no step has done so for a while."""
    with transaction.atomic():
        loaded_bot.save_state()
        runs_progress_write([loaded_bot.run])
