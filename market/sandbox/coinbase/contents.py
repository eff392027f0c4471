"""What the messages of the market channels say: tickers, trades, candles, books and products."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from market.sandbox.coinbase import products
from market.sandbox.coinbase.depth import Level2View
from market.sandbox.coinbase.frames import ChannelEvent
from market.sandbox.exchange import SandboxExchange

CANDLES = "5m"
"""The only candles that Coinbase streams."""
SHOWN_TRADES, SHOWN_CANDLES = 100, 100
"""Of each symbol, in a snapshot."""


class ChannelContents:
    """Makes the events of the market channels. It remembers what listeners have: books, and where their candles end.

    `now` is the server's clock, ms.
    """

    def __init__(self, exchange: SandboxExchange, now: Callable[[], int]) -> None:
        self.exchange, self.now = exchange, now
        self.depths: dict[str, Level2View] = {}
        self._days: dict[str, products.DayFigures] = {}
        self._last_candles: dict[str, int] = {}

    def make_snapshot(self, channel: str, symbols: Iterable[str]) -> list[ChannelEvent]:
        """What a channel begins with."""
        make: dict[str, Callable[[list[str]], list[ChannelEvent]]] = {
            "ticker": self._ticker_snapshot,
            "ticker_batch": self._ticker_snapshot,
            "market_trades": self._trade_snapshot,
            "candles": self._candle_snapshot,
            "level2": self._depth_snapshot,
            "status": self._status_snapshot,
        }
        return make[channel](list(symbols))

    def update_ticker(self, symbol: str) -> ChannelEvent:
        return {"type": "update", "tickers": [self._ticker(symbol)]}

    def update_candles(self, symbol: str) -> ChannelEvent:
        """The candles from the one on that was growing when they were made last."""
        rows = self._candle_rows(symbol, start=self._last_candles.get(symbol), limit=SHOWN_CANDLES)
        return {"type": "update", "candles": rows}

    def update_status(self, symbol: str) -> ChannelEvent:
        return {"type": "update", "products": [products.status_product(self.exchange.market(symbol))]}

    def forget_days(self) -> None:
        """The next tickers compute the figures of the last 24 hours again."""
        self._days.clear()

    def _ticker_snapshot(self, symbols: list[str]) -> list[ChannelEvent]:
        return [{"type": "snapshot", "tickers": [self._ticker(symbol) for symbol in symbols]}]

    def _trade_snapshot(self, symbols: list[str]) -> list[ChannelEvent]:
        recent = (products.find_trades(self.exchange.history(symbol), SHOWN_TRADES, None, None) for symbol in symbols)
        return [{"type": "snapshot", "trades": [products.public_trade(row) for rows in recent for row in reversed(rows)]}]

    def _candle_snapshot(self, symbols: list[str]) -> list[ChannelEvent]:
        rows = [row for symbol in symbols for row in self._candle_rows(symbol, limit=SHOWN_CANDLES)]
        return [{"type": "snapshot", "candles": rows}]

    def _depth_snapshot(self, symbols: list[str]) -> list[ChannelEvent]:
        for symbol in symbols:
            self.depths.setdefault(symbol, Level2View(self.exchange.market(symbol)))
        return [self.depths[symbol].snapshot(self.now()) for symbol in symbols]

    def _status_snapshot(self, symbols: list[str]) -> list[ChannelEvent]:
        return [{"type": "snapshot", "products": [products.status_product(self.exchange.market(symbol)) for symbol in symbols]}]

    def _candle_rows(self, symbol: str, *, limit: int, start: int | None = None) -> list[ChannelEvent]:
        rows = self.exchange.history(symbol).candles(CANDLES, start=start, limit=limit)
        if rows:
            self._last_candles[symbol] = rows[-1].time
        return [products.candle_row(row) | {"product_id": symbol} for row in rows]

    def _ticker(self, symbol: str) -> ChannelEvent:
        market = self.exchange.market(symbol)
        if symbol not in self._days:
            self._days[symbol] = products.last_day(market, self.exchange.clock())
        return products.ticker_row(market, self._days[symbol])
