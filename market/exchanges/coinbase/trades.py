"""Messages of the market channels to ticks, candles and depth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import chain

from market.exchanges.base import Candle, Depth, MarketEvent, Tick
from market.exchanges.coinbase import frames
from market.exchanges.coinbase.bars import Bars
from market.exchanges.coinbase.book import DepthBook
from market.exchanges.parsing import Json
from market.exchanges.reading import Reader


class MarketMessages:
    """The state of one connection. `symbols` are product ids. The venue sends a pair with USDC under the name of its USD twin, with
    which it shares one book."""

    def __init__(self, symbols: Sequence[str], intervals: Sequence[str], reader: Reader) -> None:
        self._reader = reader
        self._wanted: dict[str, list[str]] = {}
        for symbol in symbols:
            for name in dict.fromkeys((symbol, frames.name_book(symbol))):
                self._wanted.setdefault(name, []).append(symbol)
        self._bars = {symbol: [Bars(symbol, interval) for interval in intervals] for symbol in symbols}
        self._books = {symbol: DepthBook(symbol) for symbol in symbols}
        self._last = dict.fromkeys(symbols, -1)
        self._behind: timedelta | None = None
        """The least time by which the newest trade was behind the time of its message: how far the venue's clocks differ."""

    def __call__(self, message: Json, moment: datetime, received: float) -> Iterator[MarketEvent]:
        """A message of a market channel to events. `moment` is its time, `received` when it came in."""
        match message["channel"]:
            case "market_trades":
                yield from self._each_event(message, lambda event: self._trades(event, moment, received))
            case "l2_data":
                yield from self._each_event(message, lambda event: self._depth(event, moment))
            case "heartbeats":
                if self._behind is not None:
                    yield from self._close_bars(moment - self._behind)
            case "subscriptions":
                self._begin(moment)
            case other:
                self._reader.skip(other, "not a channel that was asked for")

    def _each_event(self, message: Json, read: Callable[[Json], Iterator[MarketEvent]]) -> Iterator[MarketEvent]:
        """One that cannot be read costs no other of its message."""
        for event in message["events"]:
            yield from self._reader.parse_with(message["channel"], _read_all, read, event) or ()

    def _begin(self, moment: datetime) -> None:
        for bars in chain.from_iterable(self._bars.values()):
            bars.since = bars.since or moment

    def _close_bars(self, moment: datetime) -> Iterator[Candle]:
        for bars in chain.from_iterable(self._bars.values()):
            yield from bars.close_until(moment)

    def _trades(self, event: Json, moment: datetime, received: float) -> Iterator[Tick | Candle]:
        """The first event is a snapshot of the latest trades, and only the last of them is news."""
        read = (self._reader.parse_with("market_trades", frames.parse_trade, each, received) for each in event["trades"])
        trades = sorted((each for each in read if each is not None), key=lambda each: each[0])
        snapshot = event["type"] == "snapshot"
        if trades and not snapshot:
            behind = moment - max(tick.time for _, tick in trades)
            self._behind = behind if self._behind is None else min(self._behind, behind)
        for symbol in sorted({name for _, tick in trades for name in self._wanted.get(tick.symbol, ())}):
            own = [(number, replace(tick, symbol=symbol)) for number, tick in trades if symbol in self._wanted.get(tick.symbol, ())]
            yield from self._of_symbol(symbol, own, snapshot)

    def _of_symbol(self, symbol: str, trades: Sequence[tuple[int, Tick]], snapshot: bool) -> Iterator[Tick | Candle]:
        new = [tick for number, tick in trades if number > self._last[symbol]]
        if len(new) < len(trades):
            self._reader.skip("repeated trade", symbol)
        if not new:
            return
        self._last[symbol] = trades[-1][0]
        yield from new[-1:] if snapshot else new
        for bars in self._bars[symbol]:
            if snapshot:
                bars.since = min(bars.since or new[0].time, new[0].time)
            yield from bars.trades(new)

    def _depth(self, event: Json, moment: datetime) -> Iterator[Depth]:
        levels = self._reader.read_list("l2_data", event["updates"], frames.parse_change)
        for symbol in self._wanted.get(event["product_id"], ()):
            book = self._books[symbol]
            book.change(levels, snapshot=event["type"] == "snapshot")
            if book.due(moment):
                yield book.depth(moment)


def _read_all(read: Callable[[Json], Iterator[MarketEvent]], event: Json) -> list[MarketEvent]:
    return list(read(event))
