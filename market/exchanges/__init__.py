"""Exchanges behind one port. Venue modules are reached through `connect` only; quirks end in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from market.exchanges.base import Endpoint, Exchange, Refused
from market.exchanges.binance.adapter import Binance
from market.exchanges.breaker import Breaker
from market.exchanges.budget import Budget
from market.exchanges.coinbase.adapter import Coinbase

ADAPTERS: Mapping[str, Callable[..., Exchange]] = {"binance": Binance, "coinbase": Coinbase}
OWN_TESTNET = ("binance",)
"""Venues whose library knows their testnet's addresses."""
NEEDED: Mapping[str, tuple[str, ...]] = {"binance": ("rest", "ws", "ws_api"), "coinbase": ("rest", "ws", "ws_user")}
REAL = ("api.binance.com", "stream.binance.com", "ws-api.binance.com", "api.coinbase.com", "advanced-trade-ws.coinbase.com")
"""Ends of the real venues' names (and of their numbered twins')."""
HERE = ("127.0.0.1", "localhost", "::1")


def connect(endpoint: Endpoint, *, budget: Budget, breaker: Breaker, count: Callable[[str], None] | None = None) -> Exchange:
    """The venue's adapter, not connected yet. `count` hears each request's outcome: "ok", or the code of what went wrong.
    `Refused` for a venue that is none, and for an address that would send orders and keys in the clear over a network."""
    if endpoint.venue not in ADAPTERS:
        raise Refused(f"venue: {endpoint.venue!r} is none that can be traded on. Use {' or '.join(ADAPTERS)}.", code="venue")
    for name in ("rest", "ws", "ws_api", "ws_user"):
        address = urlsplit(getattr(endpoint, name))
        if address.geturl() and address.scheme not in ("https", "wss") and address.hostname not in HERE:
            raise Refused(
                f"{name}: {address.geturl()!r} is not encrypted. Use https or wss, or a sandbox on this machine.", code=name
            )
    refuse_real_money(endpoint)
    return ADAPTERS[endpoint.venue](endpoint, budget=budget, breaker=breaker, count=count)


def refuse_real_money(endpoint: Endpoint) -> None:
    """`Refused` for an account that is not live and would reach the real venue: an empty address means the venue's own."""
    if endpoint.environment == "live" or (
        endpoint.environment == "testnet" and endpoint.venue in OWN_TESTNET and not endpoint.rest
    ):
        return
    for name in NEEDED[endpoint.venue]:
        host = urlsplit(getattr(endpoint, name)).hostname or ""
        if not host:
            raise Refused(
                f"{name}: an address is required: the environment is {endpoint.environment} and the own address of the venue "
                "trades real money.",
                code=name,
            )
        if endpoint.environment == "sandbox" and host not in HERE:
            raise Refused(f"{name}: the sandbox is on this machine only; {host!r} is not.", code=name)
        if host.endswith(REAL):
            raise Refused(f"{name}: {host!r} trades real money, and the environment is {endpoint.environment}.", code=name)
