"""Mode replay: recorded candles through the live path, as fast as wanted, pausable, and going on after a crash where it was."""

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
from trading.live.history import Decisions, History
from trading.models import Bot, DesiredStatus
from trading.services.bot_loading import bot_load
from trading.services.loaded_bot import LoadedBot, MarketNow, StaleBot
from trading.services.runs import run_end, run_progress
from trading.services.steps import candle_close, candle_open, progress_save, step_apply
from trading.setup.config import RunConfig

LOOK_EVERY = 0.25
"""Seconds between two looks at what a person wants."""


@dataclass(slots=True)
class Replay:
    holding: LoadedBot
    histories: dict[str, History]
    times: Sequence[int]
    decisions: Decisions

    def opens(self, time_ms: int) -> dict[str, OHLCV]:
        found = {symbol: history.at(time_ms) for symbol, history in self.histories.items()}
        return {symbol: candle for symbol, candle in found.items() if candle is not None}

    def step(self, time_ms: int) -> None:
        """One candle of every symbol, as the live desk would see it: its open, then its close, then what the strategy makes of
        it."""
        holding, found = self.holding, self.opens(time_ms)
        opening = moment(holding, time_ms, {symbol: one.open for symbol, one in found.items()})
        candle_open(holding, time_ms, {symbol: one.open for symbol, one in found.items()}, opening)
        rows = {symbol: row for symbol in found if (row := self.row(symbol, time_ms)) is not None}
        closing = moment(holding, time_ms, {symbol: one.close for symbol, one in found.items()})
        candle_close(holding, time_ms, found, rows, closing)
        run_progress(holding.run, time_ms, decided=bool(rows))

    def row(self, symbol: str, time_ms: int) -> SignalRow | None:
        config = self.holding.config
        strategy = registry.get(config.strategy)(config.params)
        history = self.histories[symbol]
        return self.decisions.row(config.venue, history, strategy, config.sizing, int(history.time[0]), time_ms)

    def finish(self) -> None:
        """What is still held is sold at the last close that it saw, as a backtest does: the next replay begins anew."""
        holding = self.holding
        if any(holding.trader.positions().values()) or holding.trader.working():
            last = holding.time if holding.time is not None else self.times[-1]
            market = moment(holding, last, {symbol: one.close for symbol, one in self.opens(last).items()})
            step_apply(holding, market, lambda: holding.trader.sell_all("end_of_data"))
            holding.run.equity = Decimal(repr(holding.trader.cash)).quantize(Decimal("1e-8"))


def moment(holding: LoadedBot, time_ms: int, prices: dict[str, float]) -> MarketNow:
    """On recorded candles a price is never stale."""
    exact = {symbol: (Decimal(repr(price)), 0.0) for symbol, price in prices.items()}
    return MarketNow(from_ms(time_ms), exact, f"candle:{holding.config.interval}:{time_ms}", holding.trader.entries_allowed)


def replay_load(bot_id: int) -> Replay:
    holding = bot_load(bot_id)
    config = span(holding.bot, holding.config)
    histories = {one.symbol: History(one) for one in load(config)}
    times = np.unique(np.concatenate([history.time[: len(history)] for history in histories.values()]))
    return Replay(holding, histories, [int(one) for one in times], Decisions())


def span(bot: Bot, config: RunConfig) -> RunConfig:
    """The config with the replay's own span in place of the backtest's, where it has one."""
    start, end = (datetime.fromisoformat(bot.replay[name]) if bot.replay.get(name) else None for name in ("start", "end"))
    return replace(config, start=start or config.start, end=end or config.end)


def load(config: RunConfig) -> list[Candles]:
    return [
        store.load_candles(venue=config.venue, symbol=symbol, interval=config.interval, start=config.start, end=config.end)
        for symbol in config.symbols
    ]


def replay_drive(bot_id: int, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Drives the bot's present run to its end, or until a person stops it. A second driver finds the state written by another and
    leaves it alone."""
    replay = replay_load(bot_id)
    holding = replay.holding
    try:
        why = walk(replay, sleep)
        replay.finish()
        if why == "finished":
            holding.run.progress = 1.0
        progress_save(holding)
        run_end(holding.run, why)
    except StaleBot:
        return  # another worker drives it
    except DomainError as error:
        run_end(holding.run, "failed", error=str(error))


def walk(replay: Replay, sleep: Callable[[float], None]) -> str:
    """Candle by candle; answers why it ended."""
    for time_ms in paced(replay, sleep):
        if time_ms is None:
            return "stopped"
        replay.step(time_ms)
    return "finished"


def paced(replay: Replay, sleep: Callable[[float], None]) -> Iterator[int | None]:
    """The times still to come, at the speed that is wanted; None ends it. Looks at the bot's row a few times a second."""
    holding = replay.holding
    speed = float(holding.bot.replay.get("speed") or 0)
    begun, looked, first = time.monotonic(), 0.0, replay.times[0] if replay.times else 0
    for i, time_ms in enumerate(replay.times):
        if holding.time is not None and time_ms <= holding.time:
            first = time_ms
            continue
        due = begun + (time_ms - first) / 1000 / speed if speed else 0.0
        while time.monotonic() < due or time.monotonic() - looked > LOOK_EVERY:
            if time.monotonic() - looked > LOOK_EVERY:
                looked = time.monotonic()
                holding.run.progress = i / len(replay.times)
                progress_save(holding)
                wanted = Bot.objects.values_list("wanted", flat=True).get(pk=holding.bot.pk)
                if wanted in (DesiredStatus.STOPPED, DesiredStatus.CLOSING):
                    yield None
                    return
                begun += follow(replay, wanted, sleep)
            if speed:
                sleep(max(0.0, min(LOOK_EVERY, due - time.monotonic())))
        yield time_ms


def follow(replay: Replay, wanted: str, sleep: Callable[[float], None]) -> float:
    """A paused replay stands still: the seconds that it stood."""
    began = time.monotonic()
    while wanted == DesiredStatus.PAUSED:
        sleep(LOOK_EVERY)
        progress_save(replay.holding)
        wanted = Bot.objects.values_list("wanted", flat=True).get(pk=replay.holding.bot.pk)
    return time.monotonic() - began
