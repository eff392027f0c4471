"""The history of value: back-filled from ledger and candles, taken on the hour, and made anew where something is booked late."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.broker import forget_keys
from tests.wallets.making import fill
from tests.wallets.prices import hear, store_closes
from wallets import services
from wallets.ledger import Account, Booking, booking_write, transfer_legs
from wallets.models import ChainHolding, ChainToken, LedgerTransaction, ValueSnapshot, Wallet, WalletBalance
from wallets.selectors import wallets_list
from wallets.valuation import ValueStep, values_between
from wallets.valuation.steps import list_steps

pytestmark = pytest.mark.django_db
Kind = LedgerTransaction.Kind
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NOW = timezone.now().replace(minute=4, second=0, microsecond=0) + HOUR
"""A little after the hour, and after all that a test books."""
MIDNIGHT = NOW.replace(hour=0, minute=0)


@pytest.fixture(autouse=True)
def own_prices(settings: Any, tmp_path: Path) -> Iterator[None]:
    settings.MEDIA_ROOT = tmp_path / "media"
    forget_keys("prices:*")
    yield
    forget_keys("prices:*")


def empty(name: str = "mine", quote: str = "USD") -> Wallet:
    return services.wallet_create(name=name, kind="paper", quote=quote, venue="binance")


def pay(wallet: Wallet, amount: str | int, ts: datetime, asset: str = "USD") -> None:
    """In, or out below zero."""
    legs = transfer_legs(asset, Decimal(amount), Account.CAPITAL)
    assert booking_write(wallet.pk, Booking(Kind.DEPOSIT, secrets.token_hex(8), ts, legs))


def told(*wallets: Wallet, currency: str = "USD") -> dict[datetime, ValueStep]:
    return {step.at: step for step in values_between(wallets, currency)}


def test_steps_are_midnights_and_the_hours_of_the_last_week() -> None:
    now = datetime(2026, 3, 20, 10, 30, tzinfo=UTC)
    steps = list_steps(datetime(2026, 3, 10, 22, 15, tzinfo=UTC), now)
    assert steps[:3] == [datetime(2026, 3, day, tzinfo=UTC) for day in (11, 12, 13)]
    assert steps[3:5] == [datetime(2026, 3, 13, 11, tzinfo=UTC), datetime(2026, 3, 13, 12, tzinfo=UTC)]
    assert steps[-1] == datetime(2026, 3, 20, 10, tzinfo=UTC)
    assert list_steps(now, now) == []
    assert list_steps(datetime(2026, 3, 20, tzinfo=UTC), datetime(2026, 3, 20, tzinfo=UTC)) == [datetime(2026, 3, 20, tzinfo=UTC)]


def test_a_history_is_filled_in_from_the_ledger_and_stored_candles() -> None:
    wallet = empty()
    pay(wallet, 100, MIDNIGHT - 10 * DAY - HOUR)
    fill(
        wallet,
        1,
        base="XYZ",
        quote="USD",
        quantity=Decimal(2),
        price=Decimal(10),
        fee=Decimal(1),
        fee_asset="USD",
        ts=MIDNIGHT - 9 * DAY + HOUR,
    )
    pay(wallet, -30, MIDNIGHT - 2 * DAY)
    store_closes("XYZ-USD", [10.0 + day for day in range(12)], start=MIDNIGHT - 10 * DAY, interval="1d")
    written = services.values_ensure(NOW)
    found = told(wallet)
    assert len(found) == written == len(list_steps(MIDNIGHT - 10 * DAY, NOW))
    days = [found[MIDNIGHT - back * DAY] for back in (10, 9, 8, 3, 2, 1)]
    assert [(int(one.value), int(one.paid_in)) for one in days] == [
        (100, 100),
        (100, 100),
        (101, 100),
        (111, 100),
        (83, 70),
        (85, 70),
    ]
    assert [int(step.flow) for step in found.values() if step.flow] == [-30], "what was there at the first step is no flow"
    assert services.values_ensure(NOW) == 0


def test_the_newest_step_is_at_the_price_of_now_and_what_has_none_is_named() -> None:
    wallet = empty()
    pay(wallet, 2, NOW - 3 * HOUR, "XYZ")
    pay(wallet, 5, NOW - 2 * HOUR, "USD")
    hear("XYZ-USD", "7")
    services.values_ensure(NOW)
    *before, last = told(wallet).values()
    assert (int(last.value), int(last.paid_in), last.unpriced) == (19, 19, ()), "a price that becomes known is no gain"
    assert [(int(one.value), one.unpriced) for one in before] == [(0, ("XYZ",)), (5, ("XYZ",))]
    row = ValueSnapshot.objects.filter(wallet=wallet).latest("ts")
    assert row.parts == {"XYZ": ["2", "7"], "USD": ["5", "1"]}


def test_what_is_booked_late_counts_from_when_it_happened_at_the_prices_that_were_known_then() -> None:
    wallet = empty()
    pay(wallet, 2, NOW - 1.5 * HOUR, "XYZ")
    hear("XYZ-USD", "7")
    services.values_ensure(NOW)
    forget_keys("prices:*")
    pay(wallet, 1, NOW - 1.2 * HOUR, "XYZ")
    pay(wallet, 50, NOW - 30 * HOUR)
    services.values_ensure(NOW + timedelta(minutes=5))
    found = list(told(wallet).values())
    assert (int(found[-1].value), int(found[-1].paid_in)) == (71, 71)
    assert (int(found[0].value), found[0].at) == (50, NOW.replace(minute=0) - 29 * HOUR)


def test_wallets_together_and_a_step_that_one_of_them_lacks() -> None:
    one, other = empty("one"), empty("other")
    pay(one, 10, NOW - 5 * HOUR)
    pay(other, 5, NOW - 3 * HOUR)
    services.values_ensure(NOW)
    values = [int(step.value) for step in told(one, other).values()]
    assert values == [10, 10, 15, 15, 15]
    assert [int(step.flow) for step in told(one, other).values()] == [0, 0, 5, 0, 0]
    other.values.order_by("ts")[1:2].get().delete()
    assert [int(step.value) for step in told(one, other).values()] == [10, 10, 15, 15]


def test_another_currency_has_a_history_of_its_own() -> None:
    wallet = empty()
    pay(wallet, 10, NOW - 2 * HOUR)
    store_closes("EUR-USD", [2.0] * 60, start=NOW - 50 * HOUR)
    services.values_ensure(NOW)
    services.reporting_currency_set(currency="EUR")
    services.values_ensure(NOW)
    assert {int(step.value) for step in told(wallet).values()} == {10}
    assert {int(step.value) for step in told(wallet, currency="EUR").values()} == {5}


def test_old_hours_are_thinned_out_and_midnights_stay() -> None:
    wallet = empty()
    pay(wallet, 10, MIDNIGHT - 20 * DAY)
    services.values_ensure(MIDNIGHT - 10 * DAY)
    before = set(told(wallet))
    services.values_ensure(NOW)
    gone = before - set(told(wallet))
    assert gone
    assert all(step.hour for step in gone)
    assert set(list_steps(MIDNIGHT - 20 * DAY, NOW)) <= set(told(wallet))


def test_an_absurd_amount_is_left_out_and_breaks_nothing() -> None:
    wallet, other = empty(), empty("other")
    WalletBalance.objects.create(wallet=wallet, asset="XYZ", amount=0)
    pay(wallet, "99999999999999999999", NOW - 2 * HOUR, "XYZ")
    pay(other, 1, NOW - 2 * HOUR)
    store_closes("XYZ-USD", [9e13] * 10, start=NOW - 9 * HOUR)
    assert services.values_ensure(NOW) == 4
    assert [(int(one.value), one.unpriced) for one in told(wallet, other).values()] == [(1, ("XYZ",))] * 2


BOOKED = st.lists(st.tuples(st.integers(1, 240), st.integers(1, 1000), st.booleans()), min_size=1, max_size=12)
"""Each: hours ago, dollars, and whether the history is written before it is booked."""


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(BOOKED)
def test_in_whatever_order_things_are_booked_the_history_is_that_of_the_ledger(booked: list[tuple[int, int, bool]]) -> None:
    wallet = empty(secrets.token_hex(6))
    for number, (hours, dollars, written) in enumerate(booked):
        if written:
            services.values_ensure(NOW - timedelta(seconds=len(booked) - number))
        pay(wallet, dollars, NOW - hours * HOUR)
    services.values_ensure(NOW)
    found = told(wallet)
    assert set(list_steps(NOW - max(hours for hours, _, _ in booked) * HOUR, NOW)) <= set(found)
    for ts, step in found.items():
        there = sum(dollars for hours, dollars, _ in booked if NOW - hours * HOUR <= ts)
        assert step.value == step.paid_in == there
    assert [one.pk for one in wallets_list()]


def test_what_a_watched_wallet_has_more_was_paid_in() -> None:
    wallet = Wallet.objects.create(
        name="cold", wallet_id=secrets.token_hex(8), kind=Wallet.Kind.WATCH, venue="bitcoin", quote="USD"
    )
    hear("BTC-USD", "100")
    assert services.values_ensure(NOW) == 0, "nobody has read it yet"
    coin = ChainToken.objects.create(chain="bitcoin", decimals=8, asset="BTC")
    holding = ChainHolding.objects.create(wallet=wallet, token=coin, units=2 * 10**8)
    assert [services.values_ensure(NOW + minutes * MINUTE) for minutes in (0, 1)] == [1, 0]
    hear("BTC-USD", "110")
    holding.units = 3 * 10**8
    holding.save()
    services.values_ensure(NOW + HOUR)
    found = [(int(step.value), int(step.paid_in), int(step.flow)) for step in told(wallet).values()]
    assert found == [(200, 200, 0), (330, 310, 110)]
