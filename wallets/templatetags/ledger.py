"""Amounts as the ledger and chains have them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html

from core.fields import EXACT
from market.price_book import AssetPrice
from market.templatetags.desk import duration, quantity, write_number
from wallets.models import Drift

register = template.Library()


@register.filter
def exact(amount: Decimal) -> str:
    """To the last digit, with thousands separators: books are compared, so nothing is rounded away."""
    return write_number(EXACT.normalize(amount), None)


@register.filter
def at_key(found: Mapping[Any, Any], key: Any) -> Any:
    """None where it is not there."""
    return found.get(key)


@register.filter
def cause_words(cause: str) -> str:
    """Why a part of a drift is there, in words."""
    return Drift.Cause(cause).label


@register.filter
def more_or_less(amount: Decimal) -> str:
    """As a change, to the last digit: +0.5, −15,000."""
    return format_html(
        '<span class="nums {}">{}{}</span>', "up" if amount > 0 else "down", "+" if amount > 0 else "", exact(amount)
    )


@register.filter
def price_words(price: AssetPrice) -> str:
    """How a price is known: BTC-USDT 60,000 at binance, USDT-USD 0.999 at coinbase; 6 min old."""
    if price.price is None:
        return f"no price leads from {price.asset} to {price.currency}"
    steps = ", ".join(f"{one.symbol} {quantity(one.price)} at {one.venue}" for one in price.path)
    return f"{steps}; {duration(price.age)} old" if steps else "the currency itself"
