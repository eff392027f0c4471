"""`order_configuration`, Coinbase's way to say what kind of order it is, to and from the sandbox's `OrderRequest`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from market.sandbox.coinbase.notation import decimal_text, parse_number, parse_time, time_text
from market.sandbox.orders import ZERO, Direction, OrderTicket, RequestRefused, Side

SIDES: dict[str, Side] = {"BUY": "buy", "SELL": "sell"}
DIRECTIONS: dict[str, Direction] = {"STOP_DIRECTION_STOP_UP": "up", "STOP_DIRECTION_STOP_DOWN": "down"}

Fields = Mapping[str, Any]


def read_ticket(body: Fields) -> OrderTicket:
    """What the body of `POST orders` asks for. `Refused` with Coinbase's own reason as its code where it cannot be understood."""
    side = SIDES.get(str(body.get("side")))
    if side is None:
        raise RequestRefused("INVALID_SIDE", "side must be BUY or SELL")
    configuration = body.get("order_configuration")
    if not isinstance(configuration, dict) or len(configuration) != 1:
        raise RequestRefused("UNSUPPORTED_ORDER_CONFIGURATION", "order_configuration must hold exactly one configuration")
    [(kind, fields)] = configuration.items()
    if kind not in READERS or not isinstance(fields, dict):
        raise RequestRefused("UNSUPPORTED_ORDER_CONFIGURATION", f"order_configuration must be one of {', '.join(READERS)}")
    known: dict[str, Any] = {"symbol": str(body.get("product_id")), "side": side, "client_id": str(body["client_order_id"])}
    return OrderTicket(**known, **READERS[kind](fields))


def _read_market(fields: Fields) -> dict[str, Any]:
    base, quote = (_read_number(fields, name) if name in fields else ZERO for name in ("base_size", "quote_size"))
    return {"type": "market", "qty": base, "quote_qty": quote, "tif": "ioc"}


def _read_limit(fields: Fields) -> dict[str, Any]:
    post_only = fields.get("post_only") is True
    return {
        "type": "limit",
        "qty": _read_number(fields, "base_size"),
        "limit": _read_number(fields, "limit_price"),
        "post_only": post_only,
    }


def _read_limit_until(fields: Fields) -> dict[str, Any]:
    return _read_limit(fields) | {"tif": "gtd", "expires": _read_time(fields, "end_time")}


def _read_limit_now(fields: Fields) -> dict[str, Any]:
    return _read_limit(fields) | {"tif": "ioc", "post_only": False}


def _read_limit_whole(fields: Fields) -> dict[str, Any]:
    return _read_limit(fields) | {"tif": "fok", "post_only": False}


def _read_stop_limit(fields: Fields) -> dict[str, Any]:
    direction = DIRECTIONS.get(str(fields.get("stop_direction")))
    if direction is None:
        raise RequestRefused("INVALID_REQUEST", f"stop_direction must be one of {', '.join(DIRECTIONS)}")
    return _read_limit(fields) | {
        "type": "stop_limit",
        "stop": _read_number(fields, "stop_price"),
        "direction": direction,
        "post_only": False,
    }


def _read_stop_limit_until(fields: Fields) -> dict[str, Any]:
    return _read_stop_limit(fields) | {"tif": "gtd", "expires": _read_time(fields, "end_time")}


READERS: dict[str, Callable[[Fields], dict[str, Any]]] = {
    "market_market_ioc": _read_market,
    "sor_limit_ioc": _read_limit_now,
    "limit_limit_gtc": _read_limit,
    "limit_limit_gtd": _read_limit_until,
    "limit_limit_fok": _read_limit_whole,
    "stop_limit_stop_limit_gtc": _read_stop_limit,
    "stop_limit_stop_limit_gtd": _read_stop_limit_until,
}


def order_configuration(ticket: OrderTicket) -> dict[str, dict[str, Any]]:
    """The inverse: how Coinbase shows the order."""
    return {_configuration_name(ticket): _configuration_fields(ticket)}


def _configuration_name(ticket: OrderTicket) -> str:
    if ticket.type == "market":
        return "market_market_ioc"
    if ticket.type == "stop_limit":
        return f"stop_limit_stop_limit_{ticket.tif}"
    return "sor_limit_ioc" if ticket.tif == "ioc" else f"limit_limit_{ticket.tif}"


def _configuration_fields(ticket: OrderTicket) -> dict[str, Any]:
    fields: dict[str, Any] = (
        {"quote_size": decimal_text(ticket.quote_qty)} if ticket.quote_qty else {"base_size": decimal_text(ticket.qty)}
    )
    if ticket.limit:
        fields["limit_price"] = decimal_text(ticket.limit)
    if ticket.type == "limit" and ticket.tif in ("gtc", "gtd"):
        fields["post_only"] = ticket.post_only
    if ticket.stop:
        words = {direction: word for word, direction in DIRECTIONS.items()}
        fields |= {"stop_price": decimal_text(ticket.stop), "stop_direction": words[ticket.direction or "up"]}
    if ticket.expires:
        fields["end_time"] = time_text(ticket.expires)
    return fields


def _read_number(fields: Fields, name: str) -> Decimal:
    try:
        return parse_number(fields.get(name))
    except ValueError:
        raise RequestRefused("INVALID_REQUEST", f"{name} must be a decimal number as text") from None


def _read_time(fields: Fields, name: str) -> int:
    try:
        return parse_time(str(fields.get(name)))
    except ValueError:
        raise RequestRefused("INVALID_REQUEST", f"{name} must be a time such as 2026-01-02T03:04:05Z") from None
