"""Made-up candles: the same from the same seed, and like real ones where it matters."""

from __future__ import annotations

import numpy as np
import pytest

from market.generator import MarketShape, cut_gap, generate_candles
from tests.market.files import START, same

MARKET = MarketShape(price=30_000.0, tick=0.01, volatility=0.6, volume=5_000.0)


CANDLES = generate_candles(symbol="BTC-USD", interval="1m", start=START, count=200_000, seed=3, market=MARKET)


def test_the_seed_decides() -> None:
    again = generate_candles(symbol="BTC-USD", interval="1m", start=START, count=200_000, seed=3, market=MARKET)
    other = generate_candles(symbol="BTC-USD", interval="1m", start=START, count=200_000, seed=4, market=MARKET)
    assert same(CANDLES, again)
    assert not same(CANDLES, other)


def test_every_candle_is_sound() -> None:
    part = CANDLES
    assert (part.high >= np.maximum(part.open, part.close)).all()
    assert (part.low <= np.minimum(part.open, part.close)).all()
    assert (part.low > 0).all()
    assert (part.volume >= 0).all()
    assert (np.diff(part.time) == 60_000).all()
    assert (part.open[1:] == part.close[:-1]).all()


@pytest.mark.parametrize("name", ["open", "high", "low", "close"])
def test_prices_stand_on_ticks(name: str) -> None:
    assert (np.round(getattr(CANDLES, name), 2) == getattr(CANDLES, name)).all()


def test_returns_are_like_those_of_markets() -> None:
    returns = np.diff(np.log(CANDLES.close))
    assert np.std(returns) * np.sqrt(525_600) == pytest.approx(MARKET.volatility, rel=0.15)
    kurtosis = np.mean((returns - returns.mean()) ** 4) / np.var(returns) ** 2
    assert kurtosis > 4.5  # a normal distribution has 3
    size = np.abs(returns)
    assert np.corrcoef(size[:-60], size[60:])[0, 1] > 0.1  # volatility comes in waves
    assert abs(np.corrcoef(returns[:-1], returns[1:])[0, 1]) < 0.02  # but direction does not
    assert np.corrcoef(size, CANDLES.volume[1:])[0, 1] > 0.3


def test_trade_has_its_hours() -> None:
    hour = CANDLES.time // 3_600_000 % 24
    assert CANDLES.volume[hour == 15].mean() > 1.3 * CANDLES.volume[hour == 4].mean()


def test_a_gap_can_be_cut() -> None:
    part = cut_gap(CANDLES, 100, 47)
    assert len(part) == len(CANDLES) - 47
    assert np.diff(part.time).max() == 48 * 60_000
