"""What a trader knows of the candle at hand, as the kernel reads it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from engine.live.types import OHLCV
from engine.types import Floats, Ints

COLUMNS = ("open", "high", "low", "close", "volume", "mark", "size")


class CandlesAtHand:
    """Columns of shape (symbols, 2), for the candle before and the one at hand; both hold what is known last. See `kernel`."""

    def __init__(self, symbols: int) -> None:
        self.columns: dict[str, Floats] = {name: np.full((symbols, 2), np.nan) for name in COLUMNS}
        self.counts: Ints = np.full((symbols, 2), -1, dtype=np.int64)
        """How many candles the symbol had before."""

    def show_prices(self, prices: Mapping[int, float]) -> None:
        """The candle of these symbols, and of no other, is at hand; what is bought and sold at its open is so at these prices."""
        self.columns["close"][:] = np.nan
        for s, price in prices.items():
            self.columns["open"][s] = self.columns["close"][s] = price

    def show_candles(self, candles: Mapping[int, OHLCV]) -> None:
        """These candles, and no others, have closed."""
        columns = self.columns
        columns["close"][:] = np.nan
        for s, candle in candles.items():
            columns["open"][s], columns["high"][s], columns["low"][s] = candle.open, candle.high, candle.low
            columns["close"][s] = columns["mark"][s] = candle.close
        self.show_volumes(candles)

    def show_volumes(self, candles: Mapping[int, OHLCV]) -> None:
        for s, candle in candles.items():
            self.columns["volume"][s] = candle.volume
