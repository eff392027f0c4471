"""The calls that place, show and cancel an order. Each takes the account's name and the parameters."""

from __future__ import annotations

from typing import Any

from market.sandbox.binance import forms, params
from market.sandbox.binance.notation import BinanceError
from market.sandbox.binance.params import Params
from market.sandbox.binance.symbols import SymbolNames
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import OrderTicket, RequestRefused, SandboxOrder


class OrderCalls:
    """`cancelling` is the client id of the cancellation that is under way, for the user stream."""

    def __init__(self, exchange: SandboxExchange, symbols: SymbolNames) -> None:
        self.exchange, self.symbols = exchange, symbols
        self.cancelling = ""
        self._ids_given = 0

    def place(self, account: str, given: Params) -> Any:
        """Answers market and limit orders with FULL and others with ACK, unless `newOrderRespType` says otherwise."""
        simple = str(given.get("type")) in ("MARKET", "LIMIT")
        form = str(given.get("newOrderRespType", "FULL" if simple else "ACK"))
        if form not in ("ACK", "RESULT", "FULL"):
            raise BinanceError(-1128, "Invalid newOrderRespType.")
        order = self.exchange.place(account, self._read_ticket(given))
        return forms.order_acknowledgement(order) if form == "ACK" else forms.order_result(order, fills=form == "FULL")

    def test(self, account: str, given: Params) -> Any:
        self.exchange.check(account, self._read_ticket(given))
        return {}

    def query(self, account: str, given: Params) -> Any:
        return forms.order_details(self._find_order(account, given))

    def cancel(self, account: str, given: Params) -> Any:
        """-2011 where there is no such open order."""
        try:
            order = self._find_order(account, given)
        except BinanceError as problem:
            raise BinanceError(-2011, "Unknown order sent.") if problem.code == -2013 else problem from None
        return self._cancel(account, order, str(given.get("newClientOrderId", "")))

    def replace(self, account: str, given: Params) -> Any:
        """Cancels an order and places another. Where the first fails, `cancelReplaceMode` says whether the second is placed still.
        Errors carry both halves, as Binance's do: status 400 where nothing happened, 409 where one half did."""
        named = {"orderId": given.get("cancelOrderId", ""), "origClientOrderId": given.get("cancelOrigClientOrderId", "")}
        named |= {"symbol": given.get("symbol", ""), "newClientOrderId": given.get("cancelNewClientOrderId", "")}
        halves: dict[str, Any] = {"cancelResult": "SUCCESS", "newOrderResult": "NOT_ATTEMPTED", "newOrderResponse": None}
        try:
            halves["cancelResponse"] = self.cancel(account, named)
        except BinanceError as problem:
            halves |= {"cancelResult": "FAILURE", "cancelResponse": problem.body}
            if given.get("cancelReplaceMode") != "ALLOW_FAILURE":
                raise BinanceError(-2022, "Order cancel-replace failed.", data=halves) from None
        return self._place_second(account, given, halves)

    def _place_second(self, account: str, given: Params, halves: dict[str, Any]) -> Any:
        try:
            halves |= {"newOrderResult": "SUCCESS", "newOrderResponse": self.place(account, given)}
        except (BinanceError, RequestRefused) as problem:
            refusal = problem if isinstance(problem, BinanceError) else BinanceError.of(problem)
            halves |= {"newOrderResult": "FAILURE", "newOrderResponse": refusal.body}
        done = [halves["cancelResult"], halves["newOrderResult"]]
        if "FAILURE" not in done:
            return halves
        if "SUCCESS" in done:
            raise BinanceError(-2021, "Order cancel-replace partially failed.", status=409, data=halves)
        raise BinanceError(-2022, "Order cancel-replace failed.", data=halves)

    def cancel_all(self, account: str, given: Params) -> Any:
        orders = self.exchange.open_orders(account, self.symbols.read_one(given))
        if not orders:
            raise BinanceError(-2011, "Unknown order sent.")
        return [self._cancel(account, order, "") for order in orders]

    def _read_ticket(self, given: Params) -> OrderTicket:
        return params.read_ticket(given, self.symbols.read_one(given), self._new_id)

    def _find_order(self, account: str, given: Params) -> SandboxOrder:
        symbol = self.symbols.read_one(given)
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
        self._ids_given += 1
        return f"sandbox{self._ids_given:015d}"
