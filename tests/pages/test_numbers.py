"""How the desk writes numbers and times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from market.templatetags import desk


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (desk.number(45031), "45,031"),
        (desk.number(-1234.5, 1), "−1,234.5"),
        (desk.number(-0.001, 2), "0.00"),
        (desk.number(Decimal("1E+3")), "1,000"),
        (desk.quantity(Decimal("0.010500000000000000")), "0.0105"),
        (desk.quantity(0.10441057000000001), "0.10441057"),
        (desk.quantity(np.float64(2.5)), "2.5"),
        (desk.money(Decimal("8400.8737"), "USD"), "8,400.87 USD"),
        (desk.money("0.00012345", "BTC"), "0.0001235 BTC"),
        (desk.money(0, "USD"), "0.00 USD"),
        (desk.percent(0.0512), "5.12 %"),
        (desk.percent(1.005, 1), "100.5 %"),
        (desk.size(0), "0 B"),
        (desk.size(524_500), "524.5 kB"),
        (desk.duration(0.038), "38 ms"),
        (desk.duration(3725), "1 h 2 min"),
        (desk.duration(timedelta(days=2, hours=4, minutes=9)), "2 d 4 h"),
        (desk.relative_words(timedelta(minutes=3)), "3 min ago"),
        (desk.relative_words(timedelta(hours=-5)), "in 5 h"),
        (desk.share(1, 4), "25 %"),
        (desk.share_of(1, 3), "25.00 %"),
    ],
)
def test_a_number_reads(shown: str, expected: str) -> None:
    assert shown == expected


def test_a_change_has_sign_and_arrow_besides_its_colour() -> None:
    assert "▲" in desk.change(0.05)
    assert "+5.00 %" in desk.change(0.05)
    assert "▼" in desk.money_change(-12, "USD")
    assert "−12.00 USD" in desk.money_change(-12, "USD")
    assert desk.change(0.00001) == '<span class="nums">0.00 %</span>'


@pytest.mark.parametrize("value", [None, "", float("nan"), float("inf"), "text", Decimal("NaN"), True])
def test_what_is_missing_is_a_dash_that_says_so_and_no_zero(value: Any) -> None:
    for shown in (desk.number, desk.quantity, desk.money, desk.percent, desk.change, desk.money_change, desk.size):
        assert "not available" in shown(value)
    assert "not available" in desk.ago(None)


def test_a_moment_carries_its_exact_time() -> None:
    moment = datetime(2022, 1, 31, 5, 30, 7, tzinfo=UTC)
    assert 'datetime="2022-01-31T05:30:07+00:00" title="2022-01-31 05:30:07 UTC" data-relative' in desk.ago(moment)
    assert ">2022-01-31 05:30<" in desk.utc(moment)


def test_names_from_outside_are_escaped() -> None:
    assert "<script>" not in desk.money_change(1, "<script>")
