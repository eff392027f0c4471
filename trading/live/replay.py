"""Mode replay: recorded candles go through the live path, as fast as wanted. A replay can be paused, and after a crash it goes on
where it was.

Runs in a Celery task, alone: no stream worker and none of its threads has to do with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

import numpy as np

from core.errors import DomainError
from core.times import from_ms
from engine.live import OHLCV, SignalRow
from engine.strategies import registry
from engine.types import Candles
from market import candles as store
from trading.live.history import CandleHistory, Decisions
from trading.models import Bot, DesiredStatus
from trading.services.bot_loading import bot_load
from trading.services.loaded_bot import LoadedBot, MarketNow, StaleBot
from trading.services.runs import run_end, run_progress
from trading.services.steps import candle_close, candle_open, progress_save, step_apply
from trading.setup.config import RunConfig
from trading.setup.volume import refuse_unknown_volume

CHECK_EVERY = 0.25
"""Seconds after which the bot's row is read again for what a person wants."""


@dataclass(slots=True)
class Replay:
    loaded_bot: LoadedBot
    histories: dict[str, CandleHistory]
    times: Sequence[int]
    decisions: Decisions

    def find_candles(self, time_ms: int) -> dict[str, OHLCV]:
        """Those that opened then, by symbol."""
        found = {symbol: history.at(time_ms) for symbol, history in self.histories.items()}
        return {symbol: candle for symbol, candle in found.items() if candle is not None}

    def step(self, time_ms: int) -> None:
        """One candle of every symbol, as the live desk would see it: its open, then its close, then what the strategy makes of
        it."""
        loaded, found = self.loaded_bot, self.find_candles(time_ms)
        opening = make_market(loaded, time_ms, {symbol: one.open for symbol, one in found.items()})
        candle_open(loaded, time_ms, {symbol: one.open for symbol, one in found.items()}, opening)
        rows = {symbol: row for symbol in found if (row := self.find_row(symbol, time_ms)) is not None}
        closing = make_market(loaded, time_ms, {symbol: one.close for symbol, one in found.items()})
        candle_close(loaded, time_ms, found, rows, closing)
        run_progress(loaded.run, time_ms, decided=bool(rows))

    def find_row(self, symbol: str, time_ms: int) -> SignalRow | None:
        config = self.loaded_bot.config
        strategy = registry.get_strategy(config.strategy)(config.params)
        history = self.histories[symbol]
        return self.decisions.row(config.venue, history, strategy, config.sizing, int(history.time[0]), time_ms)

    def finish(self) -> None:
        """Sells what the bot still has at the last close that it saw, as a backtest does: the next replay begins with nothing."""
        loaded = self.loaded_bot
        if any(loaded.trader.positions().values()) or loaded.trader.working():
            last = loaded.time if loaded.time is not None else self.times[-1]
            market = make_market(loaded, last, {symbol: one.close for symbol, one in self.find_candles(last).items()})
            step_apply(loaded, market, lambda: loaded.trader.sell_all("end_of_data"))
            loaded.run.equity = Decimal(repr(loaded.trader.cash)).quantize(Decimal("1e-8"))


def make_market(loaded: LoadedBot, time_ms: int, prices: dict[str, float]) -> MarketNow:
    """The market at a recorded candle, where a price is never stale."""
    exact = {symbol: (Decimal(repr(price)), 0.0) for symbol, price in prices.items()}
    return MarketNow(from_ms(time_ms), exact, f"candle:{loaded.config.interval}:{time_ms}", loaded.trader.entries_allowed)


def replay_load(bot_id: int) -> Replay:
    loaded = bot_load(bot_id)
    config = find_span(loaded.bot, loaded.config)
    histories = {one.symbol: CandleHistory(one) for one in load_candles(config)}
    times = np.unique(np.concatenate([history.time[: len(history)] for history in histories.values()]))
    return Replay(loaded, histories, [int(one) for one in times], Decisions())


