"""An adapter over the real library that is answered what was recorded, with one thing changed."""

from __future__ import annotations

import asyncio
import copy
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from market.exchanges.base import Exchange, ExchangeError, UnreadRow
from market.exchanges.binance.client import BinanceClient
from market.exchanges.coinbase.client import CoinbaseSocket
from tests.market.exchanges.canned import Answer, CannedVenue, canned_transport, make_exchange
from tests.market.exchanges.mutation.mutations import KINDS, Cell, Path, find_rows, list_paths, mutate
from tests.market.exchanges.mutation.recording import LISTS, METHODS, Recording, call_method
from tests.market.exchanges.venues import SYMBOLS

NEWEST_FIRST = (("coinbase", "candles"), ("coinbase", "fills"))
"""There the first row of the answer is the last of what the port gives."""
SEVERAL = ("movements", "elsewhere")
"""Made of several lists: the row that was changed may stand anywhere."""
FACTS = ("tick", "candle", "report", "balances")
"""Events of a stream that must not be lost. The depth is a picture: the next one takes its place."""


def list_cells(recording: Recording) -> list[Cell]:
    """Each field of the first row of each answer, and of what stands around the rows, in each kind of mutation."""
    cells = []
    for method in METHODS:
        for asked, answers in recording.calls[method].items():
            for index, answer in enumerate(answers):
                cells += [Cell(recording.venue, method, asked, index, path, kind) for path in _row_paths(answer) for kind in KINDS]
    for stream, frames in recording.frames.items():
        cells += [
            Cell(recording.venue, stream, "frame", index, path, kind)
            for index, frame in enumerate(frames)
            for path in list_paths(frame)
            for kind in KINDS
            if kind != "bad row"
        ]
    return cells


def _row_paths(answer: Any) -> Iterator[Path]:
    rows = find_rows(answer)
    for path in list_paths(answer):
        if rows is None or path[: len(rows)] != rows or len(path) <= len(rows) or path[len(rows)] == 0:
            yield path


def in_a_row(answer: Any, path: Path) -> bool:
    rows = find_rows(answer)
    return rows is not None and path[: len(rows)] == rows and len(path) > len(rows)


UNKNOWN_ACCOUNT = Answer({"errors": [{"id": "not_found", "message": "Not found"}]}, 404)
"""What Coinbase says of an account by another name."""


class Replay:
    """The calls of one recording, over and over. `tried` counts cells by method and kind."""

    def __init__(self, recording: Recording, redis: Redis, stack: AsyncExitStack) -> None:
        self.recording, self.redis, self.stack = recording, redis, stack
        self.canned = CannedVenue()
        self.tried: Counter[tuple[str, str]] = Counter()
        self.faults: list[str] = []
        self.ended: Counter[tuple[str, str]] = Counter()
        """Streams that ended before their time, as they may for what stands around the news: a number, a channel."""
        self.resting = ""
        for asked, answers in recording.calls["place"].items():
            answer = answers[0]
            self.resting = str(answer.get("orderId") or answer["success_response"]["order_id"]) if "POST" in asked else self.resting

    async def connect(self) -> Exchange:
        self.lay_out("clock_offset", {})
        exchange = make_exchange(self.recording.venue, self.redis)
        await exchange.connect()
        self.stack.push_async_callback(exchange.close)
        return exchange

    def lay_out(self, method: str, changed: dict[tuple[str, int], Any], after: str = "") -> None:
        """Names of pairs are there for each method. `after`: the good answers of this one go before those of `method`."""
        given = self.recording.calls
        laid = {**given["instruments"], **given["clock_offset"], **given[method]}
        self.canned.answers = (
            {"GET transactions": UNKNOWN_ACCOUNT}
            | {
                asked: [Answer(json.dumps(changed.get((asked, index), answer))) for index, answer in enumerate(answers)]
                for asked, answers in laid.items()
            }
            | {asked: [Answer(json.dumps(answer)) for answer in answers] for asked, answers in given.get(after, {}).items()}
        )

    async def ask(self, exchange: Exchange, method: str) -> list[str] | None:
        """What a method gives, each row as text; None if it raised an error of the port."""
        try:
            async with asyncio.timeout(20):
                result = await call_method(exchange, method, self.resting)
        except ExchangeError:
            return None
        return [repr(row) for row in result if not isinstance(row, UnreadRow)] if isinstance(result, list) else [repr(result)]

    async def run_method(self, method: str, cells: list[Cell]) -> None:
        exchange = await self.connect()
        self.lay_out(method, {})
        whole = await self.ask(exchange, method)
        assert whole, f"{method} gives nothing even of what was recorded"
        self.lay_out("cancel", {})
        done = await self.ask(exchange, "cancel")
        assert done, "nothing is cancelled even by what was recorded"
        others = whole[:-1] if (self.recording.venue, method) in NEWEST_FIRST else whole[1:]
        for cell in cells:
            answer = self.recording.calls[method][cell.asked][cell.index]
            changed = {(cell.asked, cell.index): mutate(answer, cell.path, cell.kind)}
            self.lay_out(method, changed)
            self.tried[f"{cell.venue}.{method}", cell.kind] += 1
            try:
                found = await self.ask(exchange, method)
                await self._check_cancel(exchange, cell, changed, done)
            except Exception as error:
                self.faults.append(f"{cell}: {type(error).__name__}: {error}"[:300])
                continue
            if method in LISTS and in_a_row(answer, cell.path):
                self._check_rows(cell, found, whole if cell.kind == "bad row" else others)

    async def _check_cancel(self, exchange: Exchange, cell: Cell, changed: dict[tuple[str, int], Any], done: list[str]) -> None:
        """What the kill switch and a person ask for is done whatever the venue has said, and goes on saying, to other questions."""
        self.lay_out(cell.method, changed, after="cancel")
        if await self.ask(exchange, "cancel") != done:
            self.faults.append(f"{cell}: then an order is not cancelled")

    def _check_rows(self, cell: Cell, found: list[str] | None, wanted: list[str]) -> None:
        missing = wanted if found is None else [row for row in wanted if _without_clock(row) not in map(_without_clock, found)]
        spared = 1 if cell.method in SEVERAL and cell.kind != "bad row" else 0
        if len(missing) > spared:
            self.faults.append(f"{cell}: {len(missing)} of {len(wanted)} good rows are lost: {missing[0][:200]}")

    async def run_stream(self, stream: str, cells: list[Cell]) -> None:
        exchange = await self.connect()
        frames = self.recording.frames[stream]
        whole, end = await self.hear(exchange, stream, frames)
        assert whole, f"{stream} tells nothing even of what was recorded"
        for cell in cells:
            changed = insert_frame(frames, cell.index + 1, mutate(frames[cell.index], cell.path, cell.kind), cell.path)
            self.tried[f"{cell.venue}.{stream}", cell.kind] += 1
            try:
                found, ended = await self.hear(exchange, stream, changed)
            except (Exception, pytest.fail.Exception) as error:
                self.faults.append(f"{cell}: {type(error).__name__}: {error}"[:300])
                continue
            if ended != end:  # the stream has ended before its time: what is missing is asked for, and the next one begins
                self.ended[f"{cell.venue}.{stream}", cell.kind] += 1
                self.faults += [f"{cell}: the stream ended: {ended}"[:300]] if len(cell.path) > 1 else []
            elif missing := whole - found:
                self.faults.append(f"{cell}: {missing.total()} good events are lost: {next(iter(missing))[:200]}")

    async def hear(self, exchange: Exchange, stream: str, frames: list[Any]) -> tuple[Counter[str], str]:
        """Listens until the stream ends, as it must, with an error of the port. What was told, and how it ended."""
        self.lay_out("clock_offset", {})
        symbols = [SYMBOLS[self.recording.venue]]
        with pytest.MonkeyPatch.context() as patch:
            play_frames(patch, frames)
            events: Any = (
                exchange.market_stream(symbols, ["1m"], depth=True) if stream == "market_stream" else exchange.user_stream()
            )
            found: Counter[str] = Counter()
            with pytest.raises(ExchangeError) as end:
                await listen_out(events, found)
        return found, str(end.value)


