"""Amounts as the ledger has them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html

from core.fields import EXACT
from market.templatetags.desk import write_number
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
