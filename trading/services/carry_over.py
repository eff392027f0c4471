"""What a bot has by its books: for a new run whose predecessor's memory cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Sum

from core.times import to_ms
from engine.live import HeldPosition
from trading.models import Bot, BotRun, Fill, Position
from trading.setup.config import parse_config


def books_sum(bot: Bot) -> tuple[float, dict[str, HeldPosition]]:
    """(cash in quote, what is held by symbol), by its fills in its present mode: it began with the cash of its first run there."""
    first = BotRun.objects.filter(bot=bot, mode=bot.mode).order_by("id").first()
    assert first
    held = {
        one.symbol: HeldPosition(float(one.quantity), float(one.cost), to_ms(one.opened_at or one.updated_at))
        for one in Position.objects.filter(bot=bot, quantity__gt=0).order_by("symbol")
    }
    return float(sum(cash_movements(bot), parse_config(first.config).cash)), held


def cash_movements(bot: Bot) -> Iterator[Decimal]:
    """What its fills did to its cash. A fee that was taken in another asset did nothing to it."""
    groups = Fill.objects.filter(bot=bot, order__mode=bot.mode).order_by().values_list("symbol", "side", "fee_asset")
    for symbol, side, fee_asset, cost, fee in groups.annotate(cost_sum=Sum("cost"), fee_sum=Sum("fee")):
        yield cost if side == "sell" else -cost
        if fee_asset == symbol.split("-")[1]:
            yield -fee
