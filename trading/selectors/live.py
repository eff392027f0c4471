"""The running desk in figures: what the bots of each mode and wallet are worth, and what today made of it."""

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
from trading.models import Bot, EquityPoint
from trading.selectors.bots import BotRow, bot_rows, bots_matching
from trading.selectors.notation import ratio_of
from trading.selectors.valuation import money_text
from wallets.models import Wallet


@dataclass(frozen=True, slots=True)
class Holdings:
    """Bots of one mode and currency, of the whole desk or of one wallet. Sums in `currency`."""

    mode: str
    currency: str
    wallet: Wallet | None
    rows: Sequence[BotRow]
    since_midnight: Decimal
    """What the same bots were worth at 00:00 UTC, or when they began if that was later."""

    @property
    def value(self) -> Decimal:
        return sum((row.equity for row in self.rows), Decimal(0))

    @property
    def cash(self) -> Decimal:
        return sum((row.cash for row in self.rows), Decimal(0))

    @property
    def realised_profit(self) -> Decimal:
        return sum((row.realised for row in self.rows), Decimal(0))

    @property
    def unrealised_profit(self) -> Decimal:
        return sum((row.unrealised_profit for row in self.rows), Decimal(0))

    @property
    def change_today(self) -> Decimal:
        return self.value - self.since_midnight

    @property
    def change_ratio(self) -> float | None:
        return ratio_of(self.change_today, self.since_midnight)

    @property
    def unpriced_symbols(self) -> list[str]:
        """Symbols that are held and have no price, or an old one: the value is as good as those."""
        return sorted({one.position.symbol for row in self.rows for one in row.positions if one.state != "live"})


@dataclass(frozen=True, slots=True)
class Portfolio:
    """`modes` sums the whole desk by mode and currency: paper and real money are never added up. `wallets` has the parts."""

    at: datetime
    modes: Sequence[Holdings]
    wallets: Sequence[Holdings]


def desk_portfolio(*, mode: str = "", wallet: str = "") -> Portfolio:
    """All bots that were ever started and are not archived. Eight queries and one question to the price store."""
    rows = bot_rows(bots_matching(mode=mode, wallet=wallet).filter(run__isnull=False))
    return portfolio_of(rows)


def portfolio_of(rows: Sequence[BotRow]) -> Portfolio:
    """The same of rows that are there already; one query more."""
    now = timezone.now()
    begun = equity_at_midnight([row.bot.pk for row in rows], now)
    return Portfolio(now, group_rows(rows, begun, by_wallet=False), group_rows(rows, begun, by_wallet=True))


def equity_at_midnight(ids: Iterable[int], now: datetime) -> dict[int, Decimal]:
    """Each bot's last equity on record up to 00:00 UTC of today; a bot that has none had its start."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    points = EquityPoint.objects.filter(bot=OuterRef("pk"), ts__lte=midnight).order_by("-ts").values("equity")[:1]
    known = Bot.objects.filter(pk__in=list(ids)).order_by().annotate(begun=Subquery(points)).values_list("pk", "begun")
    return {pk: equity for pk, equity in known if equity is not None}


def group_rows(rows: Sequence[BotRow], begun: dict[int, Decimal], *, by_wallet: bool) -> list[Holdings]:
    groups: dict[tuple[str, str, str], list[BotRow]] = defaultdict(list)
    for row in rows:
        groups[row.bot.mode, row.currency, row.bot.wallet.name if by_wallet else ""].append(row)
    return [
        Holdings(
            mode=mode,
            currency=currency,
            wallet=found[0].bot.wallet if by_wallet else None,
            rows=found,
            since_midnight=sum((begun.get(row.bot.pk, row.start_cash) for row in found), Decimal(0)),
        )
        for (mode, currency, _), found in sorted(groups.items())
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
        "realised": money_text(one.realised_profit),
        "unrealised": money_text(one.unrealised_profit),
        "change_today": money_text(one.change_today),
        "change_ratio": one.change_ratio,
        "bots": len(one.rows),
        "unpriced": one.unpriced_symbols,
    }
