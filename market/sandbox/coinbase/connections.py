"""One WebSocket connection: what it asked for, and the numbers of its messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from market.sandbox.coinbase.channels import MARKET_CHANNELS, Channels
from market.sandbox.coinbase.frames import Frame, error, frame
from market.sandbox.coinbase.orders import user_id
from market.sandbox.coinbase.tokens import Key, Unauthorised, check
from market.sandbox.sockets import Socket

Feed = Literal["market", "user"]
CHANNELS: dict[Feed, tuple[str, ...]] = {
    "market": (*MARKET_CHANNELS, "status", "heartbeats", "user"),
    "user": ("user", "heartbeats"),
}


class Rejected(Exception):
    """A message that cannot be followed; the client is told why."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A client's message. `key` is None without a token."""

    subscribe: bool
    channel: str
    symbols: tuple[str, ...]
    key: Key | None


@dataclass(eq=False, slots=True)
class Connection:
    """`sequence` is the next message's number."""

    socket: Socket
    feed: Feed
    channels: Channels
    keys: Mapping[str, Key]
    now: Callable[[], int]
    sequence: int = 0
    subscriptions: dict[str, list[str]] = field(default_factory=dict)
    """By channel: symbols, or what Coinbase shows in their place."""

    async def serve(self) -> None:
        """Until the client is gone."""
        try:
            async for text in self.socket:
                self._read(text)
        finally:
            self.channels.leave(self)

    def send(self, message: Frame) -> None:
        """What faults take away has its number all the same: that is what makes a gap."""
        number, self.sequence = self.sequence, self.sequence + 1
        self.socket.send(message.numbered(number), message.channel)

    def _read(self, text: str) -> None:
        try:
            wish = self._wish(text)
            if wish.subscribe:
                self._subscribe(wish)
            else:
                self._unsubscribe(wish)
        except Unauthorised:
            self.socket.send(error("authentication failure"), "error")
        except Rejected as rejection:
            self.socket.send(error(str(rejection)), "error")

    def _wish(self, text: str) -> Wish:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or message.get("type") not in ("subscribe", "unsubscribe"):
            raise Rejected("a message must be JSON of type subscribe or unsubscribe")
        channel, symbols = message.get("channel"), message.get("product_ids") or []
        if channel not in CHANNELS[self.feed]:
            raise Rejected(f"channel must be one of {', '.join(CHANNELS[self.feed])}")
        if not isinstance(symbols, list) or not all(isinstance(item, str) for item in symbols):
            raise Rejected("product_ids must be a list of texts")
        if unknown := [symbol for symbol in symbols if symbol not in self.channels.exchange.markets]:
            raise Rejected(f"unknown product_ids: {', '.join(unknown)}")
        return Wish(message["type"] == "subscribe", channel, tuple(dict.fromkeys(symbols)), self._key(message, channel))

    def _key(self, message: Mapping[str, Any], channel: str) -> Key | None:
        """A token is asked for by the user channel alone, but where there is one it must be right."""
        token = message.get("jwt")
        if not token and channel != "user":
            return None
        key, _ = check(str(token), self.keys, self.now() / 1000)
        if not key.can_view:
            raise Unauthorised("may not view")
        return key

    def _subscribe(self, wish: Wish) -> None:
        if wish.channel in MARKET_CHANNELS:
            if not wish.symbols:
                raise Rejected(f"channel {wish.channel} needs product_ids")
            self._list(wish.channel, wish.symbols)
            message = self.channels.snapshot(wish.channel, wish.symbols)
            self._join(wish.channel, wish.symbols, [message])
        elif wish.channel == "user":
            self._subscribe_user(wish)
        elif wish.channel == "status":
            symbols = wish.symbols or tuple(self.channels.exchange.markets)
            self._list("status", symbols)
            self._join("status", ("",), [self.channels.snapshot("status", symbols)])
        else:
            self._list("heartbeats", ("heartbeats",))
            self._join("heartbeats", ("",), [])

    def _subscribe_user(self, wish: Wish) -> None:
        assert wish.key is not None, "_key sees to it"
        account = wish.key.account
        self.channels.leave(self, "user")
        self._list("user", (user_id(account),))
        subjects = tuple(f"{account} {symbol}" for symbol in wish.symbols or ("*",))
        self._join("user", subjects, self.channels.user_snapshot(account, wish.symbols))

    def _join(self, channel: str, subjects: tuple[str, ...], snapshot: list[Frame]) -> None:
        self._tell_subscriptions()
        for message in snapshot:
            self.send(message)
        for subject in subjects:
            self.channels.join(self, channel, subject)

    def _unsubscribe(self, wish: Wish) -> None:
        if wish.channel in MARKET_CHANNELS and wish.symbols:
            for symbol in wish.symbols:
                self.channels.leave(self, wish.channel, symbol)
            left = [symbol for symbol in self.subscriptions.get(wish.channel, []) if symbol not in wish.symbols]
        else:
            self.channels.leave(self, wish.channel)
            left = []
        self.subscriptions[wish.channel] = left
        if not left:
            del self.subscriptions[wish.channel]
        self._tell_subscriptions()

    def _list(self, channel: str, shown: tuple[str, ...]) -> None:
        self.subscriptions[channel] = list(dict.fromkeys([*self.subscriptions.get(channel, []), *shown]))

    def _tell_subscriptions(self) -> None:
        self.send(frame("subscriptions", [{"subscriptions": self.subscriptions}], self.now()))
