"""What is needed of a venue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime

Key = tuple[str, str]
"""Symbol and interval."""


class Subscription:
    """Change it with `set` on the feed's loop. Without symbols the feed pauses: it holds no socket and asks for nothing.

    `closed` is the open time of the newest closed candle that the caller has, by symbol and interval. The feed goes on from
    there, or else from the candle that grows when it begins.
    """

    def __init__(
        self,
        symbols: Iterable[str] = (),
        intervals: Iterable[str] = ("1m",),
        *,
        depth: bool = False,
        closed: Mapping[Key, datetime] | None = None,
    ) -> None:
        self.changed = asyncio.Event()
        self.set(symbols, intervals, depth=depth, closed=closed)

    def set(
        self, symbols: Iterable[str], intervals: Iterable[str], *, depth: bool = False, closed: Mapping[Key, datetime] | None = None
    ) -> None:
        self.symbols = tuple(sorted(set(symbols)))
        self.intervals = tuple(dict.fromkeys(intervals))
        self.depth = depth
        self.closed = dict(closed or {})
        self.changed.set()

    @property
    def keys(self) -> list[Key]:
        return [(symbol, interval) for symbol in self.symbols for interval in self.intervals]
