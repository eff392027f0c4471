"""From a strategy to one candle's row of signals."""

from __future__ import annotations

import numpy as np

from engine.layout import volatility_share
from engine.live.types import SignalRow
from engine.strategy import Strategy, evaluate
from engine.types import Candles, Signals, Sizing


def last_row(signals: Signals, i: int, size: float = np.nan) -> SignalRow:
    """Row `i` of the signals. The ladder is in it from its start on."""

    def at(column: np.ndarray | None, none: float) -> float:
        return none if column is None else float(column[i])

    leave = signals.exit is not None and bool(signals.exit[i])
    enter = signals.entry is not None and bool(signals.entry[i]) and not leave
    ladder = signals.ladder
    return SignalRow(
        entry=enter,
        exit=leave,
        entry_limit=at(signals.entry_limit, np.nan),
        entry_stop=at(signals.entry_stop, np.nan),
        exit_limit=at(signals.exit_limit, np.nan),
        exit_stop=at(signals.exit_stop, np.nan),
        weight=at(signals.weight, 1.0),
        target=at(signals.target, np.nan),
        size=size,
        ladder=(ladder.buy, ladder.sell) if ladder is not None and i >= ladder.start else None,
    )


def last_size(sizing: Sizing, candles: Candles) -> float:
    """What volatility sizing allows at the last close; NaN for other sizings and where it is not known."""
    if sizing.kind != "volatility" or len(candles) <= sizing.lookback:
        return np.nan
    return float(volatility_share(sizing, candles[-sizing.lookback - 1 :])[-1])


def decide_row(strategy: Strategy, candles: Candles, sizing: Sizing) -> SignalRow | None:
    """The strategy's row at the last of these candles; None in its warm-up. `StrategyFailed` where it raises."""
    if len(candles) < max(1, strategy.warmup_at(candles.interval)):
        return None
    _, signals = evaluate(strategy, candles)
    return last_row(signals, len(candles) - 1, last_size(sizing, candles))
