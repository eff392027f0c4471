"""The history of the money and its returns, from what the desk has kept of its worth."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.trading.live.fixtures import Rows, rows
from trading.portfolio.history import read_history
from trading.portfolio.periods import Period
from wallets.models import ValueSnapshot, Wallet

pytestmark = [pytest.mark.django_db, pytest.mark.services]

__all__ = ["rows"]

START = datetime(2026, 3, 1, tzinfo=UTC)
MARCH = Period("custom", START.date(), datetime(2026, 3, 31, tzinfo=UTC).date())


def remember(wallet: Wallet, *values: tuple[float, float], every: timedelta = timedelta(days=1), currency: str = "USD") -> None:
    """(value, what was paid in since the beginning) at each step."""
    ValueSnapshot.objects.bulk_create(
        ValueSnapshot(
            wallet=wallet, currency=currency, ts=START + every * number, value=Decimal(str(value)), paid_in=Decimal(str(paid_in))
        )
        for number, (value, paid_in) in enumerate(values)
    )


def test_returns_leave_out_what_was_paid_in_before_and_during_the_period(rows: Rows) -> None:
    wallet = rows.wallet()
    remember(wallet, (100, 80), (110, 80), (1110, 1080), (999, 1080), (499, 580))
    found = read_history("paper", MARCH, [wallet])
    assert found.time_weighted.value == pytest.approx(1.1 * 0.9 - 1)
    assert found.drawdown is not None
    assert found.drawdown.depth == pytest.approx(-0.1)
    assert [int(one) for one in (found.paid_in, found.paid_out, found.gained)] == [500, -500, -101]
    assert [(float(one.step.value), float(one.flow)) for one in found.points] == [
        (100, 0),
        (110, 0),
        (1110, 1000),
        (999, 0),
        (499, -500),
    ]
    assert [one.growth for one in found.points] == pytest.approx([1, 1.1, 1.1, 0.99, 0.99])
    assert found.money_weighted.value is not None
    assert found.money_weighted.value < 0 < found.points[2].growth


def test_the_money_of_all_wallets_counts_together_and_of_no_other(rows: Rows) -> None:
    wallets = [rows.wallet(), rows.wallet()]
    for one in (*wallets, rows.wallet()):
        remember(one, (100, 100), (120, 100))
    remember(wallets[0], (7, 7), (7, 7), currency="EUR")
    found = read_history("paper", MARCH, wallets)
    assert [int(one.step.value) for one in found.points] == [200, 240]
    assert found.gained == 40


def test_a_long_period_is_told_by_days_and_a_short_one_by_hours(rows: Rows) -> None:
    wallet = rows.wallet()
    remember(wallet, *[(100 + number, 100) for number in range(50)], every=timedelta(hours=1))
    assert [one.step.at.hour for one in read_history("paper", MARCH, [wallet]).points] == [0, 0, 0, 1]
    week = Period("custom", MARCH.first, datetime(2026, 3, 7, tzinfo=UTC).date())
    assert len(read_history("paper", week, [wallet]).points) == 50
    assert len(read_history("paper", week, [wallet], points=20).points) == 20


def test_a_desk_without_a_history_has_no_returns(rows: Rows) -> None:
    found = read_history("paper", MARCH, [rows.wallet()])
    assert (len(found.points), found.time_weighted.value, found.drawdown, int(found.gained)) == (0, None, None, 0)
    assert found.time_weighted.why == "There was no money in this span."