def find_span(bot: Bot, config: RunConfig) -> RunConfig:
    """The config with the replay's own span in place of the backtest's, where it has one."""
    start, end = (datetime.fromisoformat(bot.replay[name]) if bot.replay.get(name) else None for name in ("start", "end"))
    return replace(config, start=start or config.start, end=end or config.end)


def load_candles(config: RunConfig) -> list[Candles]:
    return [
        store.load_candles(venue=config.venue, symbol=symbol, interval=config.interval, start=config.start, end=config.end)
        for symbol in config.symbols
    ]


def replay_drive(bot_id: int, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Drives the bot's present run to its end, or until a person stops it. A second driver finds the state written by another and
    leaves it alone."""
    replay = replay_load(bot_id)
    loaded = replay.loaded_bot
    if loaded.run.books_id is None:
        replay_fail(bot_id, "It began before replays had books of their own. Start it again.")
        return
    try:
        unknown = [symbol for symbol, history in replay.histories.items() if not history.volume_known]
        refuse_unknown_volume(loaded.config, unknown)
        why = walk_candles(replay, sleep)
        replay.finish()
        if why == "finished":
            loaded.run.progress = 1.0
        progress_save(loaded)
        run_end(loaded.run, why)
    except StaleBot:
        return  # another worker drives it
    except DomainError as error:
        replay_fail(bot_id, str(error))


def replay_fail(bot_id: int, error: str) -> None:
    """Ends the run. Its orders are over, so that nothing stays set aside for them; what it holds, the next run forgets."""
    loaded = bot_load(bot_id, unreadable=True)
    if not loaded.unreadable:
        step_apply(loaded, make_market(loaded, loaded.time or 0, {}), loaded.trader.cancel_all)
    run_end(loaded.run, "failed", error=error)


def walk_candles(replay: Replay, sleep: Callable[[float], None]) -> str:
    """Goes candle by candle; returns why the run ends."""
    for time_ms in pace_candles(replay, sleep):
        if time_ms is None:
            return "stopped"
        replay.step(time_ms)
    return "finished"


def pace_candles(replay: Replay, sleep: Callable[[float], None]) -> Iterator[int | None]:
    """Yields the times still to come, at the speed that is wanted, and None where a person has ended the run. Reads the bot's row a
    few times a second, and saves how far the run is."""
    loaded = replay.loaded_bot
    speed = float(loaded.bot.replay.get("speed") or 0)
    begun, checked, first = time.monotonic(), 0.0, replay.times[0] if replay.times else 0
    for i, time_ms in enumerate(replay.times):
        if loaded.time is not None and time_ms <= loaded.time:
            first = time_ms
            continue
        due = begun + (time_ms - first) / 1000 / speed if speed else 0.0
        while time.monotonic() < due or time.monotonic() - checked > CHECK_EVERY:
            if time.monotonic() - checked > CHECK_EVERY:
                checked = time.monotonic()
                loaded.run.progress = i / len(replay.times)
                progress_save(loaded)
                wanted = Bot.objects.values_list("wanted", flat=True).get(pk=loaded.bot.pk)
                if wanted in (DesiredStatus.STOPPED, DesiredStatus.CLOSING):
                    yield None
                    return
                begun += wait_paused(replay, wanted, sleep)
            if speed:
                sleep(max(0.0, min(CHECK_EVERY, due - time.monotonic())))
        yield time_ms


def wait_paused(replay: Replay, wanted: str, sleep: Callable[[float], None]) -> float:
    """Waits while the replay is paused. Returns the seconds that it was."""
    began = time.monotonic()
    while wanted == DesiredStatus.PAUSED:
        sleep(CHECK_EVERY)
        progress_save(replay.loaded_bot)
        wanted = Bot.objects.values_list("wanted", flat=True).get(pk=replay.loaded_bot.bot.pk)
    return time.monotonic() - began
