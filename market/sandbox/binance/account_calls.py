"""The calls of an account about its money and its past. Each takes the account's name and the parameters."""

from __future__ import annotations

from typing import Any

from market.sandbox.binance import forms, params
from market.sandbox.binance.limits import BinanceRateLimits
from market.sandbox.binance.notation import amount_text, venue_symbol
from market.sandbox.binance.params import Params
from market.sandbox.binance.symbols import SymbolNames
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import ZERO

CREATED = 1_600_000_000_000
"""When the key was made (ms)."""


class AccountCalls:
    """Balances, fees, permissions, and the lists of orders and trades."""

    def __init__(self, exchange: SandboxExchange, symbols: SymbolNames, limits: BinanceRateLimits) -> None:
        self.exchange, self.symbols, self.limits = exchange, symbols, limits

    def account(self, account: str, given: Params) -> Any:
        answer = forms.account_status(self.exchange.accounts[account], self.exchange)
        if str(given.get("omitZeroBalances", "")).lower() == "true":
            zero = amount_text(ZERO)
            answer["balances"] = [row for row in answer["balances"] if (row["free"], row["locked"]) != (zero, zero)]
        return answer

    def commission(self, account: str, given: Params) -> Any:
        symbol, none = self.symbols.read_one(given), dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
        discount = {"enabledForAccount": False, "enabledForSymbol": False, "discountAsset": "BNB", "discount": "0.00000000"}
        return {
            "symbol": venue_symbol(symbol),
            "standardCommission": forms.commission_rates(self.exchange),
            "specialCommission": none,
            "taxCommission": none,
            "discount": discount,
        }

    def restrictions(self, account: str, given: Params) -> Any:
        holder = self.exchange.accounts[account]
        never = ("enableInternalTransfer", "enableMargin", "enableFutures", "permitsUniversalTransfer", "enableVanillaOptions")
        return {
            "ipRestrict": holder.ip_restricted,
            "createTime": CREATED,
            "enableReading": True,
            "enableWithdrawals": holder.can_withdraw,
            "enableSpotAndMarginTrading": holder.can_trade,
            **dict.fromkeys((*never, "enablePortfolioMarginTrading"), False),
        }

    def open_orders(self, account: str, given: Params) -> Any:
        symbol = self.symbols.read_one(given) if "symbol" in given else None
        return [forms.order_details(order) for order in self.exchange.open_orders(account, symbol)]

    def all_orders(self, account: str, given: Params) -> Any:
        """Orders from `orderId` on, or between two times, or the newest."""
        rows = self.exchange.orders(account, self.symbols.read_one(given))
        first = params.read_whole(given, "orderId")
        chosen = self._between(given, [(order.id, order.created, order) for order in rows], first)
        return [forms.order_details(order) for order in chosen]

    def my_trades(self, account: str, given: Params) -> Any:
        """Trades of one order, from a trade's id on, between two times, or the newest."""
        rows = self.exchange.fills(account, self.symbols.read_one(given))
        order = params.read_whole(given, "orderId")
        first = params.read_whole(given, "fromId")
        chosen = [(fill.id, fill.time, fill) for fill in rows if order is None or fill.order_id == order]
        return [forms.my_trade(fill) for fill in self._between(given, chosen, first)]

    def order_counts(self, account: str, given: Params) -> Any:
        return self.limits.order_counts()

    def no_rows(self, account: str, given: Params) -> Any:
        return []

    def own_filters(self, account: str, given: Params) -> Any:
        """Those of the account beside the symbol's: none."""
        self.symbols.read_one(given)
        return {"exchangeFilters": [], "symbolFilters": [], "assetFilters": []}

    def _between(self, given: Params, rows: list[tuple[int, int, Any]], first: int | None) -> list[Any]:
        """The things of rows (id, time, thing) that the parameters ask for, from the id `first` on if it is given."""
        start, end = params.read_whole(given, "startTime"), params.read_whole(given, "endTime")
        count = params.read_limit(given, 500, 1000)
        if first is not None:
            rows = [row for row in rows if row[0] >= first]
        if start is not None:
            rows = [row for row in rows if row[1] >= start]
        if end is not None:
            rows = [row for row in rows if row[1] <= end]
        rows = rows[:count] if first is not None or start is not None else rows[-count:]
        return [row[2] for row in rows]
