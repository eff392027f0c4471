"""An order of ours as Coinbase wants it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from market.exchanges.base import OrderRequest, Refused


def order_body(order: OrderRequest) -> dict[str, Any]:
    """The body of `POST orders`."""
    return {
        "client_order_id": order.client_order_id,
        "product_id": order.symbol,
        "side": order.side.upper(),
        "order_configuration": order_configuration(order),
    }


def order_configuration(order: OrderRequest) -> dict[str, dict[str, Any]]:
    """How Coinbase wants the order described. An order that it has no form for is `Refused` here, with what can be done instead."""
    size = {"base_size": format(order.quantity, "f")}
    if order.type == "market":
        return {"market_market_ioc": size}
    if order.type == "stop":
        text = "type: Coinbase has no stop orders without a limit. Use stop_limit, or keep the stop on the desk."
        raise Refused(text, code="order", kind="ours")
    if order.type == "stop_limit":
        direction = "STOP_DIRECTION_STOP_UP" if order.side == "buy" else "STOP_DIRECTION_STOP_DOWN"
        prices = {"limit_price": _price_text(order.limit, "limit"), "stop_price": _price_text(order.stop, "stop")}
        return {"stop_limit_stop_limit_gtc": size | prices | {"stop_direction": direction}}
    if order.type != "limit":
        raise Refused(f"type: Coinbase is sent no orders of type {order.type}.", code="order", kind="ours")
    return _limit_form(order, size | {"limit_price": _price_text(order.limit, "limit")})


def _limit_form(order: OrderRequest, form: dict[str, str]) -> dict[str, dict[str, Any]]:
    match order.time_in_force:
        case "ioc":
            return {"sor_limit_ioc": form}
        case "fok":
            return {"limit_limit_fok": form}
        case time:
            return {"limit_limit_gtc": {**form, "post_only": time == "post_only"}}


def _price_text(price: Decimal | None, field: str) -> str:
    if price is None:
        raise Refused(f"{field}: the order's type needs a {field} price.", code="order", kind="ours")
    return format(price, "f")
