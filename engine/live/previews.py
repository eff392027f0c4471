"""What a trader would do next, tried out on a copy: for checks before it does.

A copy is made by `dump` and `load`: about as much work as storing the state once and a step. Ask once a candle, not at each price.
Numbers are the ones that the orders will have.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.book import LIMIT, STOP_LIMIT
from engine.live.trader import Trader
from engine.live.types import OHLCV, Step


def preview_open(trader: Trader, prices: Mapping[str, float]) -> Step:
    """What `open` would execute, or want next, were the open at `prices`. Where nothing is queued it costs next to nothing."""
    if not trader.trader_state.has_queued():
        return Step()
    twin = copy_trader(trader)
    twin.trader_state.opened = [False] * len(trader.symbols)
    twin.trader_state.book.setup["reserve"] = trader.reserve
    return twin.open_symbols(twin.prices(prices))


def preview_close(trader: Trader, time_ms: int, candles: Mapping[str, OHLCV]) -> Step:
    """What `close` would execute, were the strategy to want nothing."""
    return copy_trader(trader).close(time_ms, candles, {})


def may_surprise(trader: Trader) -> bool:
    """Whether a close may buy at a price that nobody knows before: stops do, and what waits for the candle's volume."""
    if trader.external:
        return False
    if trader.waits_for_volume and trader.trader_state.has_queued():
        return True
    working = trader.trader_state.book.working
    rows = trader.trader_state.purchase_rows()
    return any(working[row]["kind"] not in (LIMIT, STOP_LIMIT) and working[row]["left"] > 0.0 for row in rows)


def copy_trader(trader: Trader) -> Trader:
    twin = Trader(trader.account, trader.symbols, trader.step_ms, trader.position, external=False)
    twin.load(trader.dump())
    return twin
