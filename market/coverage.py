"""How complete a series is, month by month. Only its gaps are read, and no candles."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import F, Sum
from django.db.models.functions import TruncMonth

from core.times import to_ms
from engine.grid import close_moment, count_opens
from market.models import CandleGap, CandleSeries


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month (UTC) of a series: how many candles should be there, and how many are."""

    start: datetime
    expected: int
    count: int

    @property
    def share(self) -> float:
        return self.count / self.expected if self.expected else 1.0


def months_by_series(series: Sequence[CandleSeries]) -> dict[int, list[Month]]:
    """The months of each series by its id, in two queries however many series there are."""
    missing = missing_by_month(series)
    return {item.pk: series_months(item, missing) for item in series}


def missing_by_month(series: Sequence[CandleSeries]) -> dict[tuple[int, datetime], int]:
    gaps = CandleGap.objects.filter(series__in=series).annotate(month=TruncMonth("first", tzinfo=UTC))
    inside = gaps.alias(end=TruncMonth("last", tzinfo=UTC)).filter(end=F("month"))
    found: dict[tuple[int, datetime], int] = defaultdict(int)
    for pk, month, count in inside.order_by().values_list("series_id", "month").annotate(Sum("missing")):
        found[pk, month] += count
    across = gaps.alias(end=TruncMonth("last", tzinfo=UTC)).exclude(end=F("month")).select_related("series")
    for gap in across:
        interval = gap.series.interval
        for start, end in split_by_month(gap.first, close_moment(interval, gap.last)):
            found[gap.series_id, month_of(start)] += count_opens(interval, to_ms(start), to_ms(end))
    return found


def series_months(series: CandleSeries, missing: dict[tuple[int, datetime], int]) -> list[Month]:
    parts = split_by_month(series.first, close_moment(series.interval, series.last))
    found = [(month_of(start), count_opens(series.interval, to_ms(start), to_ms(end))) for start, end in parts]
    return [Month(month, expected, max(0, expected - missing.get((series.pk, month), 0))) for month, expected in found]


def split_by_month(start: datetime, end: datetime) -> Iterable[tuple[datetime, datetime]]:
    """[start, end), cut where the months change."""
    while start < end:
        turn = month_of(month_of(start) + timedelta(days=32))
        yield start, min(turn, end)
        start = turn


def month_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
