"""What a venue says, by its socket or by REST, on its way into the backlog."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable

from market.exchanges.base import Candle, Depth, StreamGap, Tick
from market.feed.backlog import Backlog
from market.feed.gates import CandleGates
from market.feed.silence import Silence


class Intake:
    """`messages` counts what the socket brought, and `message_at` says when the venue was last heard, in seconds since 1970 by its
    own clock; 0: never."""

    def __init__(
        self,
        backlog: Backlog,
        gates: CandleGates,
        silence: Silence,
        clock: Callable[[], float],
        on_gap: Callable[[StreamGap], None],
    ) -> None:
        self.messages, self.message_at = 0, 0.0
        self._backlog, self._gates, self._silence = backlog, gates, silence
        self._clock, self._on_gap = clock, on_gap
        self._priced = asyncio.get_running_loop().time()

    def note_frame(self) -> None:
        """The socket brought something, a heartbeat at the least."""
        self.messages += 1
        self.message_at = self._clock()
        self._silence.note_frame()

    def take(self, event: Tick | Candle | Depth | StreamGap, symbols: Collection[str]) -> None:
        """An event of the socket. Those of symbols that nobody wants any more are left out."""
        if isinstance(event, StreamGap):
            self._on_gap(event)
            self._gates.anew()
        elif event.symbol not in symbols:
            return
        elif isinstance(event, Candle):
            self._silence.note_news(event.symbol)
            self._take_candle(event)
            return
        elif isinstance(event, Tick):
            self._note_price(event)
        self._backlog.put(event)

    def _take_candle(self, candle: Candle) -> None:
        if candle.closed:
            self._gates.take(candle)
        elif self._gates.grows(candle):
            self._backlog.put(candle)

    def _note_price(self, tick: Tick) -> None:
        self._priced = asyncio.get_running_loop().time()
        self._silence.note_news(tick.symbol, tick.price)

    def take_polled(self, ticks: Iterable[Tick]) -> None:
        """REST's prices, asked for because there is no socket."""
        for tick in ticks:
            self._note_price(tick)
            self.message_at = self._clock()
            self._backlog.put(tick)

    def take_confirmed(self, ticks: Iterable[Tick]) -> None:
        """REST's prices of symbols that the socket is silent about. A price that the stream's last one agrees with is as good as
        news."""
        for tick in ticks:
            if self._silence.confirm_price(tick):
                self._priced = asyncio.get_running_loop().time()
                self.message_at = self._clock()
                self._backlog.put(tick)

    def price_age(self) -> float:
        """Seconds since the last price, from wherever it came."""
        return asyncio.get_running_loop().time() - self._priced
