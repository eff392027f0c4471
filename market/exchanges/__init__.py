"""Exchanges behind one port. Venue modules are reached through `connect` only, and the quirks of a venue end in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from market.exchanges.base import Endpoint, Exchange, Refused
from market.exchanges.registry import VENUES, load_adapter, name_venues, real_hosts

if TYPE_CHECKING:
    # Settings read the registry, and need neither Redis nor metrics for it.
    from market.exchanges.breaker import Breaker
    from market.exchanges.budget import Budget

HERE = ("127.0.0.1", "localhost", "::1")


def connect(endpoint: Endpoint, *, budget: Budget, breaker: Breaker, count: Callable[[str], None] | None = None) -> Exchange:
    """The venue's adapter, not connected yet. `count` gets the outcome of each request: "ok", or the code of what went wrong.
    `Refused` for a venue that is not in the registry, and for an address that would send orders and keys in the clear over a
    network."""
    if endpoint.venue not in VENUES:
        raise Refused(f"venue: {endpoint.venue!r} is none that can be traded on. Use {name_venues()}.", code="venue")
    for name in ("rest", "ws", "ws_api", "ws_user"):
        address = urlsplit(getattr(endpoint, name))
        if address.geturl() and address.scheme not in ("https", "wss") and address.hostname not in HERE:
            raise Refused(
                f"{name}: {address.geturl()!r} is not encrypted. Use https or wss, or a sandbox on this machine.", code=name
            )
    refuse_real_money(endpoint)
    make_adapter = load_adapter(VENUES[endpoint.venue].adapter)
    return make_adapter(endpoint, budget=budget, breaker=breaker, count=count)


def refuse_real_money(endpoint: Endpoint) -> None:
    """`Refused` for an account that is not live and would reach the real venue: an empty address means the venue's own."""
    venue = VENUES[endpoint.venue]
    if endpoint.environment == "live" or (endpoint.environment == "testnet" and venue.own_testnet and not endpoint.rest):
        return
    for name in venue.addresses:
        host = urlsplit(getattr(endpoint, name)).hostname or ""
        if not host:
            raise Refused(
                f"{name}: an address is required: the environment is {endpoint.environment} and the own address of the venue "
                "trades real money.",
                code=name,
            )
        if endpoint.environment == "sandbox" and host not in HERE:
            raise Refused(f"{name}: the sandbox is on this machine only; {host!r} is not.", code=name)
        if host.endswith(real_hosts()):
            raise Refused(f"{name}: {host!r} trades real money, and the environment is {endpoint.environment}.", code=name)
