"""Believable candles from a seed, for demonstrations and tests. They are made up: nothing about a real market follows from them.

What is copied from real ones: volatility comes in waves that last from hours to weeks, returns have fat tails (Student's t),
trade is heavier at certain hours and when prices move, prices stand on ticks, and a candle opens where the one before closed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.types import Candles, Floats, Ints, interval_ms

DAY = 86_400_000
YEAR = 365 * DAY
TAILS = 4
"""Degrees of freedom of the returns."""


RHYTHM = ((15, 3.0, 0.5), (8, 2.5, 0.25), (4, 3.0, -0.3))
"""How trade is spread over a day: (hour UTC, width in hours, weight)."""


@dataclass(frozen=True, slots=True)
class MarketShape:
    """What a made-up market is like: yearly ratios, volume in base units a day, rounded to `decimals`."""

    price: float
    tick: float
    volatility: float = 0.6
    drift: float = 0.1
    volume: float = 1000.0
    decimals: int = 5


def generate_candles(*, symbol: str, interval: str, start: int, count: int, seed: int, market: MarketShape) -> Candles:
    """`count` candles from `start` (ms, a multiple of the interval) on. The same arguments give the same candles."""
    step = interval_ms(interval)
    random = np.random.default_rng([seed, step, *symbol.encode()])
    time = start + step * np.arange(count, dtype=np.int64)
    waves = _volatility_waves(random, time, step)
    sigma = market.volatility * np.sqrt(step / YEAR) * waves
    close = _walk_closes(random, market, time, step, sigma)
    open_ = np.concatenate(([market.price], close[:-1]))
    # A candle reaches about as far beyond open and close as it moved.
    above, below = (np.abs(random.standard_normal(count)) * sigma * 0.5 for _ in range(2))
    high = np.maximum(_on_tick(np.maximum(open_, close) * (1 + above), market), np.maximum(open_, close))
    low = np.minimum(_on_tick(np.minimum(open_, close) * (1 - below), market), np.minimum(open_, close))
    moved = np.abs(np.log(close / open_)) / sigma
    return Candles(symbol, interval, time, open_, high, low, close, _trade_volume(random, market, time, step, waves, moved))


def cut_gap(candles: Candles, first: int, count: int) -> Candles:
    """The candles without `count` of them from index `first` on."""
    keep = np.ones(len(candles), dtype=bool)
    keep[first : first + count] = False
    columns = (getattr(candles, name)[keep] for name in ("time", "open", "high", "low", "close", "volume"))
    return Candles(candles.symbol, candles.interval, *columns)


def _volatility_waves(random: np.random.Generator, time: Ints, step: int) -> Floats:
    """Volatility relative to its long-run level: noise at scales of hours, days and weeks, multiplied."""
    scale = np.zeros(len(time))
    for period, weight in ((DAY // 6, 0.25), (DAY, 0.25), (6 * DAY, 0.35), (30 * DAY, 0.3)):
        if period > step:
            scale += weight * _smooth_noise(random, time, period)
    # The mean square is kept at one: variance is what adds up over a year.
    return np.exp(scale) / np.sqrt(np.mean(np.exp(2 * scale)))


def _smooth_noise(random: np.random.Generator, time: Ints, period: int) -> Floats:
    """Noise with a standard deviation of about one that changes over `period`."""
    knots = np.arange(time[0], time[-1] + 2 * period, period)
    return np.interp(time, knots, random.standard_normal(len(knots)))


def _walk_closes(random: np.random.Generator, market: MarketShape, time: Ints, step: int, sigma: Floats) -> Floats:
    noise = random.standard_t(TAILS, len(time)) / np.sqrt(TAILS / (TAILS - 2))
    # Trends of about ten days, up and down, around the long drift.
    trend = (market.drift + market.volatility * _smooth_noise(random, time, 10 * DAY)) * step / YEAR
    returns = np.clip(sigma * noise, -0.2, 0.2) + trend - sigma**2 / 2
    return _on_tick(market.price * np.exp(np.cumsum(returns)), market)


def _on_tick(prices: Floats, market: MarketShape) -> Floats:
    """Rounded to ticks, as the float64 nearest to the decimal, and never below one tick."""
    decimals = max(0, round(-np.log10(market.tick)) + 2)
    return np.round(np.maximum(np.rint(prices / market.tick), 1) * market.tick, decimals)


def _trade_volume(
    random: np.random.Generator,
    market: MarketShape,
    time: Ints,
    step: int,
    waves: Floats,
    moved: Floats,
) -> Floats:
    hour = (time % DAY) / DAY * 24
    # Heaviest when Europe and America are both awake, lightest before Europe is.
    daily = 1 + sum(weight * np.exp(-(((hour - peak) / width) ** 2)) for peak, width, weight in RHYTHM)
    level = market.volume * step / DAY * daily * waves * (0.5 + moved)
    return np.round(level * random.lognormal(-0.2, 0.6, len(time)), market.decimals)
