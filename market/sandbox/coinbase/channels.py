"""The channels of Coinbase's WebSockets: who listens to what, and when the exchange's events go out.

What happens within one step of the event loop goes out together: the ticker once with the newest price, as Coinbase does for
cascades of matches; all trades of a symbol in one message; every change of an order in a message of its own. Changes of the book
gather a little longer, because comparing books costs the most.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from market.sandbox.coinbase import products
from market.sandbox.coinbase.contents import ChannelContents
from market.sandbox.coinbase.frames import ChannelEvent, Frame, build_frame
from market.sandbox.coinbase.notation import time_text
from market.sandbox.coinbase.orders import user_order
from market.sandbox.events import BookChange, Event, ListingChange, OrderUpdate, PublicTrade
from market.sandbox.exchange import SandboxExchange

SHOWN_ORDERS = 50
"""In each message of a snapshot of the user channel."""
BATCH_S = 5
"""Seconds between two messages of `ticker_batch`."""
BOOK_S = 0.05
"""Seconds between two messages of `level2`."""
MARKET_CHANNELS = ("ticker", "ticker_batch", "market_trades", "candles", "level2")
FRAME_NAMES = {"level2": "l2_data"}
"""Channels whose messages have another name."""


class ChannelClient(Protocol):
    def send(self, message: Frame) -> None: ...


class CoinbaseChannels:
    """The listeners of each channel, and what waits to be sent to them. `now` is the server's clock, ms."""

    def __init__(self, exchange: SandboxExchange, now: Callable[[], int]) -> None:
        self.exchange, self.now = exchange, now
        self.contents = ChannelContents(exchange, now)
        self._clients: dict[tuple[str, str], set[ChannelClient]] = {}
        self._trades: dict[str, list[PublicTrade]] = {}
        self._books: set[str] = set()
        self._listings: set[str] = set()
        self._orders: list[tuple[str, str, ChannelEvent]] = []
        self._grown_candles: set[str] = set()
        self._beats = 0
        self._flushing = False
        exchange.listen(self._on_event)

    # ------------------------------------------------------------ listeners

    def join(self, client: ChannelClient, channel: str, subject: str) -> None:
        """Adds a listener. `subject` is a symbol; for `user` an account and a symbol (or `*`); empty for heartbeats and status."""
        self._clients.setdefault((channel, subject), set()).add(client)

    def leave(self, client: ChannelClient, channel: str | None = None, subject: str | None = None) -> None:
        """Removes a listener: from one subject, from a whole channel, or from everything."""
        for key in list(self._clients):
            if channel in (None, key[0]) and subject in (None, key[1]):
                self._clients[key].discard(client)
                if not self._clients[key]:
                    del self._clients[key]
        depths = self.contents.depths
        self.contents.depths = {symbol: depth for symbol, depth in depths.items() if ("level2", symbol) in self._clients}

    def clients(self) -> set[ChannelClient]:
        """All who listen to something."""
        return set().union(*self._clients.values())

    # ------------------------------------------------------------ snapshots

    def snapshot(self, channel: str, symbols: Iterable[str]) -> Frame:
        """What a market channel begins with. Brings other listeners up to date first, so that the next updates suit all of them."""
        self.flush()
        self._send_candles()
        return self._frame(channel, self.contents.make_snapshot(channel, symbols))

    def user_snapshot(self, account: str, symbols: Iterable[str]) -> list[Frame]:
        """Open orders in batches, in at least one message."""
        self.flush()
        wanted = set(symbols)
        rows = [user_order(order) for order in self.exchange.open_orders(account) if not wanted or order.symbol in wanted]
        batches = [rows[start : start + SHOWN_ORDERS] for start in range(0, max(1, len(rows)), SHOWN_ORDERS)]
        return [self._frame("user", [{"type": "snapshot", "orders": batch}]) for batch in batches]

    # ------------------------------------------------------------ updates

    def _on_event(self, event: Event) -> None:
        """Gathers an event for those who listen, and sees to it that it is sent soon."""
        if not self._clients:
            return
        match event:
            case PublicTrade():
                self._trades.setdefault(event.symbol, []).append(event)
            case BookChange() if event.symbol in self.contents.depths:
                if not self._books:
                    asyncio.get_running_loop().call_later(BOOK_S, self._flush_books)
                self._books.add(event.symbol)
                return
            case OrderUpdate():
                # The row is made at once, because the order goes on changing.
                self._orders.append((event.account, event.order.symbol, user_order(event.order)))
            case ListingChange():
                self._listings.add(event.symbol)
            case _:
                return
        if not self._flushing:
            self._flushing = True
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Sends what has gathered, books apart."""
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
            self._send("status", "", [self.contents.update_status(symbol)])

    def _flush_books(self) -> None:
        books, self._books = self._books, set()
        depths = self.contents.depths
        for symbol in books & depths.keys():
            if event := depths[symbol].update(self.now()):
                self._send("level2", symbol, [event])

    def _send_trades(self, symbol: str, rows: list[PublicTrade]) -> None:
        if ("market_trades", symbol) in self._clients:
            self._send("market_trades", symbol, [{"type": "update", "trades": [products.public_trade(row) for row in rows]}])
        if ("ticker", symbol) in self._clients:
            self._send("ticker", symbol, [self.contents.update_ticker(symbol)])
        if ("candles", symbol) in self._clients:
            self._grown_candles.add(symbol)

    def _send_candles(self) -> None:
        """Sends the candles that grew since they were sent last."""
        for symbol in sorted(self._grown_candles):
            self._send("candles", symbol, [self.contents.update_candles(symbol)])
        self._grown_candles.clear()

    # ------------------------------------------------------------ the clock

    async def run(self) -> None:
        """Beats each second, without end."""
        while True:
            await asyncio.sleep(1)
            self.beat()

    def beat(self) -> None:
        """Sends what goes by the clock: heartbeats, candles that grew, the slow ticker."""
        self._beats += 1
        self.contents.forget_days()
        self.flush()
        text = time_text(self.now())
        current = f"{text[:10]} {text[11:-1]}000+00:00"
        self._send("heartbeats", "", [{"current_time": current, "heartbeat_counter": self._beats}])
        self._send_candles()
        if self._beats % BATCH_S == 0:
            for channel, symbol in sorted(self._clients):
                if channel == "ticker_batch":
                    self._send(channel, symbol, [self.contents.update_ticker(symbol)])

    # ------------------------------------------------------------ sending

    def _send(self, channel: str, subject: str, events: list[ChannelEvent]) -> None:
        clients = self._clients.get((channel, subject))
        if clients:
            message = self._frame(channel, events)
            for client in tuple(clients):
                client.send(message)

    def _frame(self, channel: str, events: list[ChannelEvent]) -> Frame:
        return build_frame(FRAME_NAMES.get(channel, channel), events, self.now())
