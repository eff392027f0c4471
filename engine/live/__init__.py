"""The engine's live driver: a bot's brain is the simulator's book, driven candle by candle."""

from engine.live.carry import Held
from engine.live.rows import decide, last_row, last_size
from engine.live.trader import Trader
from engine.live.values import OHLCV, Closed, Done, Executed, Holding, Level, SignalRow, Step, Wanted

__all__ = [
    "OHLCV",
    "Closed",
    "Done",
    "Executed",
    "Held",
    "Holding",
    "Level",
    "SignalRow",
    "Step",
    "Trader",
    "Wanted",
    "decide",
    "last_row",
    "last_size",
]
