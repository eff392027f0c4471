"""What a run of a bot begins with: cash and lots of the run before, or those of the ledger. Orders are not carried over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import Invalid
from engine.book import LOT
from engine.live.trader_state import TraderState


@dataclass(frozen=True, slots=True)
class HeldPosition:
    """What the ledger has of one symbol. `cost`: what all of it has cost, fees included. `since`: milliseconds."""

    quantity: float
    cost: float
    since: int


def take_over(trader_state: TraderState, cash: float, held: Mapping[str, HeldPosition]) -> None:
    """Fill `trader_state`, which has seen no candle, with one lot a symbol at its average cost. What only the state knew begins
    afresh: how long a lot is held, its highest price, which rung of a ladder bought it. `Invalid` as in `carry`."""
    lots = np.zeros(len(held), LOT)
    for number, (symbol, one) in enumerate(held.items()):
        place = place_of(trader_state, symbol)
        lots[number]["id"], lots[number]["symbol"], lots[number]["quantity"] = number, place, one.quantity
        lots[number]["price"] = lots[number]["highest"] = one.cost / one.quantity
        trader_state.book.symbols[place]["position"], trader_state.book.symbols[place]["lots"] = one.quantity, 1
        trader_state.candles.columns["mark"][place] = one.cost / one.quantity
    lots["entry"] = -1 - np.arange(len(lots))
    for name in ("order", "exit", "rung", "inside_at"):
        lots[name] = -1
    trader_state.times = {-1 - number: one.since for number, one in enumerate(held.values())}
    trader_state.lengthen(len(lots))
    trader_state.book.lots[: len(lots)] = lots
    trader_state.totals["lots"] = trader_state.totals["next_lot"] = len(lots)
    trader_state.totals["cash"], trader_state.totals["equity"] = cash, cash + sum(one.cost for one in held.values())


def place_of(trader_state: TraderState, symbol: str) -> int:
    if symbol not in trader_state.symbols:
        raise Invalid.at("symbols", f"The bot still holds {symbol}: keep it among its symbols, or sell it first.")
    return trader_state.symbols.index(symbol)


def carry_over(old: TraderState, new: TraderState) -> None:
    """Fill `new`, which has seen no candle, with what `old` holds. `Invalid` where that is a symbol that `new` does not have."""
    places = np.array([new.symbols.index(symbol) if symbol in new.symbols else -1 for symbol in old.symbols])
    lots = old.lots().copy()
    for lot in lots:
        place_of(new, old.symbols[lot["symbol"]])
    # Candles held count on; what they were bought in lies before the first candle.
    lots["entry_ordinal"] -= old.candles.counts[lots["symbol"], 0] + 1
    new.times = {-1 - i: old.times.get(int(lot["entry"]), old.now()) for i, lot in enumerate(lots)}
    lots["entry"] = -1 - np.arange(len(lots))
    lots["symbol"] = places[lots["symbol"]]
    lots["order"] = lots["exit"] = lots["rung"] = lots["inside_at"] = -1
    new.lengthen(len(old.book.lots))
    new.book.lots[: len(lots)] = lots
    for name in ("cash", "equity", "lots", "next_lot"):
        new.totals[name] = old.totals[name]
    for s, place in enumerate(places):
        if place >= 0:
            new.book.symbols[place]["position"] = old.book.symbols[s]["position"]
            new.book.symbols[place]["lots"] = old.book.symbols[s]["lots"]
            for name in ("mark", "volume"):
                new.candles.columns[name][place] = old.candles.columns[name][s]
