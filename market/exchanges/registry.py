"""The one list of venues: what the desk has to know of each before it speaks to it.

Forms, services, the rate budget, the guard of real money and the stream worker read it. A venue is one entry here and one folder
`market/exchanges/NAME/`; docs/how-to/add-a-venue.md tells how. No adapter, and none of the libraries that they stand on, is
imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Literal, cast

from market.exchanges.base import Exchange

Environment = Literal["sandbox", "testnet", "live"]
AddressField = Literal["rest", "ws", "ws_api", "ws_user"]
Credential = Literal["api_key", "api_secret"]
AdapterFactory = Callable[..., Exchange]
"""Takes `(endpoint, *, budget, breaker, count)`."""


@dataclass(frozen=True, slots=True)
class RequestLimit:
    """The venue takes `amount` in each window of `seconds`. Windows begin at whole multiples, as the venues count them."""

    name: str
    """What the requests of the adapter cost."""
    seconds: int
    amount: int
    scope: Literal["venue", "account"]
    """Whom the venue counts: an IP address (all of our keys together) or a key."""


@dataclass(frozen=True, slots=True)
class Venue:
    """One venue that the desk has an adapter for."""

    key: str
    """Its name in rows, addresses and candles: small letters and digits. It cannot be changed later."""
    label: str
    """The name that people read."""
    adapter: str
    """The adapter's class by its dotted path."""
    environments: tuple[Environment, ...]
    """Where an account of it can be."""
    credentials: tuple[Credential, ...]
    """What a key of this venue consists of."""
    addresses: tuple[AddressField, ...]
    """The addresses that the adapter uses. Outside of live each must be given, because an empty one means the venue's own."""
    real_hosts: tuple[str, ...]
    """The ends of the host names where real money is traded, and so of their numbered twins."""
    limits: tuple[RequestLimit, ...]
    keyless_limits: tuple[RequestLimit, ...] = ()
    """The limits of those who ask for market data without a key; empty: the same as with one."""
    own_testnet: bool = False
    """The adapter's library knows the addresses of a testnet, which therefore need not be given."""
    watchlist: tuple[str, ...] = ()
    """Symbols of its sandbox whose prices are followed even when no bot trades them."""

    def limits_for(self, *, keyed: bool) -> tuple[RequestLimit, ...]:
        return self.limits if keyed else self.keyless_limits or self.limits


VENUES: dict[str, Venue] = {
    venue.key: venue
    for venue in (
        Venue(
            key="binance",
            label="Binance",
            adapter="market.exchanges.binance.adapter.Binance",
            environments=("sandbox", "testnet", "live"),
            credentials=("api_key", "api_secret"),
            addresses=("rest", "ws", "ws_api"),
            real_hosts=("api.binance.com", "stream.binance.com", "ws-api.binance.com"),
            limits=(
                RequestLimit("weight", 60, 6000, "venue"),
                RequestLimit("orders", 10, 100, "account"),
                RequestLimit("wallet", 60, 12_000, "venue"),
                RequestLimit("wallet_key", 60, 180_000, "account"),
            ),
            own_testnet=True,
            watchlist=("BTC-USDT", "ETH-USDT", "SOL-USDT"),
        ),
        Venue(
            key="coinbase",
            label="Coinbase",
            adapter="market.exchanges.coinbase.adapter.Coinbase",
            environments=("sandbox", "testnet", "live"),
            credentials=("api_key", "api_secret"),
            addresses=("rest", "ws", "ws_user"),
            real_hosts=("api.coinbase.com", "advanced-trade-ws.coinbase.com"),
            limits=(RequestLimit("requests", 1, 30, "account"),),
            keyless_limits=(RequestLimit("requests", 1, 10, "account"),),
            watchlist=("BTC-USD", "ETH-USD", "SOL-USD"),
        ),
    )
}


def venue_choices() -> list[tuple[str, str]]:
    """Key and label of each venue, for forms and the admin. A migration of the wallets names this function."""
    return [(venue.key, venue.label) for venue in VENUES.values()]


def name_venues() -> str:
    """The keys of all venues, for a person who named none of them."""
    return " or ".join(VENUES)


def credentials_of(key: str) -> tuple[Credential, ...]:
    """What a key of the venue consists of. Accounts outlive a venue that was taken out of the registry: all that there is then."""
    return VENUES[key].credentials if key in VENUES else ("api_key", "api_secret")


def real_hosts() -> tuple[str, ...]:
    """The ends of the host names of all venues where real money is traded."""
    return tuple(host for venue in VENUES.values() for host in venue.real_hosts)


@cache
def load_adapter(path: str) -> AdapterFactory:
    """The class that a dotted path names. The first call imports the venue's library, which takes some tenths of a second."""
    module, _, name = path.rpartition(".")
    return cast(AdapterFactory, getattr(import_module(module), name))


def load_adapters() -> None:
    """Import them all, so that no venue has to wait for the import of another's library later on."""
    for venue in VENUES.values():
        load_adapter(venue.adapter)
