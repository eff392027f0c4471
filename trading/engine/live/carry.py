"""From one run of a bot to the next: cash and lots go over, orders do not."""

from __future__ import annotations

import numpy as np

from trading.engine.errors import Invalid
from trading.engine.live.brain import Brain


def carry(old: Brain, new: Brain) -> None:
    """Fill `new`, which has seen no candle, with what `old` holds. `Invalid` where that is a symbol that `new` does not have."""
    places = np.array([new.symbols.index(symbol) if symbol in new.symbols else -1 for symbol in old.symbols])
    lots = old.lots().copy()
    for lot in lots:
        if places[lot["symbol"]] < 0:
            symbol = old.symbols[lot["symbol"]]
            raise Invalid.at("symbols", f"The bot still holds {symbol}: keep it among its symbols, or sell it first.")
    # Candles held count on; what they were bought in lies before the first candle.
    lots["entry_ordinal"] -= old.counts[lots["symbol"], 0] + 1
    new.times = {-1 - i: old.times.get(int(lot["entry"]), old.now()) for i, lot in enumerate(lots)}
    lots["entry"] = -1 - np.arange(len(lots))
    lots["symbol"] = places[lots["symbol"]]
    lots["order"] = lots["exit"] = lots["rung"] = lots["inside_at"] = -1
    new.lengthen(len(old.book.lots))
    new.book.lots[: len(lots)] = lots
    for name in ("cash", "equity", "lots", "next_lot"):
        new.state[name] = old.state[name]
    for s, place in enumerate(places):
        if place >= 0:
            new.book.symbols[place]["position"] = old.book.symbols[s]["position"]
            new.book.symbols[place]["lots"] = old.book.symbols[s]["lots"]
            for name in ("mark", "volume"):
                new.columns[name][place] = old.columns[name][s]
