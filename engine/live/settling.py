"""After the kernel: what it did, as a `Step`."""

from __future__ import annotations

import numpy as np

from engine.book import MARKET, OPEN
from engine.live.trader_state import TraderState
from engine.live.types import Closed, Ended, Executed, Step
from engine.types import ORDER_STATUSES, REASONS, REFUSALS, SIDES


def settle_book(trader_state: TraderState, *, executed: bool, equity: float | None = None) -> Step:
    """Report what the kernel did and sweep its tables. `executed`: whether its own matching executes, so that its fills are
    reported, and its orders as wanted."""
    time = trader_state.now()
    step = Step(equity=equity)
    n = int(trader_state.totals["orders"])
    over = trader_state.book.orders["status"][:n] != OPEN
    if n == len(trader_state.numbers) and not (trader_state.totals["fills"] or trader_state.totals["trades"] or over.any()):
        return step
    trader_state.number_new_orders()
    if executed:
        tell_wanted(trader_state, step)
        tell_fills(trader_state, step, time)
    tell_ends(trader_state, step, time)
    tell_trades(trader_state, step, time)
    sweep_orders(trader_state)
    return step


def tell_wanted(trader_state: TraderState, step: Step) -> None:
    """Orders go out when they are made; market orders when they are executed."""
    filled = set(trader_state.book.fills["order"][: int(trader_state.totals["fills"])].tolist())
    for row, announced in enumerate(trader_state.announced):
        o = trader_state.book.orders[row]
        if not announced and (row in filled or (o["type"] != MARKET and o["status"] == OPEN)):
            trader_state.announced[row] = True
            step.wanted.append(trader_state.intent_of(row))


def tell_fills(trader_state: TraderState, step: Step, time: int) -> None:
    for fill in trader_state.book.fills[: int(trader_state.totals["fills"])]:
        row = int(fill["order"])
        o = trader_state.book.orders[row]
        step.executed.append(
            Executed(
                number=trader_state.numbers[row],
                symbol=trader_state.symbols[o["symbol"]],
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


def tell_ends(trader_state: TraderState, step: Step, time: int) -> None:
    for row in range(len(trader_state.numbers)):
        o = trader_state.book.orders[row]
        if o["status"] != OPEN:
            step.done.append(Ended(trader_state.intent_of(row), ORDER_STATUSES[o["status"]], REFUSALS[o["refusal"]], time))


def tell_trades(trader_state: TraderState, step: Step, time: int) -> None:
    for trade in trader_state.book.trades[: int(trader_state.totals["trades"])]:
        step.closed.append(
            Closed(
                symbol=trader_state.symbols[trade["symbol"]],
                opened_at=trader_state.times.get(int(trade["entry_index"]), time),
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


def sweep_orders(trader_state: TraderState) -> None:
    """Forget the orders that are over and all that has been reported; the rows of the other orders close their ranks."""
    book, state = trader_state.book, trader_state.totals
    kept = np.flatnonzero(book.orders["status"][: int(state["orders"])] == OPEN)
    places = np.full(int(state["orders"]) + 1, -1)  # the last one for "none"
    places[kept] = np.arange(len(kept))
    book.orders[: len(kept)] = book.orders[kept]
    lots, working = book.lots[: int(state["lots"])], book.working[: int(state["working"])]
    for column in (lots["exit"], lots["order"], working["order"], book.rungs["order"]):
        column[:] = places[column]
    trader_state.numbers = [trader_state.numbers[i] for i in kept]
    trader_state.decided_at = [trader_state.decided_at[i] for i in kept]
    trader_state.announced = [trader_state.announced[i] for i in kept]
    trader_state.times = {t: trader_state.times.get(t, trader_state.now()) for t in set(lots["entry"].tolist())}
    state["orders"], state["fills"], state["trades"] = len(kept), 0, 0
