"""`order_configuration`, Coinbase's way to say what kind of order it is, to and from the sandbox's `OrderRequest`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from market.sandbox.coinbase.notation import milliseconds, moment, number, plain
from market.sandbox.orders import ZERO, Direction, OrderRequest, Refused, Side

SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}
DIRECTIONS: dict[str, Direction] = {"STOP_DIRECTION_STOP_UP": "up", "STOP_DIRECTION_STOP_DOWN": "down"}

Fields = Mapping[str, Any]


def order_request(body: Fields) -> OrderRequest:
    """What the body of `POST orders` asks for. `Refused` with Coinbase's own reason as its code where it cannot be understood."""
    side = SIDES.get(str(body.get("side")))
    if side is None:
        raise Refused("INVALID_SIDE", "side must be BUY or SELL")
    configuration = body.get("order_configuration")
    if not isinstance(configuration, dict) or len(configuration) != 1:
        raise Refused("UNSUPPORTED_ORDER_CONFIGURATION", "order_configuration must hold exactly one configuration")
    [(kind, fields)] = configuration.items()
    if kind not in READERS or not isinstance(fields, dict):
        raise Refused("UNSUPPORTED_ORDER_CONFIGURATION", f"order_configuration must be one of {', '.join(READERS)}")
    known: dict[str, Any] = {"symbol": str(body.get("product_id")), "side": side, "client_id": str(body["client_order_id"])}
    return OrderRequest(**known, **READERS[kind](fields))


def _market(fields: Fields) -> dict[str, Any]:
    base, quote = (_number(fields, name) if name in fields else ZERO for name in ("base_size", "quote_size"))
    return {"type": "market", "qty": base, "quote_qty": quote, "tif": "ioc"}


def _limit(fields: Fields) -> dict[str, Any]:
    post_only = fields.get("post_only") is True
    return {"type": "limit", "qty": _number(fields, "base_size"), "limit": _number(fields, "limit_price"), "post_only": post_only}


def _limit_until(fields: Fields) -> dict[str, Any]:
    return _limit(fields) | {"tif": "gtd", "expires": _moment(fields, "end_time")}


def _limit_now(fields: Fields) -> dict[str, Any]:
    return _limit(fields) | {"tif": "ioc", "post_only": False}


def _limit_whole(fields: Fields) -> dict[str, Any]:
    return _limit(fields) | {"tif": "fok", "post_only": False}


def _stop_limit(fields: Fields) -> dict[str, Any]:
    direction = DIRECTIONS.get(str(fields.get("stop_direction")))
    if direction is None:
        raise Refused("INVALID_REQUEST", f"stop_direction must be one of {', '.join(DIRECTIONS)}")
    return _limit(fields) | {
        "type": "stop_limit",
        "stop": _number(fields, "stop_price"),
        "direction": direction,
        "post_only": False,
    }


def _stop_limit_until(fields: Fields) -> dict[str, Any]:
    return _stop_limit(fields) | {"tif": "gtd", "expires": _moment(fields, "end_time")}


READERS: dict[str, Callable[[Fields], dict[str, Any]]] = {
    "market_market_ioc": _market,
    "sor_limit_ioc": _limit_now,
    "limit_limit_gtc": _limit,
    "limit_limit_gtd": _limit_until,
    "limit_limit_fok": _limit_whole,
    "stop_limit_stop_limit_gtc": _stop_limit,
    "stop_limit_stop_limit_gtd": _stop_limit_until,
}


def configuration(request: OrderRequest) -> dict[str, dict[str, Any]]:
    """The inverse: how Coinbase shows the order."""
    return {_kind(request): _fields(request)}


def _kind(request: OrderRequest) -> str:
    if request.type == "market":
        return "market_market_ioc"
    if request.type == "stop_limit":
        return f"stop_limit_stop_limit_{request.tif}"
    return "sor_limit_ioc" if request.tif == "ioc" else f"limit_limit_{request.tif}"


def _fields(request: OrderRequest) -> dict[str, Any]:
    fields: dict[str, Any] = {"quote_size": plain(request.quote_qty)} if request.quote_qty else {"base_size": plain(request.qty)}
    if request.limit:
        fields["limit_price"] = plain(request.limit)
    if request.type == "limit" and request.tif in ("gtc", "gtd"):
        fields["post_only"] = request.post_only
    if request.stop:
        words = {direction: word for word, direction in DIRECTIONS.items()}
        fields |= {"stop_price": plain(request.stop), "stop_direction": words[request.direction or "up"]}
    if request.expires:
        fields["end_time"] = moment(request.expires)
    return fields


def _number(fields: Fields, name: str) -> Decimal:
    try:
        return number(fields.get(name))
    except ValueError:
        raise Refused("INVALID_REQUEST", f"{name} must be a decimal number as text") from None


def _moment(fields: Fields, name: str) -> int:
    try:
        return milliseconds(str(fields.get(name)))
    except ValueError:
        raise Refused("INVALID_REQUEST", f"{name} must be a time such as 2026-01-02T03:04:05Z") from None
