"""The candles of one bot: each that has begun or closed is taken in once and in order, however late its turn comes.

Everything is called in the bot's thread.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from decimal import Decimal

from core.times import from_ms
from engine.grid import find_close, shift_open
from engine.live import SignalRow
from trading import metrics
from trading.live.bot_steps import BotSteps
from trading.live.history import CandleHistory
from trading.live.strategy_host import StrategyHost
from trading.live.threads import BOT, called_from
from trading.services.loaded_bot import LoadedBot
from trading.services.runs import run_progress
from trading.services.step_writer import StepEffects
from trading.services.steps import candle_close, candle_open, progress_save

SAVE_EVERY = 300.0
HOLE_SECONDS = 20.0
"""Of the market's time, that the opening of a candle waits for the close of the one before it."""


@called_from(BOT)
class BotCandles:
    def __init__(self, steps: BotSteps, host: StrategyHost) -> None:
        self.steps, self.host = steps, host
        self.saved_at = time.monotonic() - steps.loaded_bot.bot.pk % 60 / 60 * SAVE_EVERY  # not all bots at the same candle
        self.progressed = False
        """Whether the run is further than its row says."""

    @property
    def loaded_bot(self) -> LoadedBot:
        return self.steps.loaded_bot

    def catch_up(self) -> StepEffects | None:
        """Takes in every candle that has closed since the last one, oldest first."""
        for time_ms in self.list_closed():
            if self.steps.explain_not_ready():
                return None  # later: candles stay in the history
            self.steps.dispatch(self.close(time_ms))
        return self.act_now()

    def act_now(self) -> StepEffects | None:
        """At a venue, what was decided at the last close goes out at the present price, if its candle has begun by now."""
        loaded, config = self.loaded_bot, self.loaded_bot.config
        begun = self.steps.inputs.market.find_open_time(config.symbols[0], config.interval)
        if not loaded.external or begun is None or loaded.opened == begun or not loaded.trader.working():
            return None
        prices = self.steps.find_prices()
        return self.open(begun, prices) if len(prices) == len(config.symbols) else None

    def find_histories(self) -> dict[str, CandleHistory]:
        config, market = self.loaded_bot.config, self.steps.inputs.market
        return {symbol: market.find_history(symbol, config.interval) for symbol in config.symbols}

    def list_closed(self) -> list[int]:
        """Open times of candles that are complete for all symbols, or past which some symbol has gone on."""
        loaded, histories = self.loaded_bot, list(self.find_histories().values())
        start = loaded.time if loaded.time is not None else (histories[0].last or 0) - 1
        if loaded.external and loaded.opened is not None:
            start = max(start, loaded.opened - 1)  # what comes after the next one has begun is too late
        times = sorted({moment for history in histories for moment in history.since(start)})
        newest = max((history.last or 0 for history in histories), default=0)
        return [moment for moment in times if moment < newest or all(history.last == newest for history in histories)]

    def open(self, time_ms: int, opens: Mapping[str, float]) -> StepEffects | None:
        """The candle has begun: what was queued at the close before it goes out."""
        steps, loaded = self.steps, self.loaded_bot
        if steps.explain_not_ready() or (loaded.opened is not None and time_ms <= loaded.opened and loaded.external is False):
            return None
        if loaded.time is not None and self.list_closed():
            self.catch_up()
        if loaded.time is None or time_ms <= loaded.time or self.has_hole(time_ms):
            return None
        prices = {symbol: (Decimal(repr(price)), 0.0) for symbol, price in opens.items()}
        market = steps.describe_market(f"open:{loaded.config.interval}:{time_ms}", prices=prices, time_ms=time_ms)
        effects = candle_open(loaded, time_ms, opens, market)
        if loaded.external:
            steps.dispatch(effects)
            return steps.send_entries()
        return effects

    def has_hole(self, time_ms: int) -> bool:
        """Whether the candle before that one is still to come: the engine takes candles in order. The venue is being asked for
        it; one without trades never comes. At a venue the opening waits for a while. On paper it is taken in with its candle's
        close instead, at the same price, so that nothing is lost by waiting."""
        missing = (self.loaded_bot.time or 0) < shift_open(self.loaded_bot.config.interval, time_ms, -1)
        return missing and (not self.loaded_bot.external or self.steps.inputs.now_ms() - time_ms < HOLE_SECONDS * 1000)

    def close(self, time_ms: int) -> StepEffects:
        """The candle that opened at `time_ms` has closed, and the strategy decides. On paper the bot trades at the candle's own
        prices, at a venue at the last ones, and not where it decides more than a candle late."""
        loaded, now_ms = self.loaded_bot, self.steps.inputs.now_ms
        histories = self.find_histories()
        candles = {symbol: candle for symbol, history in histories.items() if (candle := history.at(time_ms))}
        began = time.perf_counter()
        rows = self.decide({symbol: histories[symbol] for symbol in candles}, time_ms)
        run, closed_at = loaded.run, find_close(loaded.config.interval, time_ms)
        run.history_from = run.history_from or from_ms(min(self.find_first(history) for history in histories.values()))
        run_progress(run, time_ms, decided=bool(rows))
        late = now_ms() - closed_at > closed_at - time_ms
        prices = {symbol: (Decimal(repr(one.close)), 0.0) for symbol, one in candles.items()} if not loaded.external else None
        trigger = f"candle:{loaded.config.interval}:{time_ms}"
        market = self.steps.describe_market(trigger, prices=prices, time_ms=closed_at)
        effects = candle_close(loaded, time_ms, candles, rows, market, tradable=not (late and loaded.external))
        run.evaluation_ms = (time.perf_counter() - began) * 1000
        metrics.evaluation_seconds.observe(run.evaluation_ms / 1000)
        self.note_progress()
        return effects

    def decide(self, histories: Mapping[str, CandleHistory], time_ms: int) -> dict[str, SignalRow]:
        """What the strategy wants, by symbol; none in its warm-up."""
        rows = {}
        venue, sizing = self.loaded_bot.bot.venue, self.loaded_bot.config.sizing
        with self.host.watch():
            for symbol, history in histories.items():
                row = self.steps.inputs.decisions.row(venue, history, self.host.strategy, sizing, self.find_first(history), time_ms)
                if row is not None:
                    rows[symbol] = row
        return rows

    def find_first(self, history: CandleHistory) -> int:
        return self.host.find_first_candle(self.loaded_bot.run, history, self.steps.inputs.now_ms())

    def note_progress(self) -> None:
        """Idle closes are written down once in a while only; after a crash they are walked again, with the same outcome. How far
        the run is goes to its row sooner, with those of other bots: `runs_progress_write`."""
        self.progressed = True
        if time.monotonic() - self.saved_at > SAVE_EVERY:
            self.save()

    def save(self) -> None:
        progress_save(self.loaded_bot)
        self.saved_at = time.monotonic()
