"""Market streams, through python-binance and bare sockets: what frames say, how they join up, and what faults do to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
import websockets
from binance import AsyncClient, BinanceSocketManager

from market.sandbox.server import RunningSandbox

D = Decimal
SOON = 10
RECORDED = "exchange/binance/market-streams-2021-10-12.txt"


class Line:
    """A bare socket that reads JSON."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket

    async def next(self) -> Any:
        return json.loads(await self.text())

    async def text(self) -> str:
        return str(await asyncio.wait_for(self.socket.recv(), SOON))

    async def ask(self, method: str, *params: Any) -> Any:
        await self.socket.send(json.dumps({"method": method, "params": list(params), "id": 1}))
        return await self.next()


@pytest.fixture
async def line(sandbox: RunningSandbox) -> AsyncIterator[Line]:
    async with websockets.connect(sandbox.addresses["binance"]["ws"] + "/ws", close_timeout=0.1) as socket:
        yield Line(socket)


def tick(sandbox: RunningSandbox, price: str, qty: str = "0.1") -> None:
    sandbox.trade("binance", "BTC-USDT", price, qty)


async def test_several_streams_over_one_socket(sandbox: RunningSandbox, sockets: BinanceSocketManager) -> None:
    names = ["trade", "aggTrade", "kline_1m", "bookTicker", "miniTicker", "depth@100ms", "depth20@100ms"]
    socket = sockets.multiplex_socket([f"btcusdt@{name}" for name in names])
    await socket.connect()
    tick(sandbox, "65123.45")
    frames = {}
    for _ in names:
        frame = await asyncio.wait_for(socket.recv(), SOON)
        frames[frame["stream"].partition("@")[2]] = frame["data"]
    closing = asyncio.create_task(socket.close())
    await asyncio.sleep(0)
    tick(sandbox, "65124")  # its reader looks up when something comes
    await closing
    assert set(frames) == set(names)
    trade = frames["trade"]
    assert (trade["s"], trade["p"], trade["q"], trade["t"], trade["m"]) == ("BTCUSDT", "65123.45000000", "0.10000000", 1, True)
    assert frames["kline_1m"]["k"]["c"] == frames["miniTicker"]["c"] == frames["bookTicker"]["b"] == "65123.45000000"
    assert frames["depth20@100ms"]["bids"][0] == [frames["bookTicker"]["b"], frames["bookTicker"]["B"]]


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("btcusdt@ticker_1h", "1hTicker"),
        ("btcusdt@ticker_4h", "4hTicker"),
        ("!ticker_1d@arr", "1dTicker"),
        ("!miniTicker@arr@1000ms", "24hrMiniTicker"),
        ("btcusdt@avgPrice", "avgPrice"),
    ],
)
async def test_tickers_of_other_windows_and_averages_say_what_they_are(
    sandbox: RunningSandbox, line: Line, name: str, event: str
) -> None:
    await line.ask("SUBSCRIBE", name)
    sandbox.step(2_000)
    tick(sandbox, "65123.45")
    frame = await line.next()
    [first, *_] = frame if isinstance(frame, list) else [frame]
    assert first["e"] == event
    if "ticker_" in name:
        assert first["C"] - first["O"] == {"1h": 3_600_000, "4h": 14_400_000, "1d": 86_400_000}[event[:2]]
        assert "b" not in first


async def test_a_candle_closes_once_with_its_last_figures(sandbox: RunningSandbox, line: Line) -> None:
    assert await line.ask("SUBSCRIBE", "btcusdt@kline_1m") == {"result": None, "id": 1}
    tick(sandbox, "65100")
    sandbox.step(100)
    tick(sandbox, "65050")
    sandbox.step(60_000)
    sandbox.step(60_000)
    tick(sandbox, "65200")
    frames = [(await line.next())["k"] for _ in range(4)]
    assert [(frame["x"], frame["n"]) for frame in frames] == [(False, 1), (False, 2), (True, 2), (False, 1)]
    assert [frames[2][name] for name in "ohlc"] == ["65100.00000000", "65100.00000000", "65050.00000000", "65050.00000000"]
    assert frames[2]["t"] < frames[3]["t"]


async def test_depth_frames_join_and_add_up_to_the_book(sandbox: RunningSandbox, client: AsyncClient, line: Line) -> None:
    await line.ask("SUBSCRIBE", "btcusdt@depth@100ms")
    snapshot = await client.get_order_book(symbol="BTCUSDT", limit=1000)
    book = {side: dict(snapshot[side]) for side in ("bids", "asks")}
    last = snapshot["lastUpdateId"]
    for price in ("65010", "64900", "65200"):
        tick(sandbox, price)
        sandbox.step(100)
        frame = await line.next()
        assert frame["U"] == last + 1
        last = frame["u"]
        for side, letter in (("bids", "b"), ("asks", "a")):
            book[side] = {k: v for k, v in (book[side] | dict(frame[letter])).items() if D(v)}
    after = await client.get_order_book(symbol="BTCUSDT", limit=1000)
    assert after["lastUpdateId"] == last
    assert book == {side: dict(after[side]) for side in ("bids", "asks")}


