"""The endpoints of an account: money, orders, fills, and what its key may do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from market.sandbox.coinbase import orders
from market.sandbox.coinbase.calls import CoinbaseRequest, Json, invalid_argument, not_found
from market.sandbox.coinbase.configurations import order_configuration, read_ticket
from market.sandbox.coinbase.notation import decimal_text, named_uuid, order_number, order_uuid
from market.sandbox.exchange import SandboxExchange
from market.sandbox.orders import ZERO, RequestRefused, SandboxFill, SandboxOrder

MOST_CANCELLED = 100
REASONS = {
    "unknown_symbol": ("INVALID_PRODUCT_ID", "PREVIEW_INVALID_PRODUCT_ID"),
    "halted": ("ORDER_ENTRY_DISABLED", "PREVIEW_PRODUCT_TRADING_DISABLED"),
    "bad_request": ("INVALID_REQUEST", "UNKNOWN_PREVIEW_FAILURE_REASON"),
    "price_filter": ("INVALID_PRICE_PRECISION", "PREVIEW_INVALID_PRICE_PRECISION"),
    "percent_price": ("INVALID_LIMIT_PRICE", "PREVIEW_INVALID_LIMIT_PRICE"),
    "lot_size": ("INVALID_SIZE_PRECISION", "PREVIEW_INVALID_BASE_SIZE_TOO_SMALL"),
    "too_large": ("INVALID_SIZE_PRECISION", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    "market_lot_size": ("INVALID_SIZE_PRECISION", "PREVIEW_INVALID_BASE_SIZE_TOO_LARGE"),
    "max_notional": ("PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE", "PREVIEW_INVALID_QUOTE_SIZE_TOO_LARGE"),
    "max_position": ("POSITION_SIZE_INCREASE_REJECT", "UNKNOWN_PREVIEW_FAILURE_REASON"),
    "too_many_orders": ("TOO_MANY_OPEN_ORDERS", "UNKNOWN_PREVIEW_FAILURE_REASON"),
    "too_many_stops": ("TOO_MANY_OPEN_ORDERS", "UNKNOWN_PREVIEW_FAILURE_REASON"),
    "no_market": ("UNSUPPORTED_ORDER_CONFIGURATION", "UNKNOWN_PREVIEW_FAILURE_REASON"),
    "min_notional": ("PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL", "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL"),
    "insufficient_balance": ("INSUFFICIENT_FUND", "PREVIEW_INSUFFICIENT_FUND"),
    "would_take": ("INVALID_LIMIT_PRICE_POST_ONLY", "PREVIEW_INVALID_LIMIT_PRICE_POST_ONLY"),
}
"""(error, preview_failure_reason) for the exchange's refusals."""

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class AccountEndpoints:
    """`opened` is when the sandbox began, ms."""

    exchange: SandboxExchange
    opened: int

    def accounts(self, call: CoinbaseRequest) -> Json:
        holder = self.exchange.accounts[call.account]
        rows = [self._account(call, asset) for asset in sorted(holder.balances)] + orders.list_other_accounts(holder, self.opened)
        start = call.read_whole("cursor") or 0
        page = rows[start : start + call.read_count("limit", 49, 250)]
        more = start + len(page) < len(rows)
        return {"accounts": page, "has_next": more, "cursor": str(start + len(page)) if more else "", "size": len(page)}

    def account(self, call: CoinbaseRequest) -> Json:
        for asset in self.exchange.accounts[call.account].balances:
            if named_uuid("account", call.account, asset) == call.parts["account_id"]:
                return {"account": self._account(call, asset)}
        raise not_found("account not found")

    def permissions(self, call: CoinbaseRequest) -> Json:
        assert call.key is not None
        return {
            "can_view": call.key.can_view,
            "can_trade": call.key.can_trade,
            "can_transfer": call.key.can_transfer,
            "portfolio_uuid": orders.portfolio_id(call.account),
            "portfolio_type": "DEFAULT",
        }

    def transaction_summary(self, call: CoinbaseRequest) -> Json:
        """Volume, fees and fee rates. All months count, and there is one tier."""
        fills, rates = self.exchange.fills(call.account), self.exchange.fee_rates
        volume, fees = (float(sum((getattr(fill, name) for fill in fills), ZERO)) for name in ("value", "fee"))
        tier = {
            "pricing_tier": "Sandbox",
            "usd_from": "0",
            "usd_to": "",
            "taker_fee_rate": decimal_text(rates.taker),
            "maker_fee_rate": decimal_text(rates.maker),
            "aop_from": "",
            "aop_to": "",
        }
        return {
            "total_volume": volume,
            "total_fees": fees,
            "fee_tier": tier,
            "margin_rate": None,
            "goods_and_services_tax": None,
            "advanced_trade_only_volume": volume,
            "advanced_trade_only_fees": fees,
            "coinbase_pro_volume": 0,
            "coinbase_pro_fees": 0,
            "total_balance": "",
            "has_promo_fee": False,
        }

    def place(self, call: CoinbaseRequest) -> Json:
        """Places an order. A refusal is an answer of status 200 with `success` false. A used client order id returns its order."""
        client_id = call.body.get("client_order_id")
        if not isinstance(client_id, str) or not 1 <= len(client_id) <= 128 or not isinstance(call.body.get("product_id"), str):
            raise invalid_argument("product_id and a client_order_id of 1 to 128 characters are required")
        try:
            order = self.exchange.accounts[call.account].by_client_id.get(client_id)
            if order is None:
                order = self.exchange.place(call.account, read_ticket(call.body))
        except RequestRefused as refusal:
            return _refusal_answer(refusal, call.body.get("order_configuration"))
        answer = {
            "order_id": order_uuid(order.id),
            "product_id": order.symbol,
            "side": order.side.upper(),
            "client_order_id": client_id,
            "attached_order_id": "",
        }
        return {"success": True, "success_response": answer, "order_configuration": order_configuration(order.request)}

    def cancel(self, call: CoinbaseRequest) -> Json:
        ids = call.body.get("order_ids")
        if not isinstance(ids, list) or not ids or not all(isinstance(item, str) for item in ids):
            raise invalid_argument(f"order_ids must be a list of 1 to {MOST_CANCELLED} ids")
        if len(ids) > MOST_CANCELLED:
            raise invalid_argument(f"Too many orderIDs entered, limit is {MOST_CANCELLED}")
        return {"results": [self._cancel(call.account, item) for item in ids]}

    def order(self, call: CoinbaseRequest) -> Json:
        order = self._find(call.account, call.parts["order_id"])
        if order is None:
            raise not_found("order with this orderID was not found")
        return {"order": orders.rest_order(order)}

    def orders(self, call: CoinbaseRequest) -> Json:
        """The newest first, in pages."""
        _refuse_sorting(call)
        within = _match_span(call, "start_date", "end_date")
        tests: dict[str, Callable[[SandboxOrder], str]] = {
            "order_ids": lambda order: order_uuid(order.id),
            "product_ids": lambda order: order.symbol,
            "order_status": orders.status_name,
            "order_types": lambda order: orders.TYPES[order.request.type],
            "order_side": lambda order: order.side.upper(),
            "time_in_forces": lambda order: orders.TIME_IN_FORCE[order.request.tif],
        }
        wanted = _match_filters(call, tests)
        rows, cursor = _find_page(call, self.exchange.orders(call.account), lambda order: within(order.created) and wanted(order))
        return {"orders": [orders.rest_order(row) for row in rows], "sequence": "0", "has_next": bool(cursor), "cursor": cursor}

    def fills(self, call: CoinbaseRequest) -> Json:
        """The newest first, in pages."""
        _refuse_sorting(call)
        within = _match_span(call, "start_sequence_timestamp", "end_sequence_timestamp")
        tests: dict[str, Callable[[SandboxFill], str]] = {
            "order_ids": lambda fill: order_uuid(fill.order_id),
            "trade_ids": lambda fill: str(fill.id),
            "product_ids": lambda fill: fill.symbol,
        }
        wanted = _match_filters(call, tests)
        rows, cursor = _find_page(call, self.exchange.fills(call.account), lambda fill: within(fill.time) and wanted(fill))
        return {"fills": [orders.rest_fill(row, call.account) for row in rows], "cursor": cursor}

    def _account(self, call: CoinbaseRequest, asset: str) -> Json:
        return orders.rest_account(self.exchange.accounts[call.account], asset, self.opened)

    def _find(self, account: str, order_id: str) -> SandboxOrder | None:
        number = order_number(order_id)
        return None if number is None else self.exchange.accounts[account].orders.get(number)

    def _cancel(self, account: str, order_id: str) -> Json:
        order = self._find(account, order_id)
        if order is None:
            return {"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": order_id}
        try:
            self.exchange.cancel(account, order.id)
        except RequestRefused:
            reason = "ORDER_IS_FULLY_FILLED" if order.status == "filled" else "DUPLICATE_CANCEL_REQUEST"
            return {"success": False, "failure_reason": reason, "order_id": order_id}
        return {"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON", "order_id": order_id}


