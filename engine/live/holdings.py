"""What a trader holds, and the orders that wait, for whoever asks."""

from __future__ import annotations

import numpy as np

from engine.live.intents import is_sale
from engine.live.trader_state import TraderState
from engine.live.types import HeldQuantity, Intent
from engine.types import REASONS


def list_holdings(trader_state: TraderState) -> list[HeldQuantity]:
    """The lots, in the order they were opened."""
    found = []
    for lot, (stop, _, take) in zip(trader_state.lots(), trader_state.levels(), strict=True):
        found.append(
            HeldQuantity(
                lot=int(lot["id"]),
                symbol=trader_state.symbols[lot["symbol"]],
                quantity=float(lot["quantity"]),
                price=float(lot["price"]),
                fees=float(lot["fees"]),
                highest=float(lot["highest"]),
                reason=REASONS[lot["reason"]],
                stop=float(stop),
                take=float(take),
            )
        )
    return found


def list_working(trader_state: TraderState) -> list[Intent]:
    """Orders that wait, but for exits that rest at a venue. A queued target, whose quantity the open decides, has NaN."""
    found = [trader_state.intent_of(trader_state.book.working[row]["order"]) for row in trader_state.waiting_rows()]
    for s, (number, created) in trader_state.targets.items():
        if trader_state.book.symbols[s]["target_at"] < 0:
            continue  # its open has been
        side = "sell" if is_sale(trader_state, s, float(trader_state.book.symbols[s]["target"])) else "buy"
        found.append(Intent(number, trader_state.symbols[s], side, "market", "rebalance", np.nan, None, None, created))
    return found
