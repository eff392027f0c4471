"""The running desk in figures: what the wallets of each mode are worth, what of it is allotted, and what today made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from core.text import utc_text
from trading.models import Bot, EquityPoint, Mode
from trading.selectors.bots import BotRow, bot_rows, bots_matching
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
    rows: Sequence[BotRow]
    value: Decimal
    """What the wallets hold, at the newest prices."""
    cash: Decimal
    """What they hold of `currency`."""
    unpriced_symbols: Sequence[str]
    """What is held and has no price, or an old one: the value is as good as those."""
    since_midnight: Decimal
    """What the same bots were worth at 00:00 UTC, or when they began if that was later."""
    booked: bool = True
    """False before anything was booked, as of an account whose balances nobody has asked for yet: nothing is known of its worth."""

    @property
    def own_rows(self) -> list[BotRow]:
        """The bots whose money can be added up in `currency`."""
        return [row for row in self.rows if row.currency == self.currency]

    @property
    def allotted(self) -> Decimal:
        """What the bots at work may trade with, and what stopped ones hold: the part of the value that is spoken for."""
        return sum((row.allotted for row in self.own_rows), Decimal(0))

    @property
    def over_allotted(self) -> bool:
        return self.booked and self.allotted > self.value

    @property
    def realised_profit(self) -> Decimal:
        return sum((row.realised for row in self.own_rows), Decimal(0))

    @property
    def unrealised_profit(self) -> Decimal:
        return sum((row.unrealised_profit for row in self.own_rows), Decimal(0))

    @property
    def change_today(self) -> Decimal:
        """What the bots made since 00:00 UTC. What is paid in or out is no change."""
        return sum((row.equity for row in self.own_rows), Decimal(0)) - self.since_midnight

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
    """All wallets that are not archived, with those of their bots that were ever started, and the replays. Ten queries and two
    questions to the price store."""
    now = timezone.now()
    rows = bot_rows(bots_matching(mode=mode, wallet=wallet).filter(run__isnull=False))
    wallets = [one for one in wallets_list() if wallet in ("", one.wallet_id) and mode in ("", wallet_mode(one))]
    parts = [*hold_wallets(wallets, rows, now), *hold_replays(rows, now)]
    return Portfolio(now, sum_modes(parts), sorted(parts, key=lambda one: (one.mode, one.currency, wallet_name(one))))


def wallet_mode(wallet: Wallet) -> Mode:
    """The mode of the bots that can trade with it. A paper wallet also serves replays, which do not touch its money."""
    if wallet.account is None:
        return Mode.PAPER
    return Mode.LIVE if wallet.account.environment == "live" else Mode.TESTNET


def wallet_name(one: Holdings) -> str:
    return one.wallet.name if one.wallet else ""


def hold_wallets(wallets: Sequence[Wallet], rows: Sequence[BotRow], now: datetime) -> list[Holdings]:
    """Each wallet at the newest prices, with its bots."""
    begun, worth = equity_at_midnight([row.bot.pk for row in rows], now), value_wallets(wallets)
    bots: dict[int, list[BotRow]] = defaultdict(list)
    for row in rows:
        if row.bot.mode != Mode.REPLAY:
            bots[row.bot.wallet_id].append(row)
    return [
        Holdings(
            mode=wallet_mode(wallet),
            currency=wallet.quote,
            wallet=wallet,
            rows=bots[wallet.pk],
            value=worth[wallet.pk].value,
            cash=worth[wallet.pk].cash,
            unpriced_symbols=worth[wallet.pk].unpriced,
            since_midnight=sum_begun([row for row in bots[wallet.pk] if row.currency == wallet.quote], begun),
            booked=bool(wallet_balances(wallet=wallet)),
        )
        for wallet in wallets
    ]


def hold_replays(rows: Sequence[BotRow], now: datetime) -> list[Holdings]:
    """What the replays of each wallet and currency are worth."""
    groups: dict[tuple[int, str], list[BotRow]] = defaultdict(list)
    for row in rows:
        if row.bot.mode == Mode.REPLAY:
            groups[row.bot.wallet_id, row.currency].append(row)
    begun = equity_at_midnight([row.bot.pk for found in groups.values() for row in found], now) if groups else {}
    return [
        Holdings(
            mode=Mode.REPLAY,
            currency=currency,
            wallet=found[0].bot.wallet,
            rows=found,
            value=sum((row.equity for row in found), Decimal(0)),
            cash=sum((row.cash for row in found), Decimal(0)),
            unpriced_symbols=sorted({one.position.symbol for row in found for one in row.positions if one.state != "live"}),
            since_midnight=sum_begun(found, begun),
        )
        for (_, currency), found in groups.items()
    ]


def equity_at_midnight(ids: Iterable[int], now: datetime) -> dict[int, Decimal]:
    """Each bot's last equity on record up to 00:00 UTC of today; a bot that has none had its start."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    points = EquityPoint.objects.filter(bot=OuterRef("pk"), ts__lte=midnight).order_by("-ts").values("equity")[:1]
    known = Bot.objects.filter(pk__in=list(ids)).order_by().annotate(begun=Subquery(points)).values_list("pk", "begun")
    return {pk: equity for pk, equity in known if equity is not None}


def sum_begun(rows: Sequence[BotRow], begun: dict[int, Decimal]) -> Decimal:
    return sum((begun.get(row.bot.pk, row.start_cash) for row in rows), Decimal(0))


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
            rows=[row for one in found for row in one.rows],
            value=sum((one.value for one in found), Decimal(0)),
            cash=sum((one.cash for one in found), Decimal(0)),
            unpriced_symbols=sorted({symbol for one in found for symbol in one.unpriced_symbols}),
            since_midnight=sum((one.since_midnight for one in found), Decimal(0)),
            booked=any(one.booked for one in found),
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
        "bots": len(one.rows),
        "unpriced": list(one.unpriced_symbols),
    }
