"""What is true of a run's end: what the bot still holds, or has open, how much, what it is worth, and why."""

from __future__ import annotations

from collections.abc import Sequence

from core.events import News
from core.text import decimal_text
from engine.order_rules import is_dust
from market.dust import explain_dust
from market.models import Instrument
from market.size_rules import instrument_rules
from trading.models import OPEN, Bot, BotRun, Order, Position
from trading.selectors.remainders import Remainder, remainder_words
from trading.selectors.valuation import Valued, money_text, positions_valued

WHY = {
    "stopped": "Stop keeps what is held.",
    "closed": "Its own orders did not buy it in this run, so Close did not sell it: sell it at the venue.",
    "failed": "The run ended by a fault, which sells nothing.",
}


def list_remainders(bot: Bot, ended: str) -> list[Remainder]:
    """By the books, not by the engine's memory. `ended`: how the run ends."""
    held = list(Position.objects.filter(bot=bot).exclude(quantity=0).select_related("bot").order_by("symbol"))
    rules = {one.symbol: one for one in Instrument.objects.filter(venue=bot.venue, symbol__in=[one.symbol for one in held])}
    left: list[Remainder] = []
    for one in positions_valued(held):
        instrument = rules.get(one.position.symbol)
        note_dust(one, instrument)
        left.append(describe_remainder(one, WHY.get(ended, ""), instrument))
    if count := Order.objects.filter(bot=bot, status__in=OPEN).count():
        why = "They are to be cancelled; the venue has not said yet that they are."
        left.append({"what": "open_orders", "count": count, "why": why})
    return left


def note_dust(valued: Valued, instrument: Instrument | None) -> None:
    """At a venue, what has become dust since it was bought, by a fall of its price, is so from now on."""
    position, price = valued.position, valued.price.price if valued.price else 0
    if position.dust or instrument is None or not position.bot.external:
        return
    if is_dust(instrument_rules(instrument), float(position.quantity), float(price)):
        position.dust = True
        position.save(update_fields=["dust"])


def describe_remainder(valued: Valued, why: str, rules: Instrument | None) -> Remainder:
    position = valued.position
    return {
        "what": "dust" if position.dust else "position",
        "symbol": position.symbol,
        "qty": decimal_text(position.quantity),
        "value": money_text(valued.value),
        "currency": position.symbol.partition("-")[2],
        "why": explain_dust(rules) if position.dust and rules else why,
    }


def end_news(run: BotRun, why: str, error: str, left: Sequence[Remainder]) -> list[News]:
    """What is told of a run's end; an alert where a person has to look."""
    detail = remainder_words(left)[:400]
    payload = {"name": run.bot.name, "change": why, "by": "the desk", "mode": run.mode, "error": error[:400]}
    news = [News("bot_status", "run", payload | {"left": list(left), "detail": detail})]
    if why in ("failed", "partly_closed"):
        cause = " ".join(part for part in (error[:300], detail) if part)
        news.append(News("alert", "run", {"message": f"{run.bot.name} stopped: {cause}", "bot": run.bot.bot_id}))
    return news
