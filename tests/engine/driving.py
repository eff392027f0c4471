"""A trader driven over candles, candle by candle, and what it did in the simulator's words."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pyarrow import csv, feather

from engine.layout import common_time, volatility_share
from engine.live import OHLCV, Closed, Executed, Intent, SignalRow, Step, Trader, last_row
from engine.types import ORDER_STATUSES, ORDER_TYPES, REASONS, REFUSALS, SIDES, Account, Candles, Signals, Simulation

Row = dict[str, Any]


@dataclass
class Diary:
    """What the steps of one trader said. An order's row has its words, and where it ended its status, refusal and time."""

    orders: dict[int, Row] = field(default_factory=dict)
    fills: list[Executed] = field(default_factory=list)
    trades: list[Closed] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)

    def note(self, step: Step) -> None:
        for wanted in step.wanted:
            assert wanted.number not in self.orders, "wanted twice"
            self.orders[wanted.number] = words(wanted)
        for done in step.done:
            assert "status" not in self.orders.get(done.number, {}), "ended twice"
            ended = {"status": done.status, "refusal": done.refusal, "closed": done.time}
            self.orders[done.number] = words(done.order) | ended
        self.fills += step.executed
        self.trades += step.closed
        if step.equity is not None:
            self.equity.append(step.equity)


def words(order: Intent) -> Row:
    nan = float("nan")
    return {
        "symbol": order.symbol,
        "side": order.side,
        "type": order.type,
        "reason": order.reason,
        "created": order.created_at,
        "limit": nan if order.limit is None else order.limit,
        "stop": nan if order.stop is None else order.stop,
        "quantity": order.quantity,
    }


@dataclass
class Tape:
    """Candles and signals of some symbols, by time."""

    account: Account
    candles: Sequence[Candles]
    signals: Sequence[Signals]
    warmup: int

    def __post_init__(self) -> None:
        self.time, places = common_time(self.candles)
        self.shares = [
            volatility_share(self.account.sizing, each) if self.account.sizing.kind == "volatility" else np.full(len(each), np.nan)
            for each in self.candles
        ]
        self.index = [
            dict(zip(range(len(self.time)) if place is None else place.tolist(), range(len(each)), strict=True))
            for each, place in zip(self.candles, places, strict=True)
        ]

    def at(self, t: int) -> tuple[dict[str, OHLCV], dict[str, SignalRow]]:
        shown, rows = {}, {}
        for each, signals, shares, index in zip(self.candles, self.signals, self.shares, self.index, strict=True):
            if t not in index:
                continue
            i = index[t]
            shown[each.symbol] = OHLCV(*(float(getattr(each, name)[i]) for name in ("open", "high", "low", "close", "volume")))
            if i >= self.warmup - 1:
                rows[each.symbol] = last_row(signals, i, float(shares[i]))
        return shown, rows


def new_trader(tape: Tape, position: str, *, external: bool = False, **more: Any) -> Trader:
    symbols = [each.symbol for each in tape.candles]
    return Trader(tape.account, symbols, tape.candles[0].step, position, external=external, **more)


def reloaded(trader: Trader) -> Trader:
    """The same trader in another process."""
    more: dict[str, Any] = {"external": trader.external, "reserve": trader.reserve, "venue_stops": trader.venue_stops}
    other = Trader(trader.account, trader.symbols, trader.step_ms, trader.position, **more)
    other.load(trader.dump())
    assert other.dump() == trader.dump()
    return other


def drive(tape: Tape, position: str, reloads: Collection[int] = (), unopened: Collection[int] = ()) -> tuple[Diary, Trader]:
    """On paper, to a sale at the last close. Before and within the candles `reloads` it is dumped and loaded; the candles
    `unopened` come closed at once."""
    trader, diary = new_trader(tape, position), Diary()
    for t, time in enumerate(tape.time.tolist()):
        shown, rows = tape.at(t)
        trader = reloaded(trader) if t in reloads else trader
        if t not in unopened:
            diary.note(trader.open(time, {symbol: candle.open for symbol, candle in shown.items()}))
        trader = reloaded(trader) if t in reloads else trader
        diary.note(trader.close(time, shown, rows))
    diary.note(trader.sell_all("end_of_data"))
    return diary, trader


