"""Quiet or mute: a symbol that says nothing may have no trades, or a dead subscription. The venue's REST API knows which."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from market.exchanges.base import Tick
from market.feed.timing import Timing


@dataclass(slots=True)
class LastNews:
    """What is known of one symbol: the loop's time of its last news, its price, and since when REST has said otherwise."""

    at: float
    price: Decimal | None = None
    doubted: float | None = None


class Silence:
    """Times are the running loop's."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._spoke = _loop_time()
        self._symbols: dict[str, LastNews] = {}

    def begin(self, symbols: Iterable[str]) -> None:
        """A new connection begins: every symbol gets time to speak."""
        now = self._spoke = _loop_time()
        old = self._symbols
        self._symbols = {symbol: LastNews(now, old[symbol].price if symbol in old else None) for symbol in symbols}

    def note_frame(self) -> None:
        """The socket brought something, of any symbol."""
        self._spoke = _loop_time()

    def note_news(self, symbol: str, price: Decimal | None = None) -> None:
        if (known := self._symbols.get(symbol)) is not None:
            known.at, known.doubted = _loop_time(), None
            known.price = price or known.price

    def silent(self) -> list[str]:
        """Symbols to ask for by REST: those that have said nothing for long, and soon all of them if the socket says nothing at
        all."""
        now = _loop_time()
        hushed = now - self._spoke > self._timing.hush
        patience = min(self._timing.hush, self._timing.silence) if hushed else self._timing.silence
        return [symbol for symbol, known in self._symbols.items() if known.doubted is None and now - known.at > patience]

    def confirm_price(self, tick: Tick) -> bool:
        """Takes REST's price of a silent symbol. True if it agrees with the stream; otherwise the stream has a while to bring that
        price."""
        known = self._symbols.get(tick.symbol)
        if known is None:
            return False
        if known.price is None or known.price == tick.price:
            known.at, known.price = _loop_time(), tick.price
            return True
        known.doubted = _loop_time()
        return False

    def mute(self) -> list[str]:
        """Symbols that trade at the venue and not on the stream."""
        return [
            symbol
            for symbol, known in self._symbols.items()
            if known.doubted is not None and _loop_time() - known.doubted > self._timing.settle
        ]


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
