"""What strategies want at a close, where the kernel reads it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.book import RUNG
from engine.layout import WISH_ENTRY, WISH_EXIT, WISH_TARGET
from engine.live.trader_state import TraderState
from engine.live.types import SignalRow


def write_wishes(brain: TraderState, signals: Mapping[str, SignalRow], entering: bool) -> int:
    """Write the rows' wishes, in the kernel's order. Returns how many."""
    wishes: list[tuple[int, int, float, float, float]] = []
    for s, symbol in enumerate(brain.symbols):
        row = signals.get(symbol)
        brain.columns["size"][s] = np.nan if row is None else row.size
        if row is None:
            continue
        take_ladder(brain, s, row)
        if np.isfinite(row.target):
            if entering or sells(brain, s, row.target):
                wishes.append((s, WISH_TARGET, np.nan, np.nan, row.target))
        elif row.exit:
            wishes.append((s, WISH_EXIT, row.exit_limit, row.exit_stop, 1.0))
        elif row.entry and entering:
            wishes.append((s, WISH_ENTRY, row.entry_limit, row.entry_stop, row.weight))
    plan = brain.plan
    plan.time[:] = -1
    brain.state["next_wish"] = 0
    for i, (s, kind, limit, stop, weight) in enumerate(wishes):
        plan.time[i], plan.symbol[i], plan.kind[i] = brain.t, s, kind
        plan.limit[i], plan.stop[i], plan.weight[i] = limit, stop, weight
    return len(wishes)


def sells(brain: TraderState, s: int, target: float) -> bool:
    """Whether the target is below what is held."""
    held = brain.book.symbols[s]["position"] * brain.columns["mark"][s, 0]
    return bool(held > 0.0 and target * brain.equity() < held)


def take_ladder(brain: TraderState, s: int, row: SignalRow) -> None:
    """The first one that a symbol is given stays."""
    rungs = brain.book.rungs
    if row.ladder is None or (rungs["symbol"] == s).any():
        return
    buy, sell = row.ladder
    fresh = np.zeros(len(buy), RUNG)
    fresh["symbol"], fresh["start"], fresh["weight"] = s, brain.t, 1.0 / max(1, len(buy))
    fresh["buy"], fresh["sell"] = buy, sell
    fresh["order"] = fresh["lot"] = -1
    brain.adopt(rungs=np.concatenate([rungs, fresh]))


def number_targets(brain: TraderState) -> None:
    """A target has its number from the moment it is decided."""
    for s in np.flatnonzero(brain.book.symbols["target_at"] == brain.t):
        brain.targets[int(s)] = brain.take_number(), brain.now()
