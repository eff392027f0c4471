"""The engine's live driver: a bot's state is the simulator's book, driven candle by candle."""

from engine.live.carry import HeldPosition
from engine.live.held_orders import HeldOrder
from engine.live.signal_rows import decide_row, last_row, last_size
from engine.live.trader import Trader
from engine.live.types import (
    OHLCV,
    BlockedOrder,
    Closed,
    Ended,
    Executed,
    HeldQuantity,
    Intent,
    PriceLevel,
    Refusal,
    SignalRow,
    Step,
)

__all__ = [
    "OHLCV",
    "BlockedOrder",
    "Closed",
    "Ended",
    "Executed",
    "HeldOrder",
    "HeldPosition",
    "HeldQuantity",
    "Intent",
    "PriceLevel",
    "Refusal",
    "SignalRow",
    "Step",
    "Trader",
    "decide_row",
    "last_row",
    "last_size",
]
