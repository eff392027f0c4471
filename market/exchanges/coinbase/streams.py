"""Coinbase's sockets. Each lives once: it ends by raising, and the next one starts with nothing of the last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from datetime import datetime
from multiprocessing import AuthenticationError
from typing import TypeVar

import orjson
from coinbase.websocket import WSClientException
from websockets.exceptions import WebSocketException

from market.exchanges.base import Alive, Report, Retryable, StreamGap, Unauthorised
from market.exchanges.coinbase import frames
from market.exchanges.coinbase.client import CoinbaseSocket
from market.exchanges.parsing import Json, Malformed, from_iso
from market.exchanges.reading import Reader

T = TypeVar("T")
SILENCE = 10.0
"""Seconds. A heartbeat comes each second, so a socket that is silent for so long is dead."""
LOST = (WebSocketException, WSClientException, OSError, TimeoutError)
Message = Callable[[Json, datetime, float], Iterator[T]]
"""Turns a channel's message, given its time and when it came in, into events."""


async def read_events(
    socket: CoinbaseSocket, channels: Mapping[str, list[str]], parse: Message[T], reader: Reader
) -> AsyncGenerator[T | Alive | StreamGap, None]:
    """`Alive` says that the venue has taken all subscriptions. If a message is missing in the count, it gives a gap and then ends,
    because only a new connection brings a whole state again."""
    try:
        await socket.open_async()
        await socket.subscribe_all(channels)
        async with aclosing(_read_messages(socket, reader)) as messages:
            async for event in _check_sequence(messages, len(channels), parse, reader):
                yield event
    except AuthenticationError:
        raise Unauthorised("Coinbase needs a key for the user stream, and the account has none.", code="key") from None
    except LOST as error:
        raise Retryable(f"The stream of Coinbase was lost ({type(error).__name__}).", code="stream") from None
    finally:
        await socket.end()
    raise Retryable("The stream of Coinbase was closed by the venue.", code="stream")


async def _read_messages(socket: CoinbaseSocket, reader: Reader) -> AsyncGenerator[tuple[Json, float], None]:
    texts = aiter(socket.websocket)
    while True:
        try:
            async with asyncio.timeout(SILENCE):
                text = await anext(texts)
        except StopAsyncIteration:
            return
        received = time.perf_counter()
        if (message := reader.parse_with("json", _parse_message, text)) is not None:
            yield message, received


async def _check_sequence(
    messages: AsyncIterator[tuple[Json, float]], missing: int, parse: Message[T], reader: Reader
) -> AsyncGenerator[T | Alive | StreamGap, None]:
    """The events of the messages, with their sequence numbers checked. `missing` is how many subscriptions the venue has not
    confirmed yet."""
    last: int | None = None
    time_ = None
    async for message, received in messages:
        if message.get("type") == "error":
            raise _error_of(str(message.get("message", "")))
        number, channel = message["sequence_num"], message["channel"]
        if last is not None and number <= last:
            reader.skip("repeated message", f"{number} after {last}")
            continue
        if last is not None and number != last + 1:
            yield StreamGap(
                frames.VENUE, f"messages {last + 1} to {number - 1} did not come", time_ or from_iso(message["timestamp"])
            )
            raise Retryable("Messages of Coinbase's stream are missing.", code="gap")
        last, time_ = number, from_iso(message["timestamp"])
        if channel == "subscriptions":
            missing -= 1
        if (channel == "subscriptions" and missing == 0) or (channel == "heartbeats" and missing <= 0):
            yield Alive(frames.VENUE, time_)
        for event in reader.parse_with(channel, _parse_all, parse, message, time_, received) or ():
            yield event


def _parse_all(parse: Message[T], message: Json, moment: datetime, received: float) -> list[T]:
    return list(parse(message, moment, received))


def _parse_message(text: str | bytes) -> Json:
    message = orjson.loads(text)
    if not isinstance(message, dict):
        raise Malformed("a message that is no object")
    if message.get("type") == "error":
        return message
    if not isinstance(message["sequence_num"], int) or not isinstance(message["channel"], str):
        raise Malformed("a message without its number or channel")
    from_iso(message["timestamp"])
    return message


def _error_of(text: str) -> Exception:
    if "auth" in text.lower() or "jwt" in text.lower():
        return Unauthorised(f"Coinbase does not take the key for its stream: {text[:200]}", code="401")
    return Retryable(f"Coinbase ended the stream: {text[:200]}", code="stream")


class Orders:
    """Messages of the channel `user` to reports. They tell how much is filled, but not by which trades: ask for the fills."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __call__(self, message: Json, moment: datetime, received: float) -> Iterator[Report]:
        if message["channel"] != "user":
            return
        for event in message["events"]:
            orders = event.get("orders") or [] if isinstance(event, dict) else event
            yield from self._reader.parse_with("user", self._read_orders, orders, moment) or ()

    def _read_orders(self, orders: object, moment: datetime) -> list[Report]:
        return self._reader.read_list("user", orders, lambda order: frames.user_order(order, moment))
