"""The checks of an order, but for its account's money."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from market.sandbox.instruments import ListedInstrument
from market.sandbox.orders import OrderTicket, RequestRefused, SandboxOrder

BAND = Decimal(5)
"""Limit prices must lie between the last price / BAND and the last price x BAND."""


def check_ticket(ticket: OrderTicket, instrument: ListedInstrument, last: Decimal) -> None:
    """`RequestRefused` with `halted`, `bad_request`, `no_market`, `percent_price` or `would_trigger`, or as the instrument's own
    checks say."""
    if not instrument.trading:
        raise RequestRefused("halted", "Market is closed.")
    _check_form(ticket)
    market = ticket.type == "market"
    if market and not instrument.takes_market:
        raise RequestRefused("no_market", "Market orders are not supported for this symbol.")
    for price in (ticket.limit, ticket.stop):
        if price:
            instrument.check_price(price)
    if ticket.limit and not last / BAND <= ticket.limit <= last * BAND:
        raise RequestRefused("percent_price", f"{instrument.symbol}: the limit is too far from the last price {last}.")
    if ticket.qty:
        instrument.check_qty(ticket.qty, market=market)
    instrument.check_notional(ticket.quote_qty or ticket.qty * (ticket.limit or ticket.stop or last), market=market)
    if ticket.stop and _has_reached_stop(ticket, last):
        raise RequestRefused("would_trigger", "Stop price would trigger immediately.")


def check_account(ticket: OrderTicket, instrument: ListedInstrument, owned: Decimal, open_now: Collection[SandboxOrder]) -> None:
    """Checks what an account may have at once. `owned`: of the base; `open_now`: its orders in the symbol. `RequestRefused` with
    `max_position`, `too_many_orders` or `too_many_stops`."""
    coming = sum((one.remaining for one in open_now if one.side == "buy"), ticket.qty)
    if ticket.side == "buy" and instrument.max_position and owned + coming > instrument.max_position:
        raise RequestRefused("max_position", f"{instrument.symbol}: an account may have at most {instrument.max_position}.")
    if instrument.max_orders and ticket.type != "market" and len(open_now) >= instrument.max_orders:
        raise RequestRefused("too_many_orders", f"{instrument.symbol}: at most {instrument.max_orders} orders may be open.")
    if instrument.max_stops and ticket.stop and sum(bool(one.request.stop) for one in open_now) >= instrument.max_stops:
        raise RequestRefused("too_many_stops", f"{instrument.symbol}: at most {instrument.max_stops} stops may wait.")


def _check_form(ticket: OrderTicket) -> None:
    """Checks that the type of order has the fields that it needs, and no others."""
    limited = ticket.type in ("limit", "stop_limit")
    stopped = ticket.type in ("stop", "stop_limit")
    faults = {
        "quantity or quote quantity must be above zero, and only one of them given": (ticket.qty > 0) == (ticket.quote_qty > 0),
        "quantities and prices must not be below zero": min(ticket.qty, ticket.quote_qty, ticket.limit, ticket.stop) < 0,
        "only market orders have a quote quantity": ticket.quote_qty > 0 and ticket.type != "market",
        "limit price must be given for limit orders, and for no others": limited != (ticket.limit > 0),
        "stop price must be given for stop orders, and for no others": stopped != (ticket.stop > 0),
        "only limit orders that stay can be post-only": ticket.post_only
        and (ticket.type != "limit" or ticket.tif in ("ioc", "fok")),
        "a good-till-date order needs its end, and only such an order has one": (ticket.tif == "gtd") != (ticket.expires > 0),
    }
    for message, wrong in faults.items():
        if wrong:
            raise RequestRefused("bad_request", message[0].upper() + message[1:] + ".")


def _has_reached_stop(ticket: OrderTicket, last: Decimal) -> bool:
    return last >= ticket.stop if ticket.trigger == "up" else last <= ticket.stop
