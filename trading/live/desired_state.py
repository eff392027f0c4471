"""What should run, read from the rows: venues, the bots at each, and the accounts that they trade with.

Every function here is called in a database thread but `fingerprint_key`, which asks nothing and is called from any.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Literal, NamedTuple, cast

from django.conf import settings

from core.venues import venue_key, venue_split
from market.exchanges.base import Endpoint
from market.exchanges.registry import VENUES
from market.models import VenueStream
from market.services import stream_ensure
from trading.models import EXTERNAL, OPEN, Bot, Mode, Order
from wallets.drift_lists import holding_reasons
from wallets.models import ExchangeAccount, Wallet
from wallets.services import account_endpoint

Environment = Literal["sandbox", "testnet", "live"]


class Assignment(NamedTuple):
    """A bot with a run that has not ended, and what a person wants of it. Primary keys."""

    bot_id: int
    run_id: int
    wallet_id: int
    venue: str
    symbols: str
    wanted: str

    @property
    def symbol_list(self) -> Sequence[str]:
        return self.symbols.split(",")


@dataclass(slots=True)
class DesiredState:
    """For one venue. `watch`: symbols that pages want to see, whether or not a bot trades them."""

    stream: VenueStream
    assignments: list[Assignment] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    """Of accounts whose key may be used, by primary key: which one it is."""
    drifts: dict[int, str] = field(default_factory=dict)
    """Of accounts whose bots may not buy because books and venue differ, by primary key: how."""
    watch: list[str] = field(default_factory=list)
    market: ExchangeAccount | None = None
    """An account of the venue: where its addresses are."""

    @property
    def key(self) -> str:
        return venue_key(self.stream.venue, self.stream.environment)


def read_desired_state() -> dict[int, DesiredState]:
    """By the stream's primary key. A venue that a bot or wallet needs gets its stream row here."""
    assignments = list_unfinished()
    wallets = list(Wallet.objects.filter(kind=Wallet.Kind.EXCHANGE, archived=False).select_related("account"))
    ensure_streams(assignments, wallets)
    states = [make_state(stream) for stream in VenueStream.objects.filter(venue__in=list(VENUES))]
    by_key = {state.key: state for state in states}
    for one in assignments:
        if state := by_key.get(one.venue):
            state.assignments.append(one)
    drifts = holding_reasons()
    busy = set(Order.objects.filter(status__in=OPEN).values_list("wallet_id", flat=True))
    for wallet in wallets:
        assert wallet.account
        state = by_key.get(venue_key(wallet.account.venue, wallet.account.environment))
        if state is not None and not wallet.account.refused_reason and wallet.account.has_secret:
            add_wallet(state, wallet, has_orders=wallet.pk in busy)
            if why := drifts.get(wallet.pk):
                state.drifts[wallet.account.pk] = why
    return {state.stream.pk: state for state in states}


def ensure_streams(assignments: Sequence[Assignment], wallets: Sequence[Wallet]) -> None:
    needed = {venue_split(venue) for venue in {one.venue for one in assignments}}
    needed |= {(one.account.venue, one.account.environment) for one in wallets if one.account}
    for venue, environment in needed:
        if venue in VENUES:
            stream_ensure(venue=venue, environment=environment)


def make_state(stream: VenueStream) -> DesiredState:
    return DesiredState(stream, watch=list(settings.WATCHLIST.get(venue_key(stream.venue, stream.environment), [])))


def add_wallet(state: DesiredState, wallet: Wallet, *, has_orders: bool) -> None:
    """A wallet whose key may be used. It is opened where a bot trades with it, or it has open orders."""
    account = wallet.account
    assert account
    state.market, state.keys[account.pk] = account, fingerprint_key(wallet)
    if has_orders or any(one.wallet_id == wallet.pk for one in state.assignments):
        state.wallets.append(wallet)


def list_unfinished() -> list[Assignment]:
    """Bots whose present run has not ended: a stream worker drives them, or winds them up. Asked for every second or so, of a
    thousand bots: hence columns, and no rows."""
    rows = Bot.objects.filter(run__ended_at=None, mode__in=[*EXTERNAL, Mode.PAPER], archived_at=None).exclude(run=None)
    return [Assignment(*row) for row in rows.values_list("pk", "run_id", "wallet_id", "venue", "symbols", "wanted").order_by("pk")]


def fingerprint_key(wallet: Wallet) -> str:
    """Changes with its account's key, the secret, and where they are used. None of them can be read from it."""
    account = wallet.account
    assert account
    parts = (account.api_key, account.rest, account.ws, account.ws_api, account.ws_user)
    return sha256(repr((parts, bytes(account.secret))).encode()).hexdigest()


def make_endpoint(wallet: Wallet) -> Endpoint:
    assert wallet.account
    return account_endpoint(wallet.account, for_check=True)  # its permissions are asked for before anything else


def make_place(venue: str, environment: str) -> Endpoint:
    """The venue at its own addresses, without a key."""
    return Endpoint(venue, cast(Environment, environment))


def make_public_endpoint(state: DesiredState) -> Endpoint:
    """The venue's market data, without a key."""
    account = state.market
    addresses = {name: getattr(account, name) if account else "" for name in ("rest", "ws", "ws_api", "ws_user")}
    return Endpoint(state.stream.venue, cast(Environment, state.stream.environment), **addresses, account="public")
