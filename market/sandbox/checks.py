"""What an order must be like to be taken: all refusals that need no look at the account."""

from __future__ import annotations

from decimal import Decimal

from market.sandbox.instruments import ListedInstrument
from market.sandbox.orders import OrderTicket, RequestRefused

BAND = Decimal(5)
"""Limits lie between the last price / BAND and x BAND."""


def check_ticket(request: OrderTicket, instrument: ListedInstrument, last: Decimal) -> None:
    """`Refused` as `Instrument`'s checks say, or with `halted`, `bad_request`, `percent_price`, `would_trigger`."""
    if not instrument.trading:
        raise RequestRefused("halted", "Market is closed.")
    _check_form(request)
    for price in (request.limit, request.stop):
        if price:
            instrument.check_price(price)
    if request.limit and not last / BAND <= request.limit <= last * BAND:
        raise RequestRefused("percent_price", f"{instrument.symbol}: the limit is too far from the last price {last}.")
    if request.qty:
        instrument.check_qty(request.qty)
    instrument.check_notional(request.quote_qty or request.qty * (request.limit or request.stop or last))
    if request.stop and _has_reached_stop(request, last):
        raise RequestRefused("would_trigger", "Stop price would trigger immediately.")


def _check_form(request: OrderTicket) -> None:
    limited = request.type in ("limit", "stop_limit")
    stopped = request.type in ("stop", "stop_limit")
    faults = {
        "quantity or quote quantity must be above zero, and only one of them given": (request.qty > 0) == (request.quote_qty > 0),
        "quantities and prices must not be below zero": min(request.qty, request.quote_qty, request.limit, request.stop) < 0,
        "only market orders have a quote quantity": request.quote_qty > 0 and request.type != "market",
        "limit price must be given for limit orders, and for no others": limited != (request.limit > 0),
        "stop price must be given for stop orders, and for no others": stopped != (request.stop > 0),
        "only limit orders that stay can be post-only": request.post_only
        and (request.type != "limit" or request.tif in ("ioc", "fok")),
        "a good-till-date order needs its end, and only such an order has one": (request.tif == "gtd") != (request.expires > 0),
    }
    for message, wrong in faults.items():
        if wrong:
            raise RequestRefused("bad_request", message[0].upper() + message[1:] + ".")


def _has_reached_stop(request: OrderTicket, last: Decimal) -> bool:
    return last >= request.stop if request.trigger == "up" else last <= request.stop
