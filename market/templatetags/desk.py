"""How the desk writes numbers, times and states. Used by every app's templates."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from itertools import count
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()
# A page may define one term twice; ids must not repeat on it.
definition_ids = count(1)

MISSING = format_html(
    '<span class="missing" title="{}">—<span class="visually-hidden"> {}</span></span>', "not available", "not available"
)
UP, DOWN = "▲", "▼"
SPANS = (
    ("min", 60, 3600),
    ("h", 3600, 86400),
    ("d", 86400, 86400 * 30),
    ("mo", 86400 * 30.44, 86400 * 365),
    ("y", 86400 * 365.25, math.inf),
)
STATUS_KINDS = {
    "queued": "",
    "running": "info",
    "completed": "ok",
    "whole": "ok",
    "failed": "bad",
    "refused": "bad",
    "cancelled": "warn",
    "up": "ok",
    "down": "bad",
    "unknown": "warn",
    "starting": "info",
    "clean": "ok",
    "drift": "warn",
    "partial": "warn",
}


def read_decimal(value: Any) -> Decimal | None:
    """`value` as an exact number; None if it is none (None, "", NaN, infinite, text)."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    try:
        number = Decimal(repr(float(value))) if isinstance(value, float) or hasattr(value, "dtype") else Decimal(str(value))
    except (InvalidOperation, ValueError, TypeError):
        return None
    return number if number.is_finite() else None


def write_number(number: Decimal, places: int | None) -> str:
    """With thousands separators, a true minus sign, and `places` decimals (None: as many as it has)."""
    if places is not None:
        number = number.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    elif number == number.to_integral_value():
        number = number.quantize(Decimal(1))
    text = f"{abs(number):,f}"
    return f"−{text}" if number < 0 and any(digit in "123456789" for digit in text) else text


@register.filter
def number(value: Any, places: int | None = 0) -> str:
    """A count or a plain number: 45,031."""
    found = read_decimal(value)
    return MISSING if found is None else write_number(found, places)


@register.filter
def quantity(value: Any, places: int | None = None) -> str:
    """A quantity or price at its own precision, or at `places`."""
    found = read_decimal(value)
    if found is not None and places is None:
        # A float's digits beyond its precision are rounding noise.
        found = found.normalize(Context(prec=15))
    return MISSING if found is None else write_number(found, places)


@register.filter
def money(value: Any, currency: str = "") -> str:
    """Money with its currency, two decimals; small amounts keep four significant digits."""
    found = read_decimal(value)
    if found is None:
        return MISSING
    places = 2 if not found or abs(found) >= Decimal("0.1") else min(8, 3 - found.adjusted())
    return f"{write_number(found, places)} {currency}".rstrip()


@register.filter
def percent(value: Any, places: int = 2) -> str:
    """A ratio as a percentage: 0.0512 is 5.12 %."""
    found = read_decimal(value)
    return MISSING if found is None else f"{write_number(found * 100, places)} %"


@register.filter
def share(part: Any, whole: Any) -> str:
    """How much of `whole` is `part`, as a percentage without decimals."""
    of, found = read_decimal(whole), read_decimal(part)
    return percent(found / of, 0) if of and found is not None else MISSING


@register.filter
def share_of(missing: Any, there: Any) -> str:
    """What is missing, as a percentage of all that should be there."""
    lost, kept = read_decimal(missing), read_decimal(there)
    return MISSING if lost is None or kept is None or not lost + kept else percent(lost / (lost + kept))


@register.filter
def change(value: Any, places: int = 2) -> str:
    """A ratio as a change: sign, arrow and colour: ▲ +5.12 %."""
    found = read_decimal(value)
    return MISSING if found is None else colour_sign(found, f"{write_number(abs(found) * 100, places)} %")


@register.filter
def money_change(value: Any, currency: str = "") -> str:
    """Money as a change: sign, arrow and colour: ▼ −12.00 USD."""
    found = read_decimal(value)
    return MISSING if found is None else colour_sign(found, money(abs(found), currency))


def colour_sign(number: Decimal, text: str) -> SafeString:
    if not any(digit in "123456789" for digit in text):
        return format_html('<span class="nums">{}</span>', text)
    kind, arrow, sign = ("up", UP, "+") if number > 0 else ("down", DOWN, "−")
    return format_html('<span class="nums {}"><span aria-hidden="true">{}</span> {}{}</span>', kind, arrow, sign, text)


@register.filter
def size(value: Any) -> str:
    """Bytes in the unit that reads best."""
    found = read_decimal(value)
    if found is None:
        return MISSING
    power = min(4, int(math.log(max(1, int(found)), 1000)))
    return f"{write_number(found / 1000**power, 1 if power else 0)} {('B', 'kB', 'MB', 'GB', 'TB')[power]}"


@register.filter
def duration(value: Any) -> str:
    """Seconds or a timedelta in its two greatest units: 2 d 4 h, 1.24 s, 38 ms."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else read_decimal(value)
    if seconds is None:
        return MISSING
    left = float(seconds)
    if left < 60:
        return f"{left * 1000:.0f} ms" if left < 1 else f"{left:.2f} s" if left < 10 else f"{left:.0f} s"
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        units, left = divmod(left, length)
        if units:
            parts.append(f"{units:,.0f} {unit}")
    return " ".join(parts[:2])


@register.filter
def ago(value: datetime | None) -> str:
    """A moment relative to now, with the exact UTC time on hover. The page's script keeps it true while the page is open."""
    if value is None:
        return MISSING
    moment = value.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}" data-relative>{}</time>',
        moment.isoformat(timespec="seconds"),
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        relative_words(datetime.now(UTC) - moment),
    )


def relative_words(passed: timedelta) -> str:
    """In the words of static/js/desk/times.js, which takes over once the page is open."""
    seconds = abs(passed.total_seconds())
    if seconds < 45:
        return "just now"
    unit, length = next((unit, length) for unit, length, limit in SPANS if seconds < limit)
    units = max(1, round(seconds / length))
    return f"{units} {unit} ago" if passed.total_seconds() > 0 else f"in {units} {unit}"


@register.filter
def utc(value: datetime | None, precision: str = "minute") -> str:
    """A moment in UTC, as exact as `precision`: day, minute or second."""
    if value is None:
        return MISSING
    moment = value.astimezone(UTC)
    text = moment.strftime({"day": "%Y-%m-%d", "second": "%Y-%m-%d %H:%M:%S"}.get(precision, "%Y-%m-%d %H:%M"))
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S} UTC", text)


@register.simple_tag
def icon(name: str) -> SafeString:
    """A line icon from static/img/icons.svg; decoration only, the words stand beside it."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("img/icons.svg"), name)


@register.inclusion_tag("components/define.html")
def define(label: str, definition: str) -> dict[str, str]:
    """A term with its definition on hover, focus and touch."""
    return {"label": label, "definition": definition, "id": f"define-{next(definition_ids)}"}


@register.inclusion_tag("components/status.html")
def status(value: str, label: str = "") -> dict[str, Any]:
    """A pill for the status of a run, an import, a service."""
    return {"kind": STATUS_KINDS.get(value, ""), "label": label or value.replace("_", " "), "busy": value == "running"}
