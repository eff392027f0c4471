"""What strategies want at a close, where the kernel reads it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.book import RUNG
from engine.layout import INTENT_ENTRY, INTENT_EXIT, INTENT_TARGET
from engine.live.trader_state import TraderState
from engine.live.types import SignalRow


def write_intents(trader_state: TraderState, signals: Mapping[str, SignalRow], entering: bool) -> int:
    """Write the rows' intents, in the kernel's order. Returns how many."""
    intents: list[tuple[int, int, float, float, float]] = []
    for s, symbol in enumerate(trader_state.symbols):
        row = signals.get(symbol)
        trader_state.candles.columns["size"][s] = np.nan if row is None else row.size
        if row is None:
            continue
        take_ladder(trader_state, s, row)
        if np.isfinite(row.target):
            if entering or is_sale(trader_state, s, row.target):
                intents.append((s, INTENT_TARGET, np.nan, np.nan, row.target))
        elif row.exit:
            intents.append((s, INTENT_EXIT, row.exit_limit, row.exit_stop, 1.0))
        elif row.entry and entering:
            intents.append((s, INTENT_ENTRY, row.entry_limit, row.entry_stop, row.weight))
    table = trader_state.intents
    table.time[:] = -1
    trader_state.totals["next_intent"] = 0
    for i, (s, kind, limit, stop, weight) in enumerate(intents):
        table.time[i], table.symbol[i], table.kind[i] = trader_state.t, s, kind
        table.limit[i], table.stop[i], table.weight[i] = limit, stop, weight
    return len(intents)


def is_sale(trader_state: TraderState, s: int, target: float) -> bool:
    """Whether the target is below what is held."""
    held = trader_state.book.symbols[s]["position"] * trader_state.candles.columns["mark"][s, 0]
    return bool(held > 0.0 and target * trader_state.equity() < held)


def take_ladder(trader_state: TraderState, s: int, row: SignalRow) -> None:
    """The first one that a symbol is given stays."""
    rungs = trader_state.book.rungs
    if row.ladder is None or (rungs["symbol"] == s).any():
        return
    buy, sell = row.ladder
    fresh = np.zeros(len(buy), RUNG)
    fresh["symbol"], fresh["start"], fresh["weight"] = s, trader_state.t, 1.0 / max(1, len(buy))
    fresh["buy"], fresh["sell"] = buy, sell
    fresh["order"] = fresh["lot"] = -1
    trader_state.adopt(rungs=np.concatenate([rungs, fresh]))


def number_targets(trader_state: TraderState) -> None:
    """A target has its number from the moment it is decided."""
    for s in np.flatnonzero(trader_state.book.symbols["target_at"] == trader_state.t):
        trader_state.targets[int(s)] = trader_state.take_number(), trader_state.now()