async def listen_out(events: Any, found: Counter[str]) -> None:
    async with asyncio.timeout(20), aclosing(events) as told:
        async for event in told:
            if event.kind in FACTS:
                found[repr(replace(event, received=0.0) if hasattr(event, "received") else event)] += 1


def insert_frame(frames: list[Any], place: int, frame: Any, changed: Path) -> list[Any]:
    """Where the venue numbers its messages, those behind the new one count on; it has its own number, unless that is what was
    `changed`."""
    result = copy.deepcopy(frames)
    if changed[0] == "sequence_num" or "sequence_num" not in frames[0]:
        result.insert(place, frame)
        return result
    if isinstance(frame, dict) and "sequence_num" in frame:
        frame["sequence_num"] += 1
    for one in result[place:]:
        one["sequence_num"] += 1
    return [*result[:place], frame, *result[place:]]


def _without_clock(row: str) -> str:
    """A ticker of Coinbase is stamped by our clock."""
    return row.partition(" time=")[0] if row.startswith("Tick(") else row


class Frames:
    """In the place of a socket of either library, and of what is around it."""

    def __init__(self, frames: list[Any]) -> None:
        self._frames = iter([*frames, {"e": "error"}])
        self._texts = [json.dumps(frame) for frame in frames]
        self.ws = self.websocket = self

    async def __aiter__(self) -> AsyncIterator[str]:
        for text in self._texts:
            yield text

    async def next_event(self) -> Any:
        return next(self._frames)

    async def connect(self) -> None: ...
    async def send(self, _: str) -> None: ...
    async def close(self) -> None: ...
    async def end(self) -> None: ...


def play_frames(patch: pytest.MonkeyPatch, frames: list[Any]) -> None:
    async def answer(*_: Any, **__: Any) -> dict[str, Any]:
        return {}

    async def open_async(socket: Any) -> None:
        socket.websocket = Frames(frames)

    patch.setattr(BinanceClient, "market_socket", lambda *_: Frames(frames))
    patch.setattr(BinanceClient, "user_socket", lambda *_: Frames(frames))
    patch.setattr(BinanceClient, "_ws_api_request", answer)
    patch.setattr(CoinbaseSocket, "open_async", open_async)
    patch.setattr(CoinbaseSocket, "subscribe_all", answer)


async def run_cells(recording: Recording, redis: Redis, cells: list[Cell]) -> Replay:
    async with AsyncExitStack() as stack:
        replay = Replay(recording, redis, stack)
        stack.enter_context(canned_transport(replay.canned))
        for method in METHODS:
            if chosen := [cell for cell in cells if cell.method == method]:
                await replay.run_method(method, chosen)
        for stream in recording.frames:
            await replay.run_stream(stream, [cell for cell in cells if cell.method == stream])
    return replay
