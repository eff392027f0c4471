"""Reason codes in plain words, for pages."""

from __future__ import annotations

from typing import Any

import numpy as np

REASONS_IN_WORDS = {
    "entry_signal": "the strategy asked to be in",
    "exit_signal": "the strategy asked to be out",
    "rebalance": "the strategy set another share of equity to hold",
    "ladder": "a rung of the grid was reached",
    "stop_loss": "the price fell to the stop-loss",
    "take_profit": "the price rose to the take-profit",
    "trailing_stop": "the price fell back from its high to the trailing stop",
    "time_limit": "the position was held for its longest time",
    "end_of_data": "the candles ended, so what was held was sold at the last close",
    "by_hand": "a person closed the position",
}

REFUSALS_IN_WORDS = {
    "insufficient_cash": "There was not enough free cash: it was spent, or held for resting orders.",
    "below_lot_size": "The amount would have bought less than the smallest quantity that the venue trades.",
    "below_min_notional": "The order was worth less than the venue's least order value.",
    "max_open_positions": "As many symbols as the limit allows were already held or being bought.",
    "symbol_cap": "The symbol already had its largest share of equity.",
    "bad_price": "The limit or stop price was not above zero.",
    "protection": "A protection was on: after the trades before, no entries for a while.",
    "above_maximum": "One order may not ask for so much at the venue.",
}


def fill_in_words(fill: dict[str, Any]) -> str:
    """Of a row of `playback_candles`' fills: "Bought 0.5 at 42,000.00, fee 21: the strategy asked to be in"."""
    done = "Bought" if fill["side"] == "buy" else "Sold"
    price, quantity, fee = (short_number(fill[name]) for name in ("price", "quantity", "fee"))
    return f"{done} {quantity} at {price}, fee {fee}: {REASONS_IN_WORDS[fill['reason']]}"


def short_number(number: str) -> str:
    """The number as a tooltip shows it: two decimals of large numbers, six digits of small ones."""
    value = float(number)
    if abs(value) >= 1_000:
        return f"{value:,.2f}"
    return str(np.format_float_positional(value, precision=6, fractional=False, trim="-"))
