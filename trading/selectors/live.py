"""The running desk in figures: what the wallets of each mode are worth, what of it is allotted, and what today made of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from core.text import utc_text
from trading.models import Mode
from trading.selectors.filters import one_of
from trading.selectors.holdings import BotSums, Group, sum_bots
from trading.selectors.notation import ratio_of
from trading.selectors.valuation import money_text
from wallets.models import Wallet
from wallets.selectors import wallet_balances, wallets_list
from wallets.valuation import value_wallets


@dataclass(frozen=True, slots=True)
class Holdings:
    """Wallets of one mode and currency, or one wallet, with the bots that trade with them. Sums in `currency`. A replay has books
    of its own, and no wallet's money: it counts as what its bots are worth."""

    mode: str
    currency: str
    wallet: Wallet | None
    bots: int
    value: Decimal
    """What the wallets hold, at the newest prices."""
    cash: Decimal
    """What they hold of `currency`."""
    unpriced_symbols: Sequence[str]
    """What is held and has no price, or an old one: the value is as good as those."""
    allotted: Decimal
    """What the bots at work may trade with, and what stopped ones hold: the part of the value that is spoken for."""
    realised_profit: Decimal
    unrealised_profit: Decimal
    change_today: Decimal
    """What the bots made since 00:00 UTC. What is paid in or out is no change."""
    booked: bool = True
    """False before anything was booked, as of an account whose balances nobody has asked for yet: nothing is known of its worth."""

    @property
    def over_allotted(self) -> bool:
        return self.booked and self.allotted > self.value

    @property
    def change_ratio(self) -> float | None:
        return ratio_of(self.change_today, self.value - self.change_today) if self.booked else None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """`modes` sums the whole desk by mode and currency: paper and real money are never added up. `wallets` has the parts."""

    at: datetime
    modes: Sequence[Holdings]
    wallets: Sequence[Holdings]


def desk_portfolio(*, mode: str = "", wallet: str = "") -> Portfolio:
    """All wallets that are not archived, with those of their bots that were ever started, and the replays. Three to five queries
    and two questions to the price store, however many bots there are."""
    now = timezone.now()
    sums = sum_bots(now.replace(hour=0, minute=0, second=0, microsecond=0))
    wallets = [one for one in wallets_list() if wallet in ("", one.wallet_id)]
    parts = hold_wallets([one for one in wallets if mode in ("", wallet_mode(one))], sums)
    if one_of("mode", mode, Mode.values) in ("", Mode.REPLAY):
        parts += hold_replays(sums, wallet)
    return Portfolio(now, sum_modes(parts), sorted(parts, key=lambda one: (one.mode, one.currency, wallet_name(one))))


def wallet_mode(wallet: Wallet) -> Mode:
    """The mode of the bots that can trade with it. A paper wallet also serves replays, which do not touch its money."""
    if wallet.account is None:
        return Mode.PAPER
    return Mode.LIVE if wallet.account.environment == "live" else Mode.TESTNET


def wallet_name(one: Holdings) -> str:
    return one.wallet.name if one.wallet else ""


def hold_wallets(wallets: Sequence[Wallet], sums: Mapping[Group, BotSums]) -> list[Holdings]:
    """Each wallet at the newest prices, with its bots. Only those that trade in its currency can be added up."""
    worth = value_wallets(wallets)
    bots: Counter[int] = Counter()
    for group, one in sums.items():
        bots[group.wallet] += 0 if group.replays else one.bots
    return [
        make_holdings(
            sums[Group(wallet.pk, False, wallet.quote)],
            mode=wallet_mode(wallet),
            currency=wallet.quote,
            wallet=wallet,
            bots=bots[wallet.pk],
            value=worth[wallet.pk].value,
            cash=worth[wallet.pk].cash,
            unpriced_symbols=worth[wallet.pk].unpriced,
            booked=bool(wallet_balances(wallet=wallet)),
        )
        for wallet in wallets
    ]


def hold_replays(sums: Mapping[Group, BotSums], wallet: str) -> list[Holdings]:
    """What the replays of each wallet and currency are worth."""
    groups = {group: one for group, one in sums.items() if group.replays}
    wallets = Wallet.objects.in_bulk({group.wallet for group in groups}) if groups else {}
    return [
        make_holdings(
            one,
            mode=Mode.REPLAY,
            currency=group.currency,
            wallet=wallets[group.wallet],
            bots=one.bots,
            value=one.equity,
            cash=one.cash,
            unpriced_symbols=sorted(set(one.unpriced)),
        )
        for group, one in groups.items()
        if wallet in ("", wallets[group.wallet].wallet_id)
    ]


def make_holdings(sums: BotSums, **given: Any) -> Holdings:
    return Holdings(
        allotted=sums.allotted,
        realised_profit=sums.realised,
        unrealised_profit=sums.unrealised,
        change_today=sums.equity - sums.begun,
        **given,
    )


ADDED = ("bots", "value", "cash", "allotted", "realised_profit", "unrealised_profit", "change_today")


def sum_modes(parts: Sequence[Holdings]) -> list[Holdings]:
    """The parts of each mode and currency as one."""
    groups: dict[tuple[str, str], list[Holdings]] = defaultdict(list)
    for one in parts:
        groups[one.mode, one.currency].append(one)
    return [
        Holdings(
            mode=mode,
            currency=currency,
            wallet=None,
            unpriced_symbols=sorted({symbol for one in found for symbol in one.unpriced_symbols}),
            booked=any(one.booked for one in found),
            **{name: sum((getattr(one, name) for one in found[1:]), getattr(found[0], name)) for name in ADDED},
        )
        for (mode, currency), found in sorted(groups.items())
    ]


def portfolio_json(found: Portfolio) -> dict[str, Any]:
    return {
        "at": utc_text(found.at),
        "modes": [holdings_json(one) for one in found.modes],
        "wallets": [
            {"wallet": one.wallet.wallet_id, "name": one.wallet.name, "venue": one.wallet.venue, **holdings_json(one)}
            for one in found.wallets
            if one.wallet
        ],
    }


def holdings_json(one: Holdings) -> dict[str, Any]:
    return {
        "mode": one.mode,
        "currency": one.currency,
        "value": money_text(one.value),
        "cash": money_text(one.cash),
        "allotted": money_text(one.allotted),
        "realised": money_text(one.realised_profit),
        "unrealised": money_text(one.unrealised_profit),
        "change_today": money_text(one.change_today),
        "change_ratio": one.change_ratio,
        "bots": one.bots,
        "unpriced": list(one.unpriced_symbols),
    }
