"""Reading the parameters of a call, each with Binance's own error."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from market.sandbox.binance.notation import BinanceError
from market.sandbox.orders import ZERO, OrderTicket, Side

Params = Mapping[str, Any]
CLIENT_ID = re.compile(r"[A-Za-z0-9._:/-]{1,36}")
AMOUNT = re.compile(r"\d{1,20}(\.\d{1,20})?")
LARGEST_NUMBER = 1 << 63
TYPES = {
    "LIMIT": ("timeInForce", "quantity", "price"),
    "LIMIT_MAKER": ("quantity", "price"),
    "MARKET": (),
    "STOP_LOSS": ("quantity", "stopPrice"),
    "TAKE_PROFIT": ("quantity", "stopPrice"),
    "STOP_LOSS_LIMIT": ("timeInForce", "quantity", "price", "stopPrice"),
    "TAKE_PROFIT_LIMIT": ("timeInForce", "quantity", "price", "stopPrice"),
}
"""What each type of order must have."""


def malformed_parameter(name: str) -> BinanceError:
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def read_whole(params: Params, name: str, default: int | None = None) -> int | None:
    raw = str(params.get(name, "")).strip()
    if not raw:
        return default
    if not raw.isascii() or not raw.isdigit() or int(raw[:20]) >= LARGEST_NUMBER:
        raise BinanceError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")
    return int(raw)


def read_limit(params: Params, default: int, most: int) -> int:
    """How many rows are wanted."""
    count = read_whole(params, "limit", default) or default
    return min(count, most)


def read_required(params: Params, name: str) -> str:
    if not (value := str(params.get(name, ""))):
        raise malformed_parameter(name)
    return value


def read_amount(params: Params, name: str) -> Decimal:
    """Zero where it is not given."""
    raw = str(params.get(name, ""))
    if not raw:
        return ZERO
    if not AMOUNT.fullmatch(raw):
        raise BinanceError(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '^([0-9]{{1,20}})(\\.[0-9]{{1,20}})?$'."
        )
    try:
        return Decimal(raw)
    except InvalidOperation:
        raise malformed_parameter(name) from None


def read_ticket(params: Params, symbol: str, new_id: Callable[[], str]) -> OrderTicket:
    """What `POST order` asks for; `symbol` is ours. `new_id` names it where the client did not."""
    side, type_ = read_required(params, "side"), read_required(params, "type")
    if side not in ("BUY", "SELL"):
        raise BinanceError(-1117, "Invalid side.")
    if type_ not in TYPES:
        raise BinanceError(-1116, "Invalid orderType.")
    for name in TYPES[type_]:
        read_required(params, name)
    given = [name for name in ("price", "stopPrice", "timeInForce") if name in params and name not in TYPES[type_]]
    if given:
        raise BinanceError(-1106, f"Parameter '{given[0]}' sent when not required.")
    tif = str(params.get("timeInForce", "GTC"))
    if tif not in ("GTC", "IOC", "FOK"):
        raise BinanceError(-1115, "Invalid timeInForce.")
    client_id = str(params.get("newClientOrderId", "")) or new_id()
    if not CLIENT_ID.fullmatch(client_id):
        raise BinanceError(
            -1100, "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."
        )
    return _build_ticket(params, symbol, "buy" if side == "BUY" else "sell", type_, tif, client_id)


def _build_ticket(params: Params, symbol: str, side: Side, type_: str, tif: str, client_id: str) -> OrderTicket:
    qty, quote_qty = read_amount(params, "quantity"), read_amount(params, "quoteOrderQty")
    if type_ == "MARKET" and (qty > 0) == (quote_qty > 0):
        raise BinanceError(-1128, "Combination of optional parameters invalid. Recommendation: 'quantity' or 'quoteOrderQty'.")
    stops, limits = "stopPrice" in TYPES[type_], "price" in TYPES[type_]
    for name in ("quantity", "price", "stopPrice"):
        if name in TYPES[type_] and not read_amount(params, name):
            raise BinanceError(-1013, f"Invalid {name}.")
    losing = type_.startswith("STOP_LOSS")
    return OrderTicket(
        symbol=symbol,
        side=side,
        type=("stop_limit" if limits else "stop") if stops else ("limit" if limits else "market"),
        qty=qty,
        quote_qty=quote_qty,
        limit=read_amount(params, "price") if limits else ZERO,
        stop=read_amount(params, "stopPrice"),
        direction=("up" if losing == (side == "buy") else "down") if stops else None,
        tif="ioc" if tif == "IOC" else "fok" if tif == "FOK" else "gtc",
        post_only=type_ == "LIMIT_MAKER",
        client_id=client_id,
    )
