"""The running desk in figures: what the wallets of each mode are worth, what of it is allotted, and what today made of it; and each
kind of money as a whole, in the reporting currency."""

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
from wallets.selectors import read_held, reporting_currency, wallets_list
from wallets.valuation import Books, DeskWorth, Worth, money_of, open_books, price_environment, sum_desk, value_wallets


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
class DeskHoldings:
    """All wallets of one mode, whatever they hold, in the reporting currency."""

    worth: DeskWorth
    bots: int
    change_today: Decimal
    """As that of `Holdings`; that of bots whose currency has no price is left out."""
    unpriced: Sequence[str]
    """Assets that no price leads from: they are not in the value, nor in the change."""

    @property
    def mode(self) -> str:
        return self.worth.money

    @property
    def currency(self) -> str:
        return self.worth.currency

    @property
    def value(self) -> Decimal:
        return self.worth.sum.value

    @property
    def booked(self) -> bool:
        return self.worth.sum.booked

    @property
    def valued(self) -> bool:
        """False where there is something, and none of it has a price."""
        return bool(self.value) or not self.unpriced

    @property
    def unpriced_symbols(self) -> list[str]:
        """As those of `Holdings`: the value is as good as these."""
        return [f"{asset}-{self.currency}" for asset in self.worth.sum.estimated]

    @property
    def change_ratio(self) -> float | None:
        return ratio_of(self.change_today, self.value - self.change_today) if self.booked else None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """`desk` is each kind of money as a whole, the most real first. `modes` sums by mode and currency: paper and real money are
    never added up. `wallets` has the parts."""

    at: datetime
    desk: Sequence[DeskHoldings]
    modes: Sequence[Holdings]
    wallets: Sequence[Holdings]

    @property
    def totals(self) -> list[DeskHoldings | Holdings]:
        """Each mode in the reporting currency; replays, and a mode of which nothing has a price in it, in their own."""
        found: list[DeskHoldings | Holdings] = [one for one in self.desk if one.valued]
        return found + [one for one in self.modes if one.mode not in {known.mode for known in found}]


def desk_portfolio(*, mode: str = "", wallet: str = "") -> Portfolio:
    """All wallets that are not archived, with those of their bots that were ever started, and the replays. Four to seven queries
    and two or three questions to the price store, however many bots there are."""
    now, currency = timezone.now(), reporting_currency()
    sums = sum_bots(now.replace(hour=0, minute=0, second=0, microsecond=0))
    found = [one for one in wallets_list(balances=False) if wallet in ("", one.wallet_id)]
    wallets = [one for one in found if mode in ("", money_of(one))]
    held = read_held(wallets)
    books = open_books(wallets, currency, *(group.currency for group in sums), held=held)
    parts = hold_wallets(wallets, sums, value_wallets(wallets, books=books, held=held))
    if one_of("mode", mode, Mode.values) in ("", Mode.REPLAY):
        parts += hold_replays(sums, wallet)
    desk = hold_desk(wallets, sums, sum_desk(wallets, value_wallets(wallets, currency, books=books, held=held), currency), books)
    return Portfolio(now, desk, sum_modes(parts), sorted(parts, key=lambda one: (one.mode, one.currency, wallet_name(one))))


def hold_desk(
    wallets: Sequence[Wallet], sums: Mapping[Group, BotSums], worths: Sequence[DeskWorth], books: Books
) -> list[DeskHoldings]:
    """Each kind of money as a whole."""
    found = []
    for worth in worths:
        mine = {one.pk: books[price_environment(one)] for one in wallets if money_of(one) == worth.money}
        groups = {group: one for group, one in sums.items() if group.wallet in mine and not group.replays}
        prices = {group: mine[group.wallet].price(group.currency, worth.currency).price for group in groups}
        change = sum(((one.equity - one.begun) * (prices[group] or 0) for group, one in groups.items()), Decimal(0))
        lost = {group.currency for group, price in prices.items() if price is None}
        bots = sum(one.bots for one in groups.values())
        found.append(DeskHoldings(worth, bots, change, sorted({*worth.sum.unpriced, *lost})))
    return found


def wallet_name(one: Holdings) -> str:
    return one.wallet.name if one.wallet else ""


def hold_wallets(wallets: Sequence[Wallet], sums: Mapping[Group, BotSums], worth: Mapping[int, Worth]) -> list[Holdings]:
    """Each wallet at the newest prices, with its bots. Only those that trade in its currency can be added up."""
    bots: Counter[int] = Counter()
    for group, one in sums.items():
        bots[group.wallet] += 0 if group.replays else one.bots
    return [
        make_holdings(
            sums[Group(wallet.pk, False, wallet.quote)],
            mode=money_of(wallet),
            currency=wallet.quote,
            wallet=wallet,
            bots=bots[wallet.pk],
            value=worth[wallet.pk].value,
            cash=worth[wallet.pk].cash,
            unpriced_symbols=[f"{asset}-{wallet.quote}" for asset in worth[wallet.pk].unsure],
            booked=worth[wallet.pk].booked,
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
        "desk": [desk_json(one) for one in found.desk],
        "modes": [holdings_json(one) for one in found.modes],
        "wallets": [
            {"wallet": one.wallet.wallet_id, "name": one.wallet.name, "venue": one.wallet.venue, **holdings_json(one)}
            for one in found.wallets
            if one.wallet
        ],
    }


def desk_json(one: DeskHoldings) -> dict[str, Any]:
    return {
        "mode": one.mode,
        "currency": one.currency,
        "value": money_text(one.value),
        "change_today": money_text(one.change_today),
        "change_ratio": one.change_ratio,
        "bots": one.bots,
        "wallets": one.worth.wallets,
        "venues": [{"venue": part.venue, "value": money_text(part.sum.value)} for part in one.worth.venues],
        "estimated": list(one.worth.sum.estimated),
        "unpriced": list(one.unpriced),
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
