"""An order of ours as Binance wants it. Everything is text, because a float would be rounded or written with an exponent."""

from __future__ import annotations

from decimal import Decimal

from market.exchanges.base import OrderRequest, Refused
from market.exchanges.vocabulary import binance as words

TYPES = {kind: words.ORDER_TYPE.find_words(kind)[0] for kind in ("market", "limit", "stop", "stop_limit")}
TIMES = {time: words.TIME_IN_FORCE.find_words(time)[0] for time in ("gtc", "ioc", "fok")}


def venue_symbol(symbol: str) -> str:
    return symbol.replace("-", "")


def decimal_text(value: Decimal) -> str:
    return format(value, "f")


def order_parameters(order: OrderRequest) -> dict[str, str]:
    """The parameters of `POST order`. Our id always goes with them: otherwise the library would invent one that nobody could ask
    for after a crash."""
    if order.type not in TYPES:
        raise Refused(f"type: Binance is sent no orders of type {order.type}.", code="order", kind="ours")
    result = {
        "symbol": venue_symbol(order.symbol),
        "side": order.side.upper(),
        "type": TYPES[order.type],
        "quantity": decimal_text(order.quantity),
        "newClientOrderId": order.client_order_id,
        "newOrderRespType": "FULL",
    }
    if order.type in ("limit", "stop_limit"):
        result |= {
            "price": decimal_text(_require_price(order.limit, "limit")),
            "timeInForce": TIMES.get(order.time_in_force, "GTC"),
        }
    if order.type in ("stop", "stop_limit"):
        result["stopPrice"] = decimal_text(_require_price(order.stop, "stop"))
    if order.time_in_force == "post_only":
        return _post_only(order, result)
    return result


def _post_only(order: OrderRequest, result: dict[str, str]) -> dict[str, str]:
    if order.type != "limit":
        raise Refused(
            f"time_in_force: Binance takes post_only with limit orders only, not with {order.type}.", code="order", kind="ours"
        )
    del result["timeInForce"]
    return result | {"type": "LIMIT_MAKER"}


def _require_price(price: Decimal | None, field: str) -> Decimal:
    if price is None:
        raise Refused(f"{field}: the order's type needs a {field} price.", code="order", kind="ours")
    return price
