"""What should run, read from the rows: venues, the bots at each, and the accounts that they trade with."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import QuerySet

from market.exchanges.base import Endpoint
from market.models import VenueStream
from market.services import stream_ensure
from market.venues import CONNECTED, venue_key, venue_split
from trading.models import OPEN, Bot, Mode, Order
from trading.services.holding import EXTERNAL
from wallets.models import ExchangeAccount, Wallet
from wallets.services import account_endpoint


@dataclass(slots=True)
class Plan:
    """For one venue. `watch`: symbols that pages want to see, whether or not a bot trades them."""

    stream: VenueStream
    bots: list[Bot] = field(default_factory=list)
    wallets: list[Wallet] = field(default_factory=list)
    watch: list[str] = field(default_factory=list)
    market: ExchangeAccount | None = None
    """An account of the venue: where its addresses are."""

    @property
    def key(self) -> str:
        return venue_key(self.stream.venue, self.stream.environment)


def plan_read() -> dict[int, Plan]:
    """By the stream's primary key. A venue that a bot or wallet needs gets its stream row here."""
    bots = list(unfinished())
    wallets = list(Wallet.objects.filter(kind=Wallet.Kind.EXCHANGE, archived=False).select_related("account"))
    for pair in {venue_split(bot.venue) for bot in bots} | {
        (one.account.venue, one.account.environment) for one in wallets if one.account
    }:
        if pair[0] in CONNECTED:
            stream_ensure(venue=pair[0], environment=pair[1])
    streams = VenueStream.objects.filter(venue__in=CONNECTED)
    plans = {
        (one.venue, one.environment): Plan(one, watch=list(settings.WATCHLIST.get(venue_key(one.venue, one.environment), [])))
        for one in streams
    }
    for bot in bots:
        if plan := plans.get(venue_split(bot.venue)):
            plan.bots.append(bot)
    busy = set(Order.objects.filter(status__in=OPEN).values_list("wallet_id", flat=True))
    for wallet in wallets:
        assert wallet.account
        plan = plans.get((wallet.account.venue, wallet.account.environment))
        if plan is None or wallet.account.refused_reason or not wallet.account.has_secret:
            continue
        plan.market = wallet.account
        if wallet.pk in busy or any(bot.wallet_id == wallet.pk for bot in plan.bots):
            plan.wallets.append(wallet)
    return {plan.stream.pk: plan for plan in plans.values()}


def unfinished() -> QuerySet[Bot]:
    """Bots whose present run has not ended: a stream worker drives them, or winds them up."""
    rows = Bot.objects.filter(run__isnull=False, run__ended_at=None, mode__in=[*EXTERNAL, Mode.PAPER], archived_at=None)
    return rows.select_related("wallet__account", "run")


def endpoint_of(wallet: Wallet) -> Endpoint:
    assert wallet.account
    return account_endpoint(wallet.account, for_check=True)  # its permissions are asked for before anything else


def public_endpoint(plan: Plan) -> Endpoint:
    """The venue's market data, without a key."""
    account = plan.market
    addresses = {name: getattr(account, name) if account else "" for name in ("rest", "ws", "ws_api", "ws_user")}
    return Endpoint(plan.stream.venue, plan.stream.environment, **addresses, account="public")  # type: ignore[arg-type]
