"""How pages write bots, orders, modes and what was refused."""

from __future__ import annotations

from datetime import datetime
from decimal import Context, Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from engine.risk import REASONS
from engine.strategies import registry
from market.templatetags import desk
from trading.models import Mode, Order
from trading.parts import CHANGED_BY
from trading.portfolio.returns import Rate
from trading.selectors.protection import Protection
from trading.selectors.remainders import Remainder, remainder_words
from trading.selectors.status import BotStatus

register = template.Library()

BOT_KINDS = {
    "running": "ok",
    "starting": "info",
    "stopping": "info",
    "closing": "info",
    "paused": "warn",
    "holding": "warn",
    "lost": "bad",
    "failed": "bad",
}
ORDER_KINDS = {
    "submitted": "warn",
    "accepted": "info",
    "partially_filled": "info",
    "filled": "ok",
    "rejected": "bad",
    "claimed": "info",
    "used": "ok",
}
STREAM_KINDS = {"live": "ok", "connecting": "info", "polling": "warn", "stale": "bad"}
BOT_MEANINGS = {
    "stopped": "It does nothing.",
    "starting": "It waits for its first decision.",
    "running": "It decides at each closed candle.",
    "paused": "No entries; exits go on.",
    "holding": "It runs and sends no order at present.",
    "lost": "It should have decided by now and has not.",
    "failed": "It ended by a fault.",
}
MODE_MEANINGS = {
    Mode.LIVE: "Real money at a real venue.",
    Mode.TESTNET: "Real orders at a venue’s test or sandbox market.",
    Mode.PAPER: "Real prices, made-up money.",
    Mode.REPLAY: "Recorded candles, made-up money.",
}


@register.simple_tag
def changed_by(part: str) -> str:
    """The messages that change a part of a page, for its script."""
    return CHANGED_BY[part]


@register.simple_tag
def mode_pill(mode: str) -> SafeString:
    """REPLAY, PAPER, TESTNET or LIVE; live cannot be mistaken for another."""
    return format_html('<span class="mode {}" title="{}">{}</span>', mode, MODE_MEANINGS.get(Mode(mode), ""), mode.upper())


@register.simple_tag
def bot_pill(status: BotStatus) -> SafeString:
    kind, why = BOT_KINDS.get(status.word, ""), status.why or BOT_MEANINGS.get(status.word, "")
    return format_html('<span class="pill {}" title="{}">{}</span>', kind, why, status.word)


@register.simple_tag
def order_pill(status: str) -> SafeString:
    """A status of an order or of its claim; one that was sent and not answered is called unknown."""
    label = "unknown" if status == "submitted" else status.replace("_", " ")
    return format_html('<span class="pill {}">{}</span>', ORDER_KINDS.get(status, ""), label)


@register.simple_tag
def stream_pill(state: str) -> SafeString:
    return format_html('<span class="pill {}">{}</span>', STREAM_KINDS.get(state, ""), state)


@register.filter
def side_words(side: str) -> SafeString:
    """Buy or sell, marked by a shape besides the colour."""
    return format_html('<span class="side {}">{}</span>', side, side)


@register.filter
def block_meaning(reason: str) -> str:
    return REASONS.get(reason, "")


@register.filter
def left_words(left: list[Remainder]) -> str:
    """What was still held, or open, when a run ended."""
    return remainder_words(left)


@register.filter
def at_price(order: Order) -> str:
    """What price an order asks for."""
    return ", ".join(prices_asked(order))


@register.filter
def prices_asked(order: Order) -> list[str]:
    named = (("limit", order.limit), ("stop", order.stop))
    return [f"{word} {desk.quantity(value)}" for word, value in named if value is not None] or ["market"]


@register.filter
def protection_words(protection: Protection) -> SafeString:
    """Where the stop of a position is in force; see `Protection`."""
    words = {"venue": "at the venue", "partly": "in part at the venue", "here": "watched here", "none": "none"}[protection.at]
    if protection.price is None:
        return format_html('<span class="muted">{}</span>', words)
    return format_html('<span class="nums">{}</span><div class="small muted">{}</div>', desk.quantity(protection.price), words)


@register.filter
def used_share(part: Decimal | None, whole: Decimal | None) -> int:
    """Percent of a budget, at most 100, for a bar."""
    return min(100, int(100 * part / whole)) if part and whole else 0


@register.filter
def quote_of(symbol: str) -> str:
    return symbol.partition("-")[2]


@register.filter
def step_time(seconds: float | None) -> str:
    """The time between two steps of a decision."""
    return "" if seconds is None else "at once" if abs(seconds) < 0.0005 else desk.duration(max(0.0, seconds))


@register.filter
def clock_time(moment: datetime | None) -> str:
    """A time of today's rows: to the second, with the day on hover."""
    if moment is None:
        return desk.MISSING
    return format_html('<time datetime="{}" title="{} UTC">{}</time>', moment.isoformat(), desk_day(moment), f"{moment:%H:%M:%S}")


def desk_day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


@register.filter(name="lasted")
def span_words(end: datetime, begin: datetime) -> str:
    return desk.duration(end - begin)


@register.filter
def strategy_name(name: str) -> str:
    """Its title, or its name where it is not installed any more."""
    kind = registry.find_strategies().strategies.get(name)
    return kind.title if kind else name


@register.filter
def shown_value(value: Any) -> str:
    """A setting as a person writes it."""
    if value is None or value == "":
        return "none"
    return ("no", "yes")[value] if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


@register.filter
def short_change(value: Decimal) -> str:
    """A change in few characters, without its currency: +1.2k, −35, +0.004."""
    size, unit = abs(value), ""
    for thousands, name in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if size >= thousands:
            size, unit = size / thousands, name
            break
    sign = "+" if value > 0 else "−" if value < 0 else ""
    return f"{sign}{desk.write_number(size.normalize(Context(prec=2 if size < 100 else 3)), None)}{unit}"


@register.filter
def bar_width(share: float | None) -> str:
    """Of a bar that is 100 wide."""
    return f"{100 * min(1.0, max(0.0, share or 0.0)):.2f}"


@register.filter
def rate_note(rate: Rate) -> str:
    """What is to be said beside a return: why it is no number, or what it is in a year."""
    if rate.why:
        return rate.why
    return "" if rate.yearly is None else f"{desk.percent(rate.yearly)} a year"
