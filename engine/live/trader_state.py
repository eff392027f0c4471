"""A trader's tables: the simulator's book over one column of candles, and what its orders are called outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.book import (
    BUY,
    FILL,
    LOT,
    MARKET,
    OPEN,
    ORDER,
    OVER,
    REBALANCE,
    RUNG,
    STATE,
    SYMBOL,
    TRADE,
    WORKING,
    Book,
)
from engine.layout import Plan, setup_of
from engine.live import kernel
from engine.live.types import Closed, Ended, Executed, Intent, Step
from engine.types import ORDER_STATUSES, ORDER_TYPES, REASONS, REFUSALS, SIDES, Account, Floats

ROWS = 32
TABLES = ("lots", "working", "orders", "fills", "trades")
COLUMNS = ("open", "high", "low", "close", "volume", "mark", "size")


class TraderState:
    """The book; `numbers`, what its orders' rows are called outside; and the clock."""

    def __init__(self, account: Account, symbols: Sequence[str], position: str, reserve: float) -> None:
        self.symbols = tuple(symbols)
        self.columns: dict[str, Any] = {name: np.full((len(symbols), 2), np.nan) for name in COLUMNS}
        """What is known of the candle at hand, by symbol; see `kernel`."""
        self.counts = np.full((len(symbols), 2), -1, dtype=np.int64)
        """How many candles the symbol had before."""
        self.plan = empty_plan(2 * len(symbols))
        self.book = new_book(account, position, self.columns, self.counts, reserve)
        self.t = 0
        self.time: int | None = None
        """Open time of the last candle that has closed."""
        self.begun: int | None = None
        """Open time of the candle in progress, and which symbols have opened in it."""
        self.opened = [False] * len(symbols)
        self.entries_allowed = True
        self.numbers: list[int] = []
        """By row of the order table: number, when it was decided, whether it has gone out."""
        self.created: list[int] = []
        self.told: list[bool] = []
        self.next_number = 0
        self.targets: dict[int, tuple[int, int]] = {}
        """Symbols' waiting targets: the number that the order will have, and when it was decided."""
        self.times: dict[int, int] = {}
        """Open times of the candles in which lots were opened."""

    @property
    def state(self) -> Any:
        return self.book.state[0]

    def adopt(self, **tables: Any) -> None:
        self.book = self.book._replace(**tables)

    def run(self, entry: Callable[..., bool], *arguments: Any) -> None:
        """Enter the kernel, with longer tables where these are too short."""
        while not entry(self.book, *arguments):
            self.lengthen(2 * len(self.book.orders))

    def lengthen(self, rows: int) -> None:
        """Make every table at least `rows` long."""
        for name in TABLES:
            table = getattr(self.book, name)
            if len(table) >= rows:
                continue
            longer = np.zeros(rows, table.dtype)
            longer[: len(table)] = table
            self.adopt(**{name: longer})

    def run_report(self, entry: Callable[..., Any], *arguments: Any) -> Any:
        """Enter the kernel with a venue's report: it may open a lot, or sell from each one twice."""
        while 2 * int(self.state["lots"]) + 8 > len(self.book.lots):
            self.lengthen(2 * len(self.book.lots))
        result = entry(self.book, *arguments)
        self.times.setdefault(self.t, self.now())
        return result

    # The clock.
    def now(self) -> int:
        """Open time of the candle in progress, else of the last one."""
        return self.begun if self.begun is not None else self.time if self.time is not None else 0

    def begin(self, time_ms: int) -> None:
        if self.begun != time_ms:
            self.t += self.begun is not None  # one that never closed
            self.begun = time_ms
            self.opened = [False] * len(self.symbols)

    def show_opens(self, opens: dict[int, float]) -> None:
        """The candle of these symbols, and of no other, begins."""
        for s in opens:
            self.opened[s] = True
            self.counts[s] += 1
        self.show_prices(opens)

    def show_prices(self, prices: dict[int, float]) -> None:
        """The candle of these symbols, and of no other, is at hand; what is bought and sold at its open is so at these prices."""
        self.columns["close"][:] = np.nan
        for s, price in prices.items():
            self.columns["open"][s] = self.columns["close"][s] = price

    # Orders.
    def rows(self) -> list[int]:
        """The rows of the orders that wait."""
        working = self.book.working
        return [row for row in range(int(self.state["working"])) if working[row]["order"] != OVER]

    def row_of(self, number: int) -> int | None:
        """The row among those that wait, if it still does."""
        for row in self.rows():
            if self.numbers[self.book.working[row]["order"]] == number:
                return row
        return None

    def has_queued(self) -> bool:
        """Whether anything is to be done at the next open."""
        if self.state["targets"] > 0:
            return True
        waiting = self.book.working[: int(self.state["working"])]
        return bool(((waiting["order"] != OVER) & (waiting["kind"] == MARKET)).any())

    def take_number(self) -> int:
        self.next_number += 1
        return self.next_number - 1

    def number_new_orders(self, time: int) -> None:
        for row in range(len(self.numbers), int(self.state["orders"])):
            order = self.book.orders[row]
            reserved = self.targets.pop(int(order["symbol"]), None) if order["reason"] == REBALANCE else None
            number, created = reserved or (self.take_number(), time)
            self.numbers.append(number)
            self.created.append(created)
            self.told.append(False)

    def order(self, row: int) -> Intent:
        o = self.book.orders[row]
        limit, stop = float(o["limit"]), float(o["stop"])
        return Intent(
            number=self.numbers[row],
            symbol=self.symbols[o["symbol"]],
            side=SIDES[o["side"]],
            type=ORDER_TYPES[o["type"]],
            reason=REASONS[o["reason"]],
            quantity=float(o["quantity"]),
            limit=None if np.isnan(limit) else limit,
            stop=None if np.isnan(stop) else stop,
            created_at=self.created[row],
        )

    # After the kernel.
    def settle(self, time: int, *, executed: bool, equity: float | None = None) -> Step:
        """What the kernel did, told in the outside's words; its tables are swept. `executed`: whether its fills are ours to tell,
        and with them its orders."""
        step = Step(equity=equity)
        n = int(self.state["orders"])
        over = self.book.orders["status"][:n] != OPEN
        if n == len(self.numbers) and not (self.state["fills"] or self.state["trades"] or over.any()):
            return step
        self.number_new_orders(time)
        if executed:
            self.tell_wanted(step)
            self.tell_fills(step, time)
        self.tell_done(step, time)
        self.tell_closed(step, time)
        self.sweep()
        return step

    def tell_wanted(self, step: Step) -> None:
        """Orders go out when they are made; market orders when they are executed."""
        filled = set(self.book.fills["order"][: int(self.state["fills"])].tolist())
        for row, told in enumerate(self.told):
            o = self.book.orders[row]
            if not told and (row in filled or (o["type"] != MARKET and o["status"] == OPEN)):
                self.told[row] = True
                step.wanted.append(self.order(row))

    def tell_fills(self, step: Step, time: int) -> None:
        for fill in self.book.fills[: int(self.state["fills"])]:
            row = int(fill["order"])
            o = self.book.orders[row]
            step.executed.append(
                Executed(
                    number=self.numbers[row],
                    symbol=self.symbols[o["symbol"]],
                    side=SIDES[o["side"]],
                    price=float(fill["price"]),
                    quantity=float(fill["quantity"]),
                    fee=float(fill["fee"]),
                    slippage=float(fill["slippage"]),
                    maker=bool(fill["maker"]),
                    time=time,
                    cash=float(fill["cash"]),
                    position=float(fill["position"]),
                )
            )

    def tell_done(self, step: Step, time: int) -> None:
        for row in range(len(self.numbers)):
            o = self.book.orders[row]
            if o["status"] != OPEN:
                step.done.append(Ended(self.order(row), ORDER_STATUSES[o["status"]], REFUSALS[o["refusal"]], time))

    def tell_closed(self, step: Step, time: int) -> None:
        for trade in self.book.trades[: int(self.state["trades"])]:
            step.closed.append(
                Closed(
                    symbol=self.symbols[trade["symbol"]],
                    opened_at=self.times.get(int(trade["entry_index"]), time),
                    closed_at=time,
                    entry_price=float(trade["entry_price"]),
                    exit_price=float(trade["exit_price"]),
                    quantity=float(trade["quantity"]),
                    fees=float(trade["fees"]),
                    slippage=float(trade["slippage"]),
                    profit=float(trade["profit"]),
                    gain=float(trade["return"]),
                    entry_reason=REASONS[trade["entry_reason"]],
                    exit_reason=REASONS[trade["exit_reason"]],
                )
            )

    def sweep(self) -> None:
        """Forget the orders that are over, and what has been told; the rows of the others close their ranks."""
        book, state = self.book, self.state
        kept = np.flatnonzero(book.orders["status"][: int(state["orders"])] == OPEN)
        places = np.full(int(state["orders"]) + 1, -1)  # the last one for "none"
        places[kept] = np.arange(len(kept))
        book.orders[: len(kept)] = book.orders[kept]
        lots, working = book.lots[: int(state["lots"])], book.working[: int(state["working"])]
        for column in (lots["exit"], lots["order"], working["order"], book.rungs["order"]):
            column[:] = places[column]
        self.numbers, self.created = ([each[i] for i in kept] for each in (self.numbers, self.created))
        self.told = [self.told[i] for i in kept]
        self.times = {t: self.times.get(t, self.now()) for t in set(lots["entry"].tolist())}
        state["orders"], state["fills"], state["trades"] = len(kept), 0, 0

    def is_queued(self, row: int, side: int) -> bool:
        """A market order among those that wait."""
        w = self.book.working[row]
        return bool(w["kind"] == MARKET and w["side"] == side)

    def buys(self) -> list[int]:
        return [row for row in self.rows() if self.book.working[row]["side"] == BUY]

    def end(self, row: int, status: int, refusal: int = 0) -> None:
        kernel.ending(self.book, row, self.t, status, refusal)

    def lots(self) -> Any:
        return self.book.lots[: int(self.state["lots"])]

    def levels(self) -> Floats:
        """Of each lot: stop level (0: none), its reason's code, take-profit level (infinite: none)."""
        levels = np.empty((int(self.state["lots"]), 3))
        kernel.protection(self.book, self.t, levels)
        return levels

    def equity(self, prices: Mapping[int, float] | None = None, crumbs: Mapping[int, float] | None = None) -> float:
        """Cash, positions and crumbs at these prices, else at the last closes."""
        total = self.state["cash"]
        for s, symbol in enumerate(self.book.symbols):
            quantity = symbol["position"] + (crumbs or {}).get(s, 0.0)
            if quantity != 0.0:
                total += quantity * (prices or {}).get(s, self.columns["mark"][s, 0])
        return float(total)

    def hold(self, row: int, amount: float) -> None:
        """Hold `amount` for the purchase, in place of what was held for it."""
        w = self.book.working[row]
        change = amount - w["held"]
        w["held"] = amount
        self.state["held"] += change
        self.book.symbols[w["symbol"]]["held"] += change

    def forget_target(self, s: int) -> None:
        self.targets.pop(s, None)
        if self.book.symbols[s]["target_at"] >= 0:
            self.book.symbols[s]["target_at"] = -1
            self.state["targets"] -= 1


def empty_plan(rows: int) -> Plan:
    time, symbol, kind = (np.full(rows, -1, dtype=np.int64) for _ in range(3))
    limit, stop, weight = (np.full(rows, np.nan) for _ in range(3))
    return Plan(time, symbol, kind, limit, stop, weight)


def new_book(account: Account, position: str, columns: dict[str, Any], counts: Any, reserve: float) -> Book:
    setup = setup_of(account, position)
    setup["reserve"] = reserve
    state = np.zeros(1, STATE)
    state["cash"] = state["equity"] = account.cash
    symbols = np.zeros(len(counts), SYMBOL)
    symbols["used_at"] = symbols["target_at"] = -1
    for row, rule in zip(symbols, account.rules, strict=True):
        row["tick"], row["lot"], row["min_notional"] = rule.tick, rule.lot, rule.min_notional
    tables: dict[str, Any] = dict(zip(TABLES, (np.zeros(ROWS, kind) for kind in (LOT, WORKING, ORDER, FILL, TRADE)), strict=True))
    return Book(setup, state, symbols, np.zeros(0, RUNG), equity=np.empty(0), ordinal=counts, **tables, **columns)
