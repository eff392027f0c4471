"""Candles, strategies and callers that the tests of runs and of the API share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from rest_framework.test import APIClient

from access.services import token_create
from backtests import services
from backtests.models import BacktestRun
from engine.strategies import registry
from engine.types import INTERVALS, Candles
from market import candles as store
from market.services import instrument_ensure
from tests.backtests.strategies import ALL
from tests.people import make_person

START = 1_640_995_200_000  # 2022-01-01
CONFIG = {
    "strategy": "sma_cross",
    "params": {"fast": 5, "slow": 20},
    "symbols": ["ETH-BTC"],
    "interval": "5m",
    "cash": "10000",
    "fee_bps": 10,
}


def results_of(run: BacktestRun) -> dict[str, Any]:
    """The stored results of a run that must have some."""
    assert run.results is not None, run.error
    found: dict[str, Any] = run.results
    return found


def make_candles(
    symbol: str = "ETH-BTC", interval: str = "5m", count: int = 600, *, seed: int = 1, skip: slice | None = None
) -> Candles:
    """A seeded random walk; `skip` leaves candles out."""
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0, 0.004, count))), 2)
    opened = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opened, close) + 0.1, np.minimum(opened, close) - 0.1
    time = START + np.arange(count, dtype=np.int64) * INTERVALS[interval]
    kept = np.ones(count, dtype=bool)
    if skip:
        kept[skip] = False
    columns: tuple[Any, ...] = (time, opened, high, low, close, random.uniform(5, 50, count).round(2))
    return Candles(symbol, interval, *(column[kept] for column in columns))


@pytest.fixture(autouse=True)
def storage_folder(settings: Any, tmp_path: Path) -> Path:
    """Each test has stored files of its own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def hold(db: None) -> Callable[..., Candles]:
    """Puts candles into the store."""

    def hold(symbol: str = "ETH-BTC", *, venue: str = "binance", rules: dict[str, str] | None = None, **made: Any) -> Candles:
        candles = make_candles(symbol, **made)
        store.write_candles(instrument_ensure(venue=venue, symbol=symbol, **(rules or {})), candles)
        return candles

    return hold


@pytest.fixture
def candles(hold: Callable[..., Candles]) -> Candles:
    """600 candles of ETH-BTC 5m at binance."""
    return hold()


@pytest.fixture
def strategies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The misbehaving strategies of `tests.backtests.strategies`, by their names."""
    for strategy in ALL:
        monkeypatch.setitem(registry.find_strategies().strategies, strategy.name, strategy)


@pytest.fixture
def execute(db: None) -> Callable[..., BacktestRun]:
    """Makes a run and does the worker's part here."""

    def execute(**changes: Any) -> BacktestRun:
        run = services.run_create(config={**CONFIG, **changes})
        return services.run_execute(run_id=run.run_id)

    return execute


@pytest.fixture
def run(candles: Candles, execute: Callable[..., BacktestRun]) -> BacktestRun:
    """A completed run."""
    return execute()


@pytest.fixture
def ada(db: None) -> User:
    """Staff: may read and trade."""
    return make_person("ada", "trader", is_staff=True)


@pytest.fixture
def vic(db: None) -> User:
    """May only look."""
    return User.objects.create_user("vic")


@pytest.fixture
def api(ada: User) -> APIClient:
    """A program with a token of Ada's."""
    cache.clear()  # throttles
    _, secret = token_create(user=ada, scopes=["read", "trade"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    # The first request notes when the token was used.
    client.get("/api/v1/backtests")
    return client