def _find_page(call: CoinbaseRequest, rows: Sequence[Row], wanted: Callable[[Row], bool]) -> tuple[list[Row], str]:
    """(the rows of a page, the newest first; the cursor of the next page). The cursor counts the rows before it."""
    cursor, limit = call.read_whole("cursor"), call.read_count("limit", 100, 1000)
    left = len(rows) if cursor is None else min(cursor, len(rows))
    found: list[Row] = []
    while left and len(found) < limit:
        left -= 1
        if wanted(rows[left]):
            found.append(rows[left])
    return found, str(left) if any(map(wanted, rows[:left])) else ""


def _match_filters(call: CoinbaseRequest, tests: Mapping[str, Callable[[Row], str]]) -> Callable[[Row], bool]:
    """A test of rows: for each filter that the request gives, a row has one of its values."""
    given = [(test, set(call.read_values(name))) for name, test in tests.items() if call.read_values(name)]
    return lambda row: all(test(row) in values for test, values in given)


def _match_span(call: CoinbaseRequest, first: str, last: str) -> Callable[[int], bool]:
    """A test of times (ms): a time lies between two parameters, both included."""
    start, end = call.read_time(first), call.read_time(last)
    return lambda time: (start is None or time >= start) and (end is None or time <= end)


def _refuse_sorting(call: CoinbaseRequest) -> None:
    if call.query.get("sort_by"):
        raise invalid_argument("sort_by is not supported by the sandbox")


def _refusal_answer(refusal: RequestRefused, configuration: Any) -> Json:
    """The answer to an order that the exchange refuses, in Coinbase's words."""
    error, preview = REASONS.get(refusal.code, (refusal.code, "UNKNOWN_PREVIEW_FAILURE_REASON"))
    if refusal.code == "would_trigger":
        side = "BELOW" if "STOP_DIRECTION_STOP_UP" in str(configuration) else "ABOVE"
        error = preview = f"PREVIEW_STOP_PRICE_{side}_LAST_TRADE_PRICE"
    response = {
        "error": error,
        "message": str(refusal),
        "error_details": "",
        "preview_failure_reason": preview,
        "new_order_failure_reason": "UNKNOWN_FAILURE_REASON",
    }
    shown = configuration if isinstance(configuration, dict) else {}
    return {
        "success": False,
        "failure_reason": "UNKNOWN_FAILURE_REASON",
        "order_id": "",
        "error_response": response,
        "order_configuration": shown,
    }
