"""A trader's memory: the simulator's book over one column of candles, and the numbers that its orders have outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from engine.book import BUY, FILL, LOT, MARKET, ORDER, OVER, REBALANCE, RUNG, TRADE, WORKING, KernelBook
from engine.layout import IntentTable, first_state, maxima_rows, setup_of, symbol_rows
from engine.live import kernel
from engine.live.candles_at_hand import CandlesAtHand
from engine.live.growing_book import GrowingBook
from engine.live.types import Intent
from engine.types import ORDER_TYPES, REASONS, SIDES, Account, Floats

ROWS = 32
TABLES = {"lots": LOT, "working": WORKING, "orders": ORDER, "fills": FILL, "trades": TRADE}


class TraderState(GrowingBook):
    """The book; `numbers`, what its orders' rows are called outside; and the clock."""

    def __init__(self, account: Account, symbols: Sequence[str], position: str, reserve: float) -> None:
        self.symbols = tuple(symbols)
        self.candles = CandlesAtHand(len(symbols))
        self.intents = empty_intents(2 * len(symbols))
        super().__init__(new_book(account, position, self.candles, reserve))
        self.t = 0
        self.time: int | None = None
        """Open time of the last candle that has closed."""
        self.begun: int | None = None
        """Open time of the candle in progress, and which symbols have opened in it."""
        self.opened = [False] * len(symbols)
        self.entries_allowed = True
        self.numbers: list[int] = []
        """By row of the order table: number, when it was decided, whether it has gone out."""
        self.decided_at: list[int] = []
        self.announced: list[bool] = []
        self.next_number = 0
        self.targets: dict[int, tuple[int, int]] = {}
        """Symbols' waiting targets: the number that the order will have, and when it was decided."""
        self.times: dict[int, int] = {}
        """Open times of the candles in which lots were opened."""

    def run_report(self, entry: Callable[..., Any], *arguments: Any) -> Any:
        """Enter the kernel with a venue's report: it may open a lot, or sell from each one twice."""
        while 2 * int(self.totals["lots"]) + 8 > len(self.book.lots):
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
            self.candles.counts[s] += 1
        self.candles.show_prices(opens)

    # Orders.
    def waiting_rows(self) -> list[int]:
        """The rows of the orders that wait."""
        working = self.book.working
        return [row for row in range(int(self.totals["working"])) if working[row]["order"] != OVER]

    def row_of(self, number: int) -> int | None:
        """The row among those that wait, if it still does."""
        for row in self.waiting_rows():
            if self.numbers[self.book.working[row]["order"]] == number:
                return row
        return None

    def has_queued(self) -> bool:
        """Whether anything is to be done at the next open."""
        if self.totals["targets"] > 0:
            return True
        waiting = self.book.working[: int(self.totals["working"])]
        return bool(((waiting["order"] != OVER) & (waiting["kind"] == MARKET)).any())

    def take_number(self) -> int:
        self.next_number += 1
        return self.next_number - 1

    def number_new_orders(self) -> None:
        """Orders that the kernel has made get their numbers; a target has had its own since it was decided."""
        for row in range(len(self.numbers), int(self.totals["orders"])):
            order = self.book.orders[row]
            reserved = self.targets.pop(int(order["symbol"]), None) if order["reason"] == REBALANCE else None
            number, decided_at = reserved or (self.take_number(), self.now())
            self.numbers.append(number)
            self.decided_at.append(decided_at)
            self.announced.append(False)

    def intent_of(self, row: int) -> Intent:
        """The order in that row of the order table."""
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
            created_at=self.decided_at[row],
        )

    def is_queued(self, row: int, side: int) -> bool:
        """A market order among those that wait."""
        w = self.book.working[row]
        return bool(w["kind"] == MARKET and w["side"] == side)

    def purchase_rows(self) -> list[int]:
        """The rows of those of them that buy."""
        return [row for row in self.waiting_rows() if self.book.working[row]["side"] == BUY]

    def end_order(self, row: int, status: int, refusal: int = 0) -> None:
        kernel.end_order(self.book, row, self.t, status, refusal)

    def lots(self) -> Any:
        return self.book.lots[: int(self.totals["lots"])]

    def levels(self) -> Floats:
        """Of each lot: stop level (0: none), its reason's code, take-profit level (infinite: none)."""
        levels = np.empty((int(self.totals["lots"]), 3))
        kernel.write_levels(self.book, self.t, levels)
        return levels

    def equity(self, prices: Mapping[int, float] | None = None, crumbs: Mapping[int, float] | None = None) -> float:
        """Cash, positions and crumbs at these prices, else at the last closes."""
        total = self.totals["cash"]
        for s, symbol in enumerate(self.book.symbols):
            quantity = symbol["position"] + (crumbs or {}).get(s, 0.0)
            if quantity != 0.0:
                total += quantity * (prices or {}).get(s, self.candles.columns["mark"][s, 0])
        return float(total)

    def forget_target(self, s: int) -> None:
        self.targets.pop(s, None)
        if self.book.symbols[s]["target_at"] >= 0:
            self.book.symbols[s]["target_at"] = -1
            self.totals["targets"] -= 1


def empty_intents(rows: int) -> IntentTable:
    time, symbol, kind = (np.full(rows, -1, dtype=np.int64) for _ in range(3))
    limit, stop, weight = (np.full(rows, np.nan) for _ in range(3))
    return IntentTable(time, symbol, kind, limit, stop, weight)


def new_book(account: Account, position: str, candles: CandlesAtHand, reserve: float) -> KernelBook:
    setup = setup_of(account, position)
    setup["reserve"] = reserve
    tables: dict[str, Any] = {name: np.zeros(ROWS, kind) for name, kind in TABLES.items()}
    return KernelBook(
        setup=setup,
        state=first_state(account),
        symbols=symbol_rows(account, len(candles.counts)),
        maxima=maxima_rows(account),
        rungs=np.zeros(0, RUNG),
        equity=np.empty(0),
        ordinal=candles.counts,
        **tables,
        **candles.columns,
    )
