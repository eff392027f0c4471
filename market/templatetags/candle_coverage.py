"""The coverage of a series, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django import template

from engine.grid import close_moment
from market.coverage import Month
from market.models import CandleGap

register = template.Library()

BAR_HEIGHT, MONTH_HEIGHT = 16, 40
WIDEST = 160


@register.simple_tag
def coverage_bar(months: Sequence[Month]) -> dict[str, Any]:
    """The months as rectangles side by side, each as high as its share, and the same in words."""
    width = max(2.0, min(12.0, WIDEST / max(1, len(months))))
    gap = 1 if width >= 4 else 0
    parts = [
        {"x": f"{index * width:g}", "width": f"{width - gap:g}", **month_column(month, BAR_HEIGHT)}
        for index, month in enumerate(months)
    ]
    return {"width": f"{max(1, len(months)) * width:g}", "parts": parts, "words": describe_months(months)}


@register.simple_tag
def coverage_month(month: Month) -> dict[str, Any]:
    text = f"{month.start:%B %Y}: {month.count:,} of {month.expected:,} candles, {month_percent(month)}"
    label = f"{month.start:%Y}" if month.start.month == 1 else f"{month.start:%b}"
    return {"words": text, "label": label, "seconds": int(month.start.timestamp()), **month_column(month, MONTH_HEIGHT)}


@register.filter
def gap_length(gap: CandleGap) -> timedelta:
    """From the first missing open to the last missing close."""
    return close_moment(gap.series.interval, gap.last) - gap.first


def month_column(month: Month, height: int) -> dict[str, str]:
    # A month with any candles shows at least a sliver, and one with a gap never looks full.
    tall = height if month.share == 1 else min(height - 2, max(2 if month.count else 0, round(height * month.share)))
    kind = "whole" if month.share == 1 else "part" if month.share >= 0.95 else "poor"
    return {"y": str(height - tall), "height": str(tall), "kind": kind}


def describe_months(months: Sequence[Month]) -> str:
    if not months:
        return "No month"
    count, expected = sum(month.count for month in months), sum(month.expected for month in months)
    worst = min(months, key=lambda month: month.share)
    told = f"{len(months)} month{'' if len(months) == 1 else 's'}, {100 * count / max(1, expected):.2f} % there"
    return told if worst.share == 1 else f"{told}; least in {worst.start:%Y-%m} with {month_percent(worst)}"


def month_percent(month: Month) -> str:
    return f"{100 * month.share:.2f} %"