async def test_an_accounts_resting_orders_are_in_the_book(sandbox: RunningSandbox, client: AsyncClient) -> None:
    tick(sandbox, "65000")
    await client.create_order(symbol="BTCUSDT", side="BUY", type="LIMIT", timeInForce="GTC", price="65001", quantity="0.123")
    best = await client.get_orderbook_ticker(symbol="BTCUSDT")
    assert (best["bidPrice"], best["bidQty"]) == ("65001.00000000", "0.12300000")


async def test_subscriptions_can_be_changed_and_nonsense_is_answered(
    sandbox: RunningSandbox, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("market.sandbox.binance.streams.MOST_MESSAGES", 100)
    await line.ask("SUBSCRIBE", "btcusdt@trade", "nosuch@thing")
    assert (await line.ask("LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade", "nosuch@thing"]
    await line.ask("UNSUBSCRIBE", "nosuch@thing", "btcusdt@trade")
    assert (await line.ask("LIST_SUBSCRIPTIONS"))["result"] == []
    await line.ask("SET_PROPERTY", "combined", True)
    await line.ask("SUBSCRIBE", "ethusdt@trade")
    sandbox.trade("binance", "ETH-USDT", "3201")
    assert (await line.next())["stream"] == "ethusdt@trade"
    assert (await line.ask("DANCE"))["error"]["code"] == 2
    for nonsense in ("{", "[]", "7", '{"id": 1}', '{"method": "SUBSCRIBE", "params": 5, "id": 1}', '{"method": "X", "id": {}}'):
        await line.socket.send(nonsense)
        assert "error" in await line.next()


async def test_frames_have_the_fields_of_recorded_ones(sandbox: RunningSandbox, line: Line, shared_data: Any) -> None:
    recorded: dict[str, Any] = {}
    for row in (shared_data / RECORDED).read_text().splitlines():
        if ': {"stream"' not in row:
            continue
        frame = json.loads(row.partition(": ")[2])
        recorded.setdefault(frame["stream"].partition("@")[2], frame["data"])
    await line.ask("SET_PROPERTY", "combined", True)
    await line.ask("SUBSCRIBE", *(f"btcusdt@{name}" for name in recorded))
    tick(sandbox, "65010")
    for _ in recorded:
        frame = await line.next()
        real = recorded[frame["stream"].partition("@")[2]]
        assert list(frame["data"]) == list(real)
        assert {k: type(v) for k, v in frame["data"].items()} == {k: type(v) for k, v in real.items()}
        if "k" in real:
            assert list(frame["data"]["k"]) == list(real["k"])


async def test_gaps_duplicates_and_broken_frames(sandbox: RunningSandbox, line: Line) -> None:
    await line.ask("SUBSCRIBE", "btcusdt@trade")
    stream = {"venue": "binance", "stream": "btcusdt@trade"}
    sandbox.fault(
        {"fault": "gap", "after": 1, **stream},
        {"fault": "duplicate", "after": 2, **stream},
        {"fault": "reorder", "after": 4, **stream},
        {"fault": "malformed", "after": 6, **stream},
    )
    for step in range(8):
        tick(sandbox, f"650{step:02d}")
    assert [(await line.next())["t"] for _ in range(6)] == [1, 3, 3, 4, 6, 5]
    with pytest.raises(json.JSONDecodeError):
        json.loads(await line.text())
    assert (await line.next())["t"] == 8


async def test_a_stalled_socket_is_connected_but_silent(sandbox: RunningSandbox, line: Line) -> None:
    await line.ask("SUBSCRIBE", "btcusdt@trade")
    sandbox.fault({"fault": "stall", "venue": "binance", "for": 1000})
    tick(sandbox, "65001")
    await (await line.socket.ping())
    sandbox.step(1000)
    tick(sandbox, "65002")
    assert (await line.next())["t"] == 2


@pytest.mark.parametrize(("fault", "code"), [({"fault": "drop"}, 1006), ({"fault": "close", "code": 1001}, 1001)])
async def test_a_socket_is_cut_or_closed(sandbox: RunningSandbox, line: Line, fault: dict[str, Any], code: int) -> None:
    sandbox.fault({**fault, "stream": "ws*"})
    with pytest.raises(websockets.ConnectionClosed) as caught:
        await line.text()
    assert (caught.value.rcvd.code if caught.value.rcvd else 1006) == code


async def test_an_outage_of_one_path_leaves_the_others(sandbox: RunningSandbox, client: AsyncClient, line: Line) -> None:
    sandbox.fault({"fault": "outage", "venue": "binance", "stream": "ws*"})
    with pytest.raises(websockets.ConnectionClosed):
        await line.text()
    with pytest.raises((OSError, websockets.InvalidMessage, websockets.ConnectionClosed)):
        await websockets.connect(sandbox.addresses["binance"]["ws"] + "/ws")
    assert (await client.get_account())["canTrade"]
    sandbox.mend()
    async with websockets.connect(sandbox.addresses["binance"]["ws"] + "/ws", close_timeout=0.1):
        pass
