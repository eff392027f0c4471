"""What a bot has by its books: for a new run when the snapshot of the run before cannot be read."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Sum

from core.times import to_ms
from engine.live import HeldPosition
from trading.models import Bot, BotRun, Fill, Position
from trading.setup.config import parse_config


def books_sum(bot: Bot) -> tuple[float, dict[str, HeldPosition]]:
    """The bot's cash in quote, and its positions by symbol, by its fills in its present mode. It began with the cash of its first
    run in that mode."""
    first = BotRun.objects.filter(bot=bot, mode=bot.mode).order_by("id").first()
    assert first
    held = {
        one.symbol: HeldPosition(float(one.quantity), float(one.cost), to_ms(one.opened_at or one.updated_at))
        for one in Position.objects.filter(bot=bot, quantity__gt=0).order_by("symbol")
    }
    return float(sum(cash_movements(bot), parse_config(first.config).cash)), held


def cash_movements(bot: Bot) -> Iterator[Decimal]:
    """What the bot's fills changed in its cash, in quote. A fee in the base made its position smaller instead; one in a third
    asset, which its wallet paid, is charged to it at its worth."""
    groups = Fill.objects.filter(bot=bot, order__mode=bot.mode).order_by().values_list("symbol", "side", "fee_asset")
    for symbol, side, fee_asset, cost, fee in groups.annotate(cost_sum=Sum("cost"), fee_sum=Sum("fee")):
        yield cost if side == "sell" else -cost
        if fee_asset != symbol.split("-")[0]:
            yield -(fee or Decimal(0))
