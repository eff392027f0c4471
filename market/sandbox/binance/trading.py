"""Calls of an account: its money, its orders and trades. Each takes the account's name and the parameters."""

from __future__ import annotations

from typing import Any

from market.sandbox.binance import forms, params
from market.sandbox.binance.notation import BinanceError, amount_text, venue_symbol
from market.sandbox.binance.params import Params
from market.sandbox.binance.quotes import Quotes
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import ZERO, OrderTicket, RequestRefused, SandboxOrder

CREATED = 1_600_000_000_000


class Trading:
    """`cancelling` is the client id of the cancellation that is being done now, for the user stream."""

    def __init__(self, exchange: SandboxExchange, quotes: Quotes) -> None:
        self.exchange, self.quotes = exchange, quotes
        self.cancelling = ""
        self._named = 0

    def account(self, account: str, given: Params) -> Any:
        answer = forms.account_status(self.exchange.accounts[account], self.exchange)
        if str(given.get("omitZeroBalances", "")).lower() == "true":
            zero = amount_text(ZERO)
            answer["balances"] = [row for row in answer["balances"] if (row["free"], row["locked"]) != (zero, zero)]
        return answer

    def commission(self, account: str, given: Params) -> Any:
        symbol, none = self.quotes.symbol(given), dict.fromkeys(("maker", "taker", "buyer", "seller"), "0.00000000")
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

    def place(self, account: str, given: Params) -> Any:
        """FULL for market and limit orders, ACK for others, unless `newOrderRespType` says otherwise."""
        simple = str(given.get("type")) in ("MARKET", "LIMIT")
        form = str(given.get("newOrderRespType", "FULL" if simple else "ACK"))
        if form not in ("ACK", "RESULT", "FULL"):
            raise BinanceError(-1128, "Invalid newOrderRespType.")
        order = self.exchange.place(account, self._request(given))
        return forms.order_acknowledgement(order) if form == "ACK" else forms.order_result(order, fills=form == "FULL")

    def test(self, account: str, given: Params) -> Any:
        self.exchange.check(account, self._request(given))
        return {}

    def query(self, account: str, given: Params) -> Any:
        return forms.order_details(self._order(account, given))

    def cancel(self, account: str, given: Params) -> Any:
        """-2011 where there is none that is open."""
        try:
            order = self._order(account, given)
        except BinanceError as problem:
            raise BinanceError(-2011, "Unknown order sent.") if problem.code == -2013 else problem from None
        return self._cancel(account, order, str(given.get("newClientOrderId", "")))

    def cancel_all(self, account: str, given: Params) -> Any:
        orders = self.exchange.open_orders(account, self.quotes.symbol(given))
        if not orders:
            raise BinanceError(-2011, "Unknown order sent.")
        return [self._cancel(account, order, "") for order in orders]

    def open_orders(self, account: str, given: Params) -> Any:
        symbol = self.quotes.symbol(given) if "symbol" in given else None
        return [forms.order_details(order) for order in self.exchange.open_orders(account, symbol)]

    def all_orders(self, account: str, given: Params) -> Any:
        """From `orderId` on, or between times, or the newest."""
        rows = self.exchange.orders(account, self.quotes.symbol(given))
        first = params.read_whole(given, "orderId")
        chosen = self._between(given, [(order.id, order.created, order) for order in rows], first)
        return [forms.order_details(order) for order in chosen]

    def my_trades(self, account: str, given: Params) -> Any:
        """Of one order, from a trade's id on, between times, or the newest."""
        rows = self.exchange.fills(account, self.quotes.symbol(given))
        order = params.read_whole(given, "orderId")
        first = params.read_whole(given, "fromId")
        chosen = [(fill.id, fill.time, fill) for fill in rows if order is None or fill.order_id == order]
        return [forms.my_trade(fill) for fill in self._between(given, chosen, first)]

    def order_counts(self, account: str, given: Params) -> Any:
        return self.quotes.limits.order_counts()

    def _between(self, given: Params, rows: list[tuple[int, int, Any]], first: int | None) -> list[Any]:
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

    def _request(self, given: Params) -> OrderTicket:
        return params.read_ticket(given, self.quotes.symbol(given), self._new_id)

    def _order(self, account: str, given: Params) -> SandboxOrder:
        symbol = self.quotes.symbol(given)
        id_, client_id = params.read_whole(given, "orderId"), str(given.get("origClientOrderId", ""))
        if id_ is None and not client_id:
            raise BinanceError(-1102, "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!")
        try:
            order = self.exchange.order(account, id=id_, client_id=client_id)
        except RequestRefused as refused:
            raise BinanceError.of(refused) from None
        if order.symbol != symbol or (id_ is not None and client_id and order.client_id != client_id):
            raise BinanceError(-2013, "Order does not exist.")
        return order

    def _cancel(self, account: str, order: SandboxOrder, cancel_id: str) -> Any:
        if order.status != "open":
            raise BinanceError(-2011, "Unknown order sent.")
        self.cancelling = cancel_id or self._new_id()
        try:
            return forms.cancel_result(self.exchange.cancel(account, order.id), self.cancelling)
        finally:
            self.cancelling = ""

    def _new_id(self) -> str:
        self._named += 1
        return f"sandbox{self._named:015d}"
