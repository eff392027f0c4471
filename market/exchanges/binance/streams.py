"""Binance's sockets. Each lives once: it ends by raising, and the next one starts with nothing of the last."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import orjson
from binance.exceptions import BinanceAPIException, BinanceWebsocketUnableToConnect
from websockets.exceptions import WebSocketException

from market.exchanges.base import PLANNED, Alive, MarketEvent, Refused, Retryable, StreamGap, Tick, UserEvent
from market.exchanges.binance import frames
from market.exchanges.binance.client import BinanceClient, MarketSocket, UserSocket
from market.exchanges.binance.errors import translate_error
from market.exchanges.binance.orders import venue_symbol
from market.exchanges.parsing import Json, Malformed
from market.exchanges.reading import Reader
from market.exchanges.vocabulary import binance as words

CHUNK = 200
"""Streams in one request."""
MOST_STREAMS = 1024
"""Streams that the venue takes on one connection."""
PACE = 0.25
"""Seconds between two requests. The venue takes five messages a second, pongs among them, and cuts off who sends more."""
OPENING = 10.0
BEAT = 30.0
"""Seconds of silence on the user stream after which the venue is asked whether it is still there."""
ENDS = ("error", *words.USER_EVENT.find_words("end"))
"""Of the user stream. The first one is the library's own."""
LOST = (WebSocketException, OSError, TimeoutError, BinanceWebsocketUnableToConnect)


def stream_names(symbols: Sequence[str], intervals: Sequence[str], *, depth: bool) -> list[str]:
    streamed = (f"kline_{interval}" for interval in intervals if interval != words.COUNTED_FROM_LISTING)
    kinds = ["aggTrade", *streamed, *(["depth20"] if depth else [])]
    return [f"{venue_symbol(symbol).lower()}@{kind}" for symbol in symbols for kind in kinds]


async def stream_market(
    socket: MarketSocket, streams: Sequence[str], symbols: Mapping[str, str], reader: Reader, now: Callable[[], datetime]
) -> AsyncGenerator[MarketEvent, None]:
    """`Alive` says that the venue has taken all subscriptions."""
    try:
        await socket.connect()
        async with aclosing(_read_events(socket.ws, streams, TradeNumbers(symbols, reader, now))) as events:
            async for event in events:
                yield event
    except LOST as error:
        raise Retryable(f"The market stream of Binance was lost ({type(error).__name__}).", code="stream") from None
    finally:
        if socket.ws is not None:
            await socket.ws.close()
    raise Retryable("The market stream of Binance was closed by the venue.", code="stream")


async def _read_events(ws: Any, streams: Sequence[str], trades: TradeNumbers) -> AsyncGenerator[MarketEvent, None]:
    """Subscribes and turns frames into events. `Alive` comes once the venue has confirmed all subscriptions."""
    if len(streams) > MOST_STREAMS:
        raise Refused(
            f"symbols: Binance takes {MOST_STREAMS} streams on one connection, and {len(streams)} are wanted. Follow fewer symbols "
            "or intervals here, or let another stream worker have some of them.",
            code="symbols",
            kind="ours",
        )
    chunks = [list(streams[first : first + CHUNK]) for first in range(0, len(streams), CHUNK)]
    for number, chunk in enumerate(chunks, 1):
        if number > 1:
            await asyncio.sleep(PACE)
        await ws.send(orjson.dumps({"method": "SUBSCRIBE", "params": chunk, "id": number}).decode())
    missing = len(chunks)
    async for text in ws:
        received = time.perf_counter()
        frame = trades.reader.parse_with("json", _parse_frame, text)
        if frame is None:
            continue
        if "stream" not in frame:
            missing = _take_answer(frame, missing, trades.reader)
            if missing == 0:
                missing = -1
                yield Alive(frames.VENUE, trades.now())
            continue
        for event in trades.events(frame, received):
            yield event


def _parse_frame(text: str | bytes) -> Json:
    frame = orjson.loads(text)
    if not isinstance(frame, dict):
        raise Malformed("a frame that is no object")
    return frame


def _take_answer(frame: Json, missing: int, reader: Reader) -> int:
    """How many answers to our subscriptions are still missing."""
    if "error" in frame or ("code" in frame and "msg" in frame):
        raise Retryable(f"Binance did not take a subscription: {str(frame)[:200]}", code="stream")
    if "id" in frame and frame.get("result", "") is None:
        return missing - 1
    _check_goodbye(frame)
    reader.skip("unknown", str(frame)[:100])
    return missing


def _check_goodbye(frame: Json) -> None:
    if frames.says_goodbye(frame):
        raise Retryable("Binance is about to shut this server down.", code=PLANNED)


class TradeNumbers:
    """Turns frames into events and watches the numbers of the trades, which leave no number out and repeat none."""

    def __init__(self, symbols: Mapping[str, str], reader: Reader, now: Callable[[], datetime]) -> None:
        self.reader, self.now, self._symbols = reader, now, symbols
        self._last: dict[str, int] = {}

    def events(self, frame: Json, received: float) -> Sequence[MarketEvent]:
        kind = str(frame["stream"]).partition("@")[2]
        event = self.reader.parse_with(kind, frames.market_event, frame, self._symbols, received, self.now())
        if event is None:
            _check_goodbye(frame)
            return ()
        return self._check_number(frame["data"], event) if isinstance(event, Tick) else (event,)

    def _check_number(self, data: Json, event: Tick) -> Sequence[MarketEvent]:
        number = data.get("a", data.get("t"))
        last = self._last.get(event.symbol)
        if not isinstance(number, int) or (last is not None and number <= last):
            self.reader.skip("repeated trade", f"{number} after {last}")
            return ()
        self._last[event.symbol] = number
        if last is None or number == last + 1:
            return (event,)
        gap = StreamGap(frames.VENUE, f"trades {last + 1} to {number - 1} did not come", event.time, event.symbol)
        return gap, event


async def stream_user(client: BinanceClient, symbols: Mapping[str, str], reader: Reader) -> AsyncGenerator[UserEvent, None]:
    """Begins with `Alive` when the subscription stands. Ask for what happened before that."""
    socket = client.user_socket()
    try:
        await client._ws_api_request("userDataStream.subscribe.signature", signed=True, params={})
        yield Alive(frames.VENUE, datetime.now(UTC))
        while True:
            event = await _next_event(client, socket)
            if event is None:
                yield Alive(frames.VENUE, datetime.now(UTC))
                continue
            if not isinstance(event, dict):
                reader.skip("user", f"an event that is no object: {event!r:.100}")
                continue
            if event.get("e") in ENDS:
                raise Retryable("The user stream of Binance was lost.", code="stream")
            parsed = reader.parse_with(str(event.get("e")), frames.user_event, event, symbols, reader)
            if parsed is not None:
                yield parsed
    except BinanceAPIException as error:
        raise translate_error(error, False) from None
    except LOST as error:
        raise Retryable(f"The user stream of Binance was lost ({type(error).__name__}).", code="stream") from None
    finally:
        await socket.end()


async def _next_event(client: BinanceClient, socket: UserSocket) -> dict[str, Any] | None:
    """The next event. None if the stream was silent, and the venue was asked whether it is still there and answered."""
    try:
        async with asyncio.timeout(BEAT):
            return await socket.next_event()
    except TimeoutError:
        async with asyncio.timeout(OPENING):
            await client._ws_api_request("ping", signed=False, params={})
        return None