def simulated(simulation: Simulation, symbols: Sequence[str]) -> Diary:
    """A backtest's result as a diary."""
    time, o, f = simulation.time.tolist(), simulation.orders, simulation.fills
    diary = Diary(equity=simulation.equity.tolist())
    for k in range(len(o)):
        diary.orders[k] = {
            "symbol": symbols[o["symbol"][k]],
            "side": SIDES[o["side"][k]],
            "type": ORDER_TYPES[o["type"][k]],
            "reason": REASONS[o["reason"][k]],
            "created": time[o["created_index"][k]],
            **{name: float(o[name][k]) for name in ("limit", "stop", "quantity")},
            "status": ORDER_STATUSES[o["status"][k]],
            "refusal": REFUSALS[o["refusal"][k]],
            "closed": time[o["closed_index"][k]],
        }
    for k in range(len(f)):
        order = int(f["order"][k])
        numbers = {name: float(f[name][k]) for name in ("price", "quantity", "fee", "slippage", "cash", "position")}
        row = diary.orders[order]
        when = time[f["index"][k]]
        diary.fills.append(Executed(order, row["symbol"], row["side"], maker=bool(f["maker"][k]), time=when, **numbers))
    diary.trades = trades_of(simulation, symbols)
    return diary


def trades_of(simulation: Simulation, symbols: Sequence[str]) -> list[Closed]:
    time, table = simulation.time.tolist(), simulation.trades
    names = ("entry_price", "exit_price", "quantity", "fees", "slippage", "profit")
    return [
        Closed(
            symbol=symbols[table["symbol"][k]],
            opened_at=time[table["entry_index"][k]],
            closed_at=time[table["exit_index"][k]],
            **{name: float(table[name][k]) for name in names},
            gain=float(table["return"][k]),
            entry_reason=REASONS[table["entry_reason"][k]],
            exit_reason=REASONS[table["exit_reason"][k]],
        )
        for k in range(len(table))
    ]


def assert_same(driven: Diary, expected: Diary, last: int) -> None:
    """To the last bit. What a trader decides at the last close, `last`, a backtest does not; it cancels what then expires."""
    filled = [{fill.number for fill in diary.fills} for diary in (driven, expected)]
    rows = [
        sorted(
            (repr(row) for number, row in each.orders.items() if row["created"] != last or number in known),
        )
        for each, known in zip((at_the_end(driven, last), at_the_end(expected, last)), filled, strict=True)
    ]
    assert rows[0] == rows[1]
    for got, want in zip(driven.fills, expected.fills, strict=True):
        assert replace(got, number=want.number) == want
        assert words_of(driven, got.number) == words_of(expected, want.number)
    assert driven.trades == expected.trades
    assert driven.equity[:-2] == expected.equity[:-1]
    assert driven.equity[-1] == expected.equity[-1]


def words_of(diary: Diary, number: int) -> str:
    return repr({name: diary.orders[number][name] for name in ("symbol", "side", "type", "reason", "created", "limit", "stop")})


def at_the_end(diary: Diary, last: int) -> Diary:
    orders = {
        number: row | {"status": "cancelled"} if row["closed"] == last and row["status"] == "expired" else row
        for number, row in diary.orders.items()
    }
    return Diary(orders)


def generated(length: int, seed: int) -> Candles:
    random = np.random.default_rng(seed)
    close = 1_000 * np.exp(np.cumsum(random.normal(0, 0.004, length)))
    opens = np.concatenate([close[:1], close[:-1]]) * (1 + random.normal(0, 0.0005, length))
    high = np.maximum(opens, close) * (1 + random.uniform(0, 0.003, length))
    low = np.minimum(opens, close) * (1 - random.uniform(0, 0.003, length))
    opens, high, low, close = (np.round(column, 2) for column in (opens, high, low, close))
    time = 1_640_995_200_000 + 300_000 * np.arange(length)
    return Candles("BTC-USD", "5m", time, opens, high, low, close, random.uniform(1, 90, length))


def recorded(path: Path, symbol: str, interval: str) -> Candles:
    table = feather.read_table(path) if path.suffix == ".feather" else csv.read_csv(path)
    stamps = np.array(table.column("date" if "date" in table.column_names else "timestamp"))
    prices = (np.array(table.column(each), dtype=np.float64) for each in ("open", "high", "low", "close", "volume"))
    return Candles(symbol, interval, stamps.astype("datetime64[ms]").astype(np.int64), *prices)
