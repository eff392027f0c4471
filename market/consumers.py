"""`/ws/market/`: ticks, candles, books and the state of streams, thinned to what a screen can show."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import product
from typing import Any

import orjson

from core.errors import Invalid
from core.hub import Hub, Outbox
from core.sockets import LONGEST, Socket, socket_message
from core.symbols import symbol_normalise, venue_normalise
from core.venues import venue_split

GAP = 0.25
"""Seconds between two ticks of a symbol, or two states of a growing candle: four a second."""
MOST_SYMBOLS = 500

Name = tuple[str, str, str]
"""(venue, environment, symbol); the first two are empty for a symbol of any venue."""
Key = tuple[str, ...]


class Thinner:
    """Passes on at most one entry a key in GAP seconds: the newest."""

    def __init__(self, send: Callable[[Key, dict[str, Any]], None], loop: asyncio.AbstractEventLoop) -> None:
        self.send, self.loop = send, loop
        self.sent_at: dict[Key, float] = {}
        self.waiting: dict[Key, dict[str, Any]] = {}
        self.timer: asyncio.TimerHandle | None = None

    def take(self, key: Key, entry: dict[str, Any]) -> None:
        if key not in self.waiting and self.loop.time() >= self.due_at(key):
            self.sent_at[key] = self.loop.time()
            self.send(key, entry)
            return
        self.waiting[key] = entry
        self.set_timer()

    def drop(self, key: Key) -> None:
        """Forgets what waits under this key: something newer has taken its place."""
        self.waiting.pop(key, None)

    def send_due(self) -> None:
        now = self.loop.time()
        for key in [key for key in self.waiting if now >= self.due_at(key)]:
            self.sent_at[key] = now
            self.send(key, self.waiting.pop(key))
        self.timer = None
        self.set_timer()

    def set_timer(self) -> None:
        """For the entry that is due first. An entry is never due before the one that the timer is set for already."""
        if self.waiting and self.timer is None:
            self.timer = self.loop.call_at(min(map(self.due_at, self.waiting)), self.send_due)

    def due_at(self, key: Key) -> float:
        return self.sent_at.get(key, float("-inf")) + GAP


class MarketHub(Hub):
    """Thins once for all clients of this process; each gets what it subscribed to."""

    group = "market"

    def __init__(self) -> None:
        super().__init__()
        self.subscribers: dict[Name, set[Outbox]] = defaultdict(set)
        self.readers: dict[Name, set[Outbox]] = defaultdict(set)
        """Those who want order books too: they are larger than all else, and few pages show one."""
        self.thinner = Thinner(self.send, asyncio.get_running_loop())

    def subscribe(self, outbox: Outbox, names: Iterable[Name], *, books: bool = False) -> None:
        for name in names:
            self.subscribers[name].add(outbox)
            if books:
                self.readers[name].add(outbox)

    def unsubscribe(self, outbox: Outbox, names: Iterable[Name]) -> None:
        for table, name in product((self.subscribers, self.readers), names):
            table[name].discard(outbox)
            if not table[name]:
                del table[name]

    async def on_push(self, kind: str, payload: dict[str, Any]) -> None:
        for tick in payload.get("ticks", ()):
            self.thinner.take(("tick", *name_of(tick)), tick)
        for candle in payload.get("candles", ()):
            key = ("candle", *name_of(candle), candle["interval"])
            if candle["closed"]:
                self.thinner.drop(key)
                self.send((*key, candle["time"]), candle)
            else:
                self.thinner.take(key, candle)
        for book in payload.get("depths", ()):
            self.thinner.take(("depth", *name_of(book)), book)
        for stream in payload.get("streams", ()):
            text = socket_message("stream_status", stream)
            for outbox in self.clients:
                outbox.put(text, ("stream", stream["venue"], stream["environment"]))

    def send(self, key: Key, payload: dict[str, Any]) -> None:
        kind, venue, environment, symbol = key[:4]
        table = self.readers if kind == "depth" else self.subscribers
        outboxes = table.get((venue, environment, symbol), set()) | table.get(("", "", symbol), set())
        if not outboxes:
            return
        text = socket_message(kind, payload)
        for outbox in outboxes:
            outbox.put(text, key)


def name_of(entry: dict[str, Any]) -> Name:
    return entry["venue"], entry["environment"], entry["symbol"]


class MarketConsumer(Socket):
    """Asked with `{"action": "subscribe" | "unsubscribe", "symbols": ["BTC-USDT", "binance:live:BTC-USDT"]}`, and
    `"books": true` for their depth too; answers `subscribed` with all that it has now, or `error`."""

    channel = "market"

    async def begin(self) -> list[str]:
        self.names: dict[Name, str] = {}
        self.hub = MarketHub.here()
        await self.hub.join(self.outbox)
        return []

    async def on_request(self, text: str) -> None:
        try:
            action, names, books = read_request(text)
            if action == "subscribe" and len(self.names | names) > MOST_SYMBOLS:
                raise Invalid.at("symbols", f"A socket may have at most {MOST_SYMBOLS} symbols.")
        except Invalid as error:
            self.outbox.put(socket_message("error", {"code": error.code, "message": str(error), "fields": error.fields}))
            return
        if action == "subscribe":
            self.names |= names
            self.hub.subscribe(self.outbox, names, books=books)
        else:
            self.hub.unsubscribe(self.outbox, self.names.keys() & names.keys())
            self.names = {name: given for name, given in self.names.items() if name not in names}
        self.outbox.put(socket_message("subscribed", {"symbols": sorted(self.names.values())}))

    def end(self) -> None:
        hub = MarketHub.here()
        hub.unsubscribe(self.outbox, getattr(self, "names", {}))
        hub.leave(self.outbox)


def read_request(text: str) -> tuple[str, dict[Name, str], bool]:
    """The action, the names with how they are written, and whether books are wanted. `Invalid` at what cannot be used."""
    if len(text) > LONGEST:
        raise Invalid.at("symbols", f"A request may have at most {LONGEST:,} characters.")
    try:
        asked = orjson.loads(text)
    except ValueError:
        raise Invalid("This is not JSON.") from None
    if not isinstance(asked, dict) or asked.get("action") not in ("subscribe", "unsubscribe"):
        raise Invalid.at("action", "must be subscribe or unsubscribe.")
    symbols = asked.get("symbols")
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise Invalid.at("symbols", 'must be a list of symbols, like ["BTC-USDT"] or ["binance:live:BTC-USDT"].')
    names = [read_name(symbol) for symbol in symbols]
    return asked["action"], {name: ":".join(part for part in name if part) for name in names}, asked.get("books") is True


def read_name(text: str) -> Name:
    """`BTC-USDT`, `binance-sandbox:BTC-USDT` or `binance:sandbox:BTC-USDT`."""
    *feed, symbol = text.split(":")
    if not feed:
        return "", "", symbol_normalise(symbol)
    venue, environment = venue_split(feed[0]) if len(feed) == 1 else (feed[0], ":".join(feed[1:]))
    if environment not in ("live", "testnet", "sandbox"):
        raise Invalid.at(
            "symbols", f"{text[:60]!r} names no environment. Write venue:environment:symbol, such as binance:live:BTC-USDT."
        )
    return venue_normalise(venue), environment, symbol_normalise(symbol)
