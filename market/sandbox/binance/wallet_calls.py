"""The calls about money beyond spot orders: coins, fees of all symbols, and products of which an account here has none."""

from __future__ import annotations

from typing import Any

from market.sandbox.binance import forms
from market.sandbox.binance.notation import amount_text, venue_symbol
from market.sandbox.binance.params import Params
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import ZERO

NOTHING = amount_text(ZERO)


class WalletCalls:
    """Each takes the account's name and the parameters."""

    def __init__(self, exchange: SandboxExchange) -> None:
        self.exchange = exchange

    def coins(self, account: str, given: Params) -> Any:
        """All coins of the venue, with what the account has of each. None can be sent over a chain."""
        balances = self.exchange.accounts[account].balances
        listed = {asset for market in self.exchange.markets.values() for asset in (market.instrument.base, market.instrument.quote)}
        return [self._coin(account, asset) for asset in sorted(listed | set(balances))]

    def assets(self, account: str, given: Params) -> Any:
        """What the account has, without what it has nothing of."""
        rows = [self._amounts(account, asset) for asset in sorted(self.exchange.accounts[account].balances)]
        return [row | {"btcValuation": "0"} for row in rows if (row["free"], row["locked"]) != (NOTHING, NOTHING)]

    def fees(self, account: str, given: Params) -> Any:
        rates = forms.commission_rates(self.exchange)
        wanted = given.get("symbol")
        names = [name for name in map(venue_symbol, self.exchange.markets) if wanted in (None, name)]
        return [{"symbol": name, "makerCommission": rates["maker"], "takerCommission": rates["taker"]} for name in names]

    def status(self, account: str, given: Params) -> Any:
        return {"data": "Normal"}

    def no_rows(self, account: str, given: Params) -> Any:
        return []

    def no_pages(self, account: str, given: Params) -> Any:
        return {"rows": [], "total": 0}

    def no_fiat(self, account: str, given: Params) -> Any:
        return {"code": "000000", "message": "success", "data": [], "total": 0, "success": True}

    def _coin(self, account: str, asset: str) -> dict[str, Any]:
        return {
            "coin": asset,
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "name": asset,
            "isLegalMoney": asset == "USD",
            "trading": True,
            "storage": NOTHING,
            **self._amounts(account, asset),
            "ipoing": NOTHING,
            "networkList": [],
        }

    def _amounts(self, account: str, asset: str) -> dict[str, Any]:
        held = self.exchange.accounts[account].balances.get(asset)
        free, locked = (held.free, held.held) if held else (ZERO, ZERO)
        rest = dict.fromkeys(("freeze", "withdrawing", "ipoable"), NOTHING)
        return {"asset": asset, "free": amount_text(free), "locked": amount_text(locked), **rest}
