"""What bots were worth at moments of a schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from trading.models import Bot, BotRun, EquityPoint, Position, PositionSnapshot

PLACES = Decimal("1e-18")


@transaction.atomic
def equity_record(rows: Sequence[tuple[Bot, BotRun, Decimal, Decimal]], prices: Mapping[str, Decimal], *, at: datetime) -> None:
    """One point for each of `rows` (bot, run, equity, cash), and a snapshot of each position that has a price. All in quote."""
    bots = [bot for bot, _, _, _ in rows]
    points = [EquityPoint(bot=bot, run_id=run.run_id, ts=at, equity=equity, cash=cash) for bot, run, equity, cash in rows]
    EquityPoint.objects.bulk_create(points, ignore_conflicts=True)
    held = Position.objects.filter(bot__in=bots, symbol__in=list(prices), dust=False).exclude(quantity=0)
    runs = {bot.pk: run.run_id for bot, run, _, _ in rows}
    snapshots = [position_snapshot(one, runs[one.bot_id], prices[one.symbol], at) for one in held]
    PositionSnapshot.objects.bulk_create(snapshots, ignore_conflicts=True)


def position_snapshot(position: Position, run_id: str, price: Decimal, at: datetime) -> PositionSnapshot:
    value = (position.quantity * price).quantize(PLACES)
    return PositionSnapshot(
        bot_id=position.bot_id,
        run_id=run_id,
        ts=at,
        symbol=position.symbol,
        quantity=position.quantity,
        average_entry=(position.cost / position.quantity).quantize(PLACES),
        price=price,
        value=value,
        unrealised=value - position.cost,
    )
