"""From the exchange's events to the messages of each channel.

What happens within one step of the event loop goes out together: the ticker once with the newest price, as Coinbase does for
cascades of matches, the market's trades all of them, in one message; every change of an order in a message of its own. Changes of
the book gather a little longer, because comparing books costs the most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from market.sandbox.coinbase import products
from market.sandbox.coinbase.depth import Level2View
from market.sandbox.coinbase.frames import ChannelEvent, Frame, build_frame
from market.sandbox.coinbase.notation import time_text
from market.sandbox.coinbase.orders import user_order
from market.sandbox.events import BookChange, ListingChange, OrderUpdate, PublicTrade
from market.sandbox.events import Event as Happening
from market.sandbox.exchange import SandboxExchange

CANDLES = "5m"
"""The only candles that Coinbase streams."""
SHOWN_TRADES, SHOWN_CANDLES, SHOWN_ORDERS = 100, 100, 50
"""In a snapshot; orders in each message of it."""
BATCH_S = 5
"""Between two messages of `ticker_batch`."""
BOOK_S = 0.05
"""Between two messages of `level2`."""
MARKET_CHANNELS = ("ticker", "ticker_batch", "market_trades", "candles", "level2")
FRAME_NAMES = {"level2": "l2_data"}
"""Channels whose messages go by another name."""


class ChannelClient(Protocol):
    def send(self, message: Frame) -> None: ...


class CoinbaseChannels:
    """Who hears what. `now`: what the server's clock shows, ms."""

    def __init__(self, exchange: SandboxExchange, now: Callable[[], int]) -> None:
        self.exchange, self.now = exchange, now
        self._clients: dict[tuple[str, str], set[ChannelClient]] = {}
        self._trades: dict[str, list[PublicTrade]] = {}
        self._books: set[str] = set()
        self._listings: set[str] = set()
        self._orders: list[tuple[str, str, ChannelEvent]] = []
        self._depths: dict[str, Level2View] = {}
        self._days: dict[str, products.DayFigures] = {}
        self._candles: dict[str, int] = {}
        self._traded: set[str] = set()
        self._beats = 0
        self._flushing = False
        exchange.listen(self._on_event)

    # ------------------------------------------------------------ who

    def join(self, client: ChannelClient, channel: str, subject: str) -> None:
        """`subject`: a symbol, for `user` an account and a symbol (or `*`), empty for heartbeats and status."""
        self._clients.setdefault((channel, subject), set()).add(client)

    def leave(self, client: ChannelClient, channel: str | None = None, subject: str | None = None) -> None:
        """Without more words: everything."""
        for key in list(self._clients):
            if channel in (None, key[0]) and subject in (None, key[1]):
                self._clients[key].discard(client)
                if not self._clients[key]:
                    del self._clients[key]
        self._depths = {symbol: depth for symbol, depth in self._depths.items() if ("level2", symbol) in self._clients}

    def clients(self) -> set[ChannelClient]:
        """All who hear something."""
        return set().union(*self._clients.values())

    # ------------------------------------------------------------ snapshots

    def snapshot(self, channel: str, symbols: Iterable[str]) -> Frame:
        """What a market channel begins with. Brings others up to date first, so that updates go on from here for all alike."""
        self.flush()
        self._send_candles()
        make: dict[str, Callable[[list[str]], list[ChannelEvent]]] = {
            "ticker": self._ticker_snapshot,
            "ticker_batch": self._ticker_snapshot,
            "market_trades": self._trade_snapshot,
            "candles": self._candle_snapshot,
            "level2": self._depth_snapshot,
            "status": self._status_snapshot,
        }
        return self._frame(channel, make[channel](list(symbols)))

    def user_snapshot(self, account: str, symbols: Iterable[str]) -> list[Frame]:
        """Open orders, in batches; at least one message."""
        self.flush()
        wanted = set(symbols)
        rows = [user_order(order) for order in self.exchange.open_orders(account) if not wanted or order.symbol in wanted]
        batches = [rows[start : start + SHOWN_ORDERS] for start in range(0, max(1, len(rows)), SHOWN_ORDERS)]
        return [self._frame("user", [{"type": "snapshot", "orders": batch}]) for batch in batches]

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
            self._depths.setdefault(symbol, Level2View(self.exchange.market(symbol)))
        return [self._depths[symbol].snapshot(self.now()) for symbol in symbols]

    def _status_snapshot(self, symbols: list[str]) -> list[ChannelEvent]:
        return [{"type": "snapshot", "products": [products.status_product(self.exchange.market(symbol)) for symbol in symbols]}]

    # ------------------------------------------------------------ updates

    def _on_event(self, event: Happening) -> None:
        if not self._clients:
            return
        match event:
            case PublicTrade():
                self._trades.setdefault(event.symbol, []).append(event)
            case BookChange() if event.symbol in self._depths:
                if not self._books:
                    asyncio.get_running_loop().call_later(BOOK_S, self._flush_books)
                self._books.add(event.symbol)
                return
            case OrderUpdate():
                # At once: the order goes on changing.
                self._orders.append((event.account, event.order.symbol, user_order(event.order)))
            case ListingChange():
                self._listings.add(event.symbol)
            case _:
                return
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Sends what has gathered."""
        self._flushing = False
        trades, self._trades = self._trades, {}
        orders, self._orders = self._orders, []
        listings, self._listings = self._listings, set()
        for symbol, rows in trades.items():
            self._send_trades(symbol, rows)
        for account, symbol, order in orders:
            for subject in (f"{account} {symbol}", f"{account} *"):
                self._send("user", subject, [{"type": "update", "orders": [order]}])
        for symbol in listings:
            product = products.status_product(self.exchange.market(symbol))
            self._send("status", "", [{"type": "update", "products": [product]}])

    def _flush_books(self) -> None:
        books, self._books = self._books, set()
        for symbol in books & self._depths.keys():
            if event := self._depths[symbol].update(self.now()):
                self._send("level2", symbol, [event])

    def _send_trades(self, symbol: str, rows: list[PublicTrade]) -> None:
        if ("market_trades", symbol) in self._clients:
            event = {"type": "update", "trades": [products.public_trade(row) for row in rows]}
            self._send("market_trades", symbol, [event])
        if ("ticker", symbol) in self._clients:
            self._send("ticker", symbol, [{"type": "update", "tickers": [self._ticker(symbol)]}])
        if ("candles", symbol) in self._clients:
            self._traded.add(symbol)

    def _send_candles(self) -> None:
        """Candles, from the one on that was growing when they were told last."""
        for symbol in sorted(self._traded):
            rows = self._candle_rows(symbol, start=self._candles.get(symbol), limit=SHOWN_CANDLES)
            self._send("candles", symbol, [{"type": "update", "candles": rows}])
        self._traded.clear()

    # ------------------------------------------------------------ the clock

    async def run(self) -> None:
        """A beat each second, for ever."""
        while True:
            await asyncio.sleep(1)
            self.beat()

    def beat(self) -> None:
        """What goes by the clock: heartbeats, candles that grew, the slow ticker."""
        self._beats += 1
        self._days.clear()
        self.flush()
        text = time_text(self.now())
        current = f"{text[:10]} {text[11:-1]}000+00:00"
        self._send("heartbeats", "", [{"current_time": current, "heartbeat_counter": self._beats}])
        self._send_candles()
        if self._beats % BATCH_S == 0:
            for channel, symbol in sorted(self._clients):
                if channel == "ticker_batch":
                    self._send(channel, symbol, [{"type": "update", "tickers": [self._ticker(symbol)]}])

    # ------------------------------------------------------------ parts

    def _candle_rows(self, symbol: str, *, limit: int, start: int | None = None) -> list[ChannelEvent]:
        history = self.exchange.history(symbol)
        rows = history.candles(CANDLES, start=start, limit=limit)
        if rows:
            self._candles[symbol] = rows[-1].time
        return [products.candle_row(row) | {"product_id": symbol} for row in rows]

    def _ticker(self, symbol: str) -> ChannelEvent:
        market = self.exchange.market(symbol)
        if symbol not in self._days:
            self._days[symbol] = products.last_day(market, self.exchange.clock())
        return products.ticker_row(market, self._days[symbol])

    def _send(self, channel: str, subject: str, events: list[ChannelEvent]) -> None:
        clients = self._clients.get((channel, subject))
        if clients:
            message = self._frame(channel, events)
            for client in tuple(clients):
                client.send(message)

    def _frame(self, channel: str, events: list[ChannelEvent]) -> Frame:
        return build_frame(FRAME_NAMES.get(channel, channel), events, self.now())
