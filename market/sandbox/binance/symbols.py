"""The symbols that the parameters of a call name."""

from __future__ import annotations

import json

from market.sandbox.binance import params
from market.sandbox.binance.notation import BinanceError, venue_symbol
from market.sandbox.binance.params import Params
from market.sandbox.exchange import SandboxExchange


class SymbolNames:
    """Finds our symbol (`BTC-USDT`) for Binance's (`BTCUSDT`). `BinanceError` -1121 where it is not listed."""

    def __init__(self, exchange: SandboxExchange) -> None:
        self._exchange = exchange

    def read_one(self, given: Params) -> str:
        """The symbol of a call that needs one."""
        return self._find(params.read_required(given, "symbol"))

    def read_all(self, given: Params) -> list[str]:
        """The symbols of a call that takes one as `symbol`, several as `symbols` (a JSON list), or none for all of the venue."""
        if "symbol" in given:
            return [self.read_one(given)]
        if "symbols" not in given:
            return list(self._exchange.markets)
        names = given["symbols"]
        try:
            names = json.loads(names) if isinstance(names, str) else names
            return [self._find(str(name)) for name in list(names)]
        except (ValueError, TypeError):
            raise params.malformed_parameter("symbols") from None

    def _find(self, name: str) -> str:
        for symbol in self._exchange.markets:
            if venue_symbol(symbol) == name:
                return symbol
        raise BinanceError(-1121, "Invalid symbol.")
