"""Symbols, numbers, states and errors as Binance writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from market.sandbox.orders import OrderTicket, RequestRefused, SandboxOrder

MESSAGES = {
    "unknown_symbol": (-1121, "Invalid symbol."),
    "halted": (-1013, "Market is closed."),
    "bad_request": (-1128, "Combination of optional parameters invalid."),
    "price_filter": (-1013, "Filter failure: PRICE_FILTER"),
    "percent_price": (-1013, "Filter failure: PERCENT_PRICE"),
    "no_market": (-2010, "Market orders are not supported for this symbol."),
    "lot_size": (-1013, "Filter failure: LOT_SIZE"),
    "too_large": (-1013, "Filter failure: LOT_SIZE"),
    "market_lot_size": (-1013, "Filter failure: MARKET_LOT_SIZE"),
    "min_notional": (-1013, "Filter failure: NOTIONAL"),
    "max_notional": (-1013, "Filter failure: NOTIONAL"),
    "max_position": (-1013, "Filter failure: MAX_POSITION"),
    "too_many_orders": (-1013, "Filter failure: MAX_NUM_ORDERS"),
    "too_many_stops": (-1013, "Filter failure: MAX_NUM_ALGO_ORDERS"),
    "insufficient_balance": (-2010, "Account has insufficient balance for requested action."),
    "would_take": (-2010, "Order would immediately match and take."),
    "would_trigger": (-2010, "Stop price would trigger immediately."),
    "duplicate": (-2010, "Duplicate order sent."),
    "unknown_order": (-2013, "Order does not exist."),
}


class BinanceError(Exception):
    """An answer that is an error: HTTP status, Binance's code and its message. `retry_after` in seconds; `data` as some calls give
    it beside them."""

    def __init__(
        self, code: int, message: str, *, status: int = 400, retry_after: int | None = None, data: dict[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.retry_after, self.data = code, message, status, retry_after, data

    @property
    def body(self) -> dict[str, Any]:
        return {"code": self.code, "msg": self.message} | ({"data": self.data} if self.data is not None else {})

    @classmethod
    def of(cls, refused: RequestRefused) -> BinanceError:
        return cls(*MESSAGES[refused.code])


def venue_symbol(symbol: str) -> str:
    """`BTC-USDT` -> `BTCUSDT`."""
    return symbol.replace("-", "")


def amount_text(amount: Decimal) -> str:
    """With eight decimals, or with more where the amount has more."""
    exponent = amount.as_tuple().exponent
    return f"{amount:.8f}" if isinstance(exponent, int) and exponent >= -8 else format(amount, "f")


def status_name(order: SandboxOrder) -> str:
    if order.status == "open":
        return "PARTIALLY_FILLED" if order.filled else "NEW"
    if order.status == "expired":
        return "EXPIRED_IN_MATCH" if order.reason == "self_trade" else "EXPIRED"
    return {"filled": "FILLED", "cancelled": "CANCELED"}[order.status]


def type_name(ticket: OrderTicket) -> str:
    """The `type` of an order."""
    if not ticket.stop:
        return "LIMIT_MAKER" if ticket.post_only else ticket.type.upper()
    losing = ticket.trigger == ("up" if ticket.side == "buy" else "down")
    return ("STOP_LOSS" if losing else "TAKE_PROFIT") + ("_LIMIT" if ticket.limit else "")
