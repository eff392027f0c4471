"""What an asset cost at a moment: the last close before it along the shortest path, and none of its future or of long before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.times import to_ms
from market.past_prices import PriceHistory
from tests.wallets.prices import store_closes

pytestmark = pytest.mark.django_db
START = datetime(2024, 12, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def storage_folder(settings: object, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]


def at(**after: float) -> int:
    return to_ms(START + timedelta(**after))


def history(*assets: str, environment: str = "live") -> PriceHistory:
    return PriceHistory(environment, "USD", assets)


def test_a_price_is_the_last_close_before_the_moment_and_never_one_after_it() -> None:
    store_closes("XYZ-USD", [1, 2, 3], start=START)
    found = history("XYZ")
    asked = {0.5: None, 1: Decimal(1), 1.999: Decimal(1), 2: Decimal(2), 3: Decimal(3), 26.9: Decimal(3), 27.1: None}
    assert {hours: found.price_at("XYZ", at(hours=hours)) for hours in asked} == asked


def test_the_path_is_the_shortest_that_has_closes_then() -> None:
    store_closes("XYZ-USDT", [6] * 48, start=START)
    store_closes("USDT-USD", [0.5] * 48, start=START, venue="coinbase")
    store_closes("XYZ-USD", [4, 4], start=START + timedelta(hours=5))
    found = history("XYZ")
    assert [found.price_at("XYZ", at(hours=hours)) for hours in (5, 6, 28)] == [Decimal(3), Decimal(4), Decimal(4)]
    assert found.price_at("XYZ", at(hours=40)) == 3, "a close of a day ago is none of then"
    assert found.price_at("USDT", at(hours=1)) == Decimal("0.5")
    assert (found.price_at("USD", at(hours=1)), found.price_at("NEVER", at(hours=1))) == (Decimal(1), None)


def test_the_newest_close_counts_whichever_venue_and_interval_it_is_of() -> None:
    store_closes("XYZ-USD", [1, 2], start=START, interval="1d")
    store_closes("XYZ-USD", [7, 8], start=START + timedelta(hours=30), interval="1m", venue="coinbase")
    found = history("XYZ")
    assert [found.price_at("XYZ", at(**when)) for when in ({"hours": 25}, {"hours": 30, "minutes": 2}, {"days": 2})] == [1, 8, 2]


def test_a_gap_is_no_price_and_a_new_year_is_another_file() -> None:
    store_closes("XYZ-USD", [*([5.0] * 40), *([-1.0] * 60), *([6.0] * 3)], start=START)
    found = history("XYZ")
    assert [found.price_at("XYZ", at(hours=hours)) for hours in (47.9, 63, 65, 99, 101)] == [5, 5, None, None, 6]


def test_candles_of_another_environment_say_nothing() -> None:
    store_closes("XYZ-USD", [5], start=START, venue="binance-sandbox")
    assert history("XYZ").price_at("XYZ", at(hours=1)) is None
    assert history("XYZ", environment="sandbox").price_at("XYZ", at(hours=1)) == 5


def test_many_moments_cost_two_queries_and_absurd_closes_are_none() -> None:
    store_closes("XYZ-USD", [float(hour + 1) for hour in range(200)], start=START)
    store_closes("ABC-USD", [0.0] * 200, start=START)
    moments = [(asset, at(hours=hour)) for hour in range(1, 201) for asset in ("XYZ", "ABC")]
    with CaptureQueriesContext(connection) as asked:
        found = history("XYZ", "ABC").prices_at(reversed(moments))
    assert len(asked) == 2
    assert [found[moment] for moment in moments] == [price for hour in range(1, 201) for price in (Decimal(hour), None)]


def test_a_file_that_is_gone_or_damaged_is_no_price_and_no_failure(tmp_path: Path) -> None:
    store_closes("XYZ-USD", [5], start=START)
    store_closes("ABC-USD", [5], start=START)
    files = sorted(path for path in (tmp_path / "media").rglob("*") if path.is_file())
    assert len(files) == 2
    files[0].unlink()
    files[1].write_bytes(b"x" * files[1].stat().st_size)
    found = history("XYZ", "ABC")
    assert [found.price_at(asset, at(hours=1)) for asset in ("XYZ", "ABC")] == [None, None]
