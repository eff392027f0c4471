"""One WebSocket connection: what it asked for, and the numbers of its messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from market.sandbox.coinbase.channels import MARKET_CHANNELS, CoinbaseChannels
from market.sandbox.coinbase.frames import Frame, build_frame, error_text
from market.sandbox.coinbase.orders import user_id
from market.sandbox.coinbase.tokens import BadToken, RegisteredKey, check_token
from market.sandbox.sockets import ClientSocket

Feed = Literal["market", "user"]
CHANNELS: dict[Feed, tuple[str, ...]] = {
    "market": (*MARKET_CHANNELS, "status", "heartbeats", "user"),
    "user": ("user", "heartbeats"),
}


class BadMessage(Exception):
    """A message that cannot be followed; the client is told why."""


@dataclass(frozen=True, slots=True)
class ChannelRequest:
    """A client's message. `key` is None without a token."""

    subscribe: bool
    channel: str
    symbols: tuple[str, ...]
    key: RegisteredKey | None


@dataclass(eq=False, slots=True)
class CoinbaseConnection:
    """`sequence` is the next message's number."""

    socket: ClientSocket
    feed: Feed
    channels: CoinbaseChannels
    keys: Mapping[str, RegisteredKey]
    now: Callable[[], int]
    sequence: int = 0
    subscriptions: dict[str, list[str]] = field(default_factory=dict)
    """By channel: symbols, or what Coinbase shows in their place."""

    async def serve(self) -> None:
        """Until the client is gone."""
        try:
            async for text in self.socket:
                self._handle_text(text)
        finally:
            self.channels.leave(self)

    def send(self, message: Frame) -> None:
        """What faults take away has its number all the same: that is what makes a gap."""
        number, self.sequence = self.sequence, self.sequence + 1
        self.socket.send(message.with_number(number), message.channel)

    def _handle_text(self, text: str) -> None:
        try:
            wish = self._parse_request(text)
            if wish.subscribe:
                self._subscribe(wish)
            else:
                self._unsubscribe(wish)
        except BadToken:
            self.socket.send(error_text("authentication failure"), "error")
        except BadMessage as rejection:
            self.socket.send(error_text(str(rejection)), "error")

    def _parse_request(self, text: str) -> ChannelRequest:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            message = None
        if not isinstance(message, dict) or message.get("type") not in ("subscribe", "unsubscribe"):
            raise BadMessage("a message must be JSON of type subscribe or unsubscribe")
        channel, symbols = message.get("channel"), message.get("product_ids") or []
        if channel not in CHANNELS[self.feed]:
            raise BadMessage(f"channel must be one of {', '.join(CHANNELS[self.feed])}")
        if not isinstance(symbols, list) or not all(isinstance(item, str) for item in symbols):
            raise BadMessage("product_ids must be a list of texts")
        if unknown := [symbol for symbol in symbols if symbol not in self.channels.exchange.markets]:
            raise BadMessage(f"unknown product_ids: {', '.join(unknown)}")
        return ChannelRequest(
            message["type"] == "subscribe", channel, tuple(dict.fromkeys(symbols)), self._find_key(message, channel)
        )

    def _find_key(self, message: Mapping[str, Any], channel: str) -> RegisteredKey | None:
        """A token is asked for by the user channel alone, but where there is one it must be right."""
        token = message.get("jwt")
        if not token and channel != "user":
            return None
        key, _ = check_token(str(token), self.keys, self.now() / 1000)
        if not key.can_view:
            raise BadToken("may not view")
        return key

    def _subscribe(self, wish: ChannelRequest) -> None:
        if wish.channel in MARKET_CHANNELS:
            if not wish.symbols:
                raise BadMessage(f"channel {wish.channel} needs product_ids")
            self._add_subscription(wish.channel, wish.symbols)
            message = self.channels.snapshot(wish.channel, wish.symbols)
            self._join(wish.channel, wish.symbols, [message])
        elif wish.channel == "user":
            self._subscribe_user(wish)
        elif wish.channel == "status":
            symbols = wish.symbols or tuple(self.channels.exchange.markets)
            self._add_subscription("status", symbols)
            self._join("status", ("",), [self.channels.snapshot("status", symbols)])
        else:
            self._add_subscription("heartbeats", ("heartbeats",))
            self._join("heartbeats", ("",), [])

    def _subscribe_user(self, wish: ChannelRequest) -> None:
        assert wish.key is not None, "_key sees to it"
        account = wish.key.account
        self.channels.leave(self, "user")
        self._add_subscription("user", (user_id(account),))
        subjects = tuple(f"{account} {symbol}" for symbol in wish.symbols or ("*",))
        self._join("user", subjects, self.channels.user_snapshot(account, wish.symbols))

    def _join(self, channel: str, subjects: tuple[str, ...], snapshot: list[Frame]) -> None:
        self._send_subscriptions()
        for message in snapshot:
            self.send(message)
        for subject in subjects:
            self.channels.join(self, channel, subject)

    def _unsubscribe(self, wish: ChannelRequest) -> None:
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
        self._send_subscriptions()

    def _add_subscription(self, channel: str, shown: tuple[str, ...]) -> None:
        self.subscriptions[channel] = list(dict.fromkeys([*self.subscriptions.get(channel, []), *shown]))

    def _send_subscriptions(self) -> None:
        self.send(build_frame("subscriptions", [{"subscriptions": self.subscriptions}], self.now()))
