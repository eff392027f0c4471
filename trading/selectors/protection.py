"""What protects a position: its stop at the venue, the desk that watches it, or nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from trading.models import Bot, Order, OrderStatus, Position

STANDING = (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED)
NEARLY = Decimal("0.99")
"""Share of a position that counts as all of it: a rest below the lot size or the venue's minimum cannot be sold by a stop."""


@dataclass(frozen=True, slots=True)
class Protection:
    """`at`: `venue` (nearly all of it), `partly` (some of it there, the rest watched here), `here`, or `none`."""

    at: str
    price: Decimal | None = None
    """The highest stop that stands at the venue."""


def protections_of(positions: Iterable[Position]) -> dict[int, Protection]:
    """By the position's primary key; one query. Positions come with their bots' runs."""
    rows = list(positions)
    stops: dict[tuple[int, str], list[Order]] = defaultdict(list)
    found = Order.objects.filter(
        bot__in={row.bot_id for row in rows}, type="stop_limit", side="sell", status__in=STANDING, cancel_requested=False
    )
    for order in found.only("bot", "symbol", "stop", "quantity", "filled_quantity"):
        stops[order.bot_id, order.symbol].append(order)
    return {row.pk: protection_of(row, stops[row.bot_id, row.symbol]) for row in rows}


def protection_of(position: Position, stops: Iterable[Order]) -> Protection:
    there = list(stops)
    covered = sum((one.quantity - one.filled_quantity for one in there), Decimal(0))
    if covered:
        price = max(one.stop for one in there if one.stop is not None)
        return Protection("venue" if covered >= position.quantity * NEARLY else "partly", price)
    return Protection("here" if has_stop(position.bot) else "none")


def has_stop(bot: Bot) -> bool:
    """Whether a run goes on that sells at a stop."""
    if bot.run is None or bot.run.ended_at is not None:
        return False
    exits = bot.run.config.get("exits", {})
    return any(float(exits.get(name) or 0) > 0 for name in ("stop_loss", "trailing_stop"))
