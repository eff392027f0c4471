"""Paging by key: every row once, whatever the page size, and at the same cost on every page."""

from __future__ import annotations

import pytest

from core.errors import Invalid
from core.paging import read_page
from market.models import CandleGap, CandleImport, CandleSeries
from tests.market.files import candles, csv, picked, take

pytestmark = pytest.mark.django_db


def series_with_gaps(count: int) -> CandleSeries:
    done = take(csv(picked(candles(count * 3 + 1), [index % 3 != 1 for index in range(count * 3 + 1)])))
    assert done.series is not None
    return done.series


@pytest.mark.parametrize(("key", "limit"), [("first", 7), ("-first", 10), ("id", 1), ("-id", 100), ("first", 20)])
def test_pages_join_to_the_whole_list(key: str, limit: int) -> None:
    series_with_gaps(20)
    seen: list[CandleGap] = []
    cursor = None
    while True:
        rows, cursor = read_page(CandleGap.objects.all(), key=key, cursor=cursor, limit=limit)
        assert len(rows) <= limit
        seen += rows
        if cursor is None:
            break
    assert seen == list(CandleGap.objects.order_by(key))
    assert len(seen) == 20


@pytest.mark.parametrize("cursor", ["x", "1; drop table", "9" * 40, "\0", "٣", " 5", "+5", "-5"])
def test_a_made_up_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_page(CandleImport.objects.all(), cursor=cursor)
    assert "cursor" in caught.value.fields


@pytest.mark.parametrize("limit", [0, -1, 1001])
def test_a_limit_out_of_range_is_refused(limit: int) -> None:
    with pytest.raises(Invalid) as caught:
        read_page(CandleImport.objects.all(), limit=limit)
    assert "limit" in caught.value.fields
