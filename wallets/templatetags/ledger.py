"""Amounts as the ledger has them."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.utils.html import format_html

from core.fields import EXACT
from market.templatetags.desk import write_number

register = template.Library()


@register.filter
def exact(amount: Decimal) -> str:
    """To the last digit, with thousands separators: books are compared, so nothing is rounded away."""
    return write_number(EXACT.normalize(amount), None)


@register.filter
def more_or_less(amount: Decimal) -> str:
    """As a change, to the last digit: +0.5, −15,000."""
    return format_html(
        '<span class="nums {}">{}{}</span>', "up" if amount > 0 else "down", "+" if amount > 0 else "", exact(amount)
    )
