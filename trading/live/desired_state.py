"""What should run, read from the rows: venues, the bots at each, and the accounts that they trade with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple

from django.conf import settings

from core.venues import venue_key, venue_split
from market.exchanges.base import Endpoint
from market.exchanges.registry import VENUES
from market.models import VenueStream
from market.services import stream_ensure
from trading.models import EXTERNAL, OPEN, Bot, Mode, Order
from wallets.models import ExchangeAccount, Wallet
from wallets.services import account_endpoint


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
    posts: list[Assignment] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    keys: dict[int, str] = field(default_factory=dict)
    """Of accounts whose key may be used, by primary key: which one it is."""
    watch: list[str] = field(default_factory=list)
    market: ExchangeAccount | None = None
    """An account of the venue: where its addresses are."""

    @property
    def key(self) -> str:
        return venue_key(self.stream.venue, self.stream.environment)


def desired_state_read() -> dict[int, DesiredState]:
    """By the stream's primary key. A venue that a bot or wallet needs gets its stream row here."""
    posts = unfinished()
    wallets = list(Wallet.objects.filter(kind=Wallet.Kind.EXCHANGE, archived=False).select_related("account"))
    for pair in {venue_split(venue) for venue in {post.venue for post in posts}} | {
        (one.account.venue, one.account.environment) for one in wallets if one.account
    }:
        if pair[0] in VENUES:
            stream_ensure(venue=pair[0], environment=pair[1])
    streams = VenueStream.objects.filter(venue__in=list(VENUES))
    plans = {
        (one.venue, one.environment): DesiredState(
            one, watch=list(settings.WATCHLIST.get(venue_key(one.venue, one.environment), []))
        )
        for one in streams
    }
    by_key = {plan.key: plan for plan in plans.values()}
    for post in posts:
        if plan := by_key.get(post.venue):
            plan.posts.append(post)
    busy = set(Order.objects.filter(status__in=OPEN).values_list("wallet_id", flat=True))
    for wallet in wallets:
        assert wallet.account
        plan = plans.get((wallet.account.venue, wallet.account.environment))
        if plan is None or wallet.account.refused_reason or not wallet.account.has_secret:
            continue
        plan.market, plan.keys[wallet.account.pk] = wallet.account, key_of(wallet)
        if wallet.pk in busy or any(post.wallet_id == wallet.pk for post in plan.posts):
            plan.wallets.append(wallet)
    return {plan.stream.pk: plan for plan in plans.values()}


def unfinished() -> list[Assignment]:
    """Bots whose present run has not ended: a stream worker drives them, or winds them up. Asked for every second or so, of a
    thousand bots: hence columns, and no rows."""
    rows = Bot.objects.filter(run__ended_at=None, mode__in=[*EXTERNAL, Mode.PAPER], archived_at=None).exclude(run=None)
    return [Assignment(*row) for row in rows.values_list("pk", "run_id", "wallet_id", "venue", "symbols", "wanted").order_by("pk")]


def key_of(wallet: Wallet) -> str:
    """Changes with its account's key, the secret, and where they are used. It tells none of them."""
    account = wallet.account
    assert account
    told = (account.api_key, account.rest, account.ws, account.ws_api, account.ws_user)
    return sha256(repr((told, bytes(account.secret))).encode()).hexdigest()


def endpoint_of(wallet: Wallet) -> Endpoint:
    assert wallet.account
    return account_endpoint(wallet.account, for_check=True)  # its permissions are asked for before anything else


def public_endpoint(plan: DesiredState) -> Endpoint:
    """The venue's market data, without a key."""
    account = plan.market
    addresses = {name: getattr(account, name) if account else "" for name in ("rest", "ws", "ws_api", "ws_user")}
    return Endpoint(plan.stream.venue, plan.stream.environment, **addresses, account="public")  # type: ignore[arg-type]
