"""What a sandbox plays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from market.sandbox import instruments
from market.sandbox.history import SandboxCandle
from market.sandbox.instruments import ListedInstrument
from market.sandbox.tape import TapeTrade

RATE = 16.0
"""Trades a second of the walk, over all symbols."""
LISTED: Mapping[str, Sequence[ListedInstrument]] = {"binance": instruments.BINANCE, "coinbase": instruments.COINBASE}
"""The instruments of each venue."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a sandbox plays. `speed` is in times real time; 0 is as fast as possible, None moves only by `step` (for tests).

    Without `ticks` the seeded walk goes on without end, `rate` trades a second, after `minutes` one-minute candles of history.
    With `ticks`, `past` may hold the candles from before, by venue and symbol. `start` (ms) is when it begins; None means now.
    """

    seed: int = 1
    speed: float | None = 1.0
    start: int | None = None
    rate: float = RATE
    minutes: int = 1440
    ticks: Iterable[TapeTrade] | None = None
    past: Mapping[tuple[str, str], Sequence[SandboxCandle]] = field(default_factory=dict)
    listed: Mapping[str, Sequence[ListedInstrument]] = field(default_factory=lambda: LISTED)
    faults: Sequence[Mapping[str, Any]] = ()
    state: Path | None = None
    """A file that keeps the accounts across restarts."""
