"""Positions at the newest prices. A missing or old price is marked as such, and never passes for a good one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from django.db.models import QuerySet

from core.text import decimal_text, utc_text
from market.prices import Price, prices_get
from trading.models import Position
from trading.selectors.filters import Filter, filter_rows
from trading.selectors.notation import ratio_of
from trading.selectors.protection import Protection, protections_of
from trading.selectors.status import feed_of

PRICE_DIGITS = 12
PRICE_STATES = ("live", "old", "missing")


@dataclass(frozen=True, slots=True)
class Valued:
    """A position with the newest price of its symbol. Money in quote."""

    position: Position
    price: Price | None
    protection: Protection | None = None
    """None where it was not asked for."""

    @property
    def state(self) -> str:
        """One of PRICE_STATES; `old` is a price that was heard over a minute ago."""
        if self.price is None:
            return "missing"
        return "old" if self.price.stale else "live"

    @property
    def average_price(self) -> Decimal | None:
        """What a unit has cost, fees included."""
        return self.position.cost / self.position.quantity if self.position.quantity else None

    @property
    def value(self) -> Decimal | None:
        return self.position.quantity * self.price.price if self.price else None

    @property
    def unrealised_profit(self) -> Decimal | None:
        """Profit if it could be sold at this price, before the fee of that sale."""
        return None if self.value is None else self.value - self.position.cost

    @property
    def unrealised_ratio(self) -> float | None:
        return None if self.unrealised_profit is None else ratio_of(self.unrealised_profit, self.position.cost)


def positions_open(wanted: Filter = Filter()) -> QuerySet[Position]:  # noqa: B008  (frozen)
    """What is held, by symbol and bot; one query, with bot and wallet. Dust is no position."""
    held = Position.objects.exclude(quantity=0).filter(dust=False)
    rows = held.select_related("bot__wallet", "bot__run").order_by("symbol", "bot__name")
    return filter_rows(rows, wanted, symbol="symbol", bot="bot__bot_id", mode="bot__mode")


def positions_valued(rows: Iterable[Position], *, protected: bool = False) -> list[Valued]:
    """At the newest prices: one question to the price store, however many there are; each with its bot loaded. `protected`: with
    what protects them, for one query more; each with its bot's run loaded."""
    positions = list(rows)
    pairs = {position.pk: (*feed_of(position.bot), position.symbol) for position in positions}
    prices = prices_get(pairs.values())
    known = protections_of(positions) if protected else {}
    return [Valued(position, prices.get(pairs[position.pk]), known.get(position.pk)) for position in positions]


def position_json(valued: Valued) -> dict[str, Any]:
    """A position with its value at the newest price; value and profit are None where the price is missing or old."""
    position, price = valued.position, valued.price
    return {
        "bot": position.bot.bot_id,
        "bot_name": position.bot.name,
        "mode": position.bot.mode,
        "wallet": position.bot.wallet.wallet_id,
        "venue": position.venue,
        "symbol": position.symbol,
        "qty": decimal_text(position.quantity),
        "cost": money_text(position.cost),
        "average_price": price_text(valued.average_price),
        "price": decimal_text(price.price) if price else None,
        "price_state": valued.state,
        "price_at": utc_text(price.time) if price else None,
        "value": money_text(valued.value),
        "unrealised": money_text(valued.unrealised_profit),
        "unrealised_ratio": valued.unrealised_ratio,
        "realised": money_text(position.realised),
        "fees": money_text(position.fees),
        "stop_at": valued.protection.at if valued.protection else None,
        "stop_price": decimal_text(valued.protection.price) if valued.protection else None,
        "exit_blocked": position.exit_blocked,
        "exit_blocked_at": utc_text(position.exit_blocked_at),
        "opened_at": utc_text(position.opened_at),
    }


def money_text(value: Decimal | None) -> str | None:
    """A computed sum, to the eight places that venues count money with."""
    return decimal_text(None if value is None else round(value, 8))


def price_text(value: Decimal | None) -> str | None:
    """A computed price, to as many digits as say something: what divides two amounts has no last one."""
    return decimal_text(None if value is None else value.normalize(Context(prec=PRICE_DIGITS)))
