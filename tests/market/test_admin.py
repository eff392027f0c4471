"""Market data in the admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from market.exchanges.base import UnreadRow
from market.models import CandleImport, CandleSeries
from market.services import products_unread_note, stream_ensure
from tests.market.files import candles, csv, take

pytestmark = pytest.mark.django_db
NAMES = ("instrument", "candleseries", "candlechunk", "candlegap", "candleimport")


@pytest.fixture
def client() -> Client:
    signed_in = Client()
    signed_in.force_login(User.objects.create_superuser("root"))
    return signed_in


@pytest.mark.parametrize("name", NAMES)
def test_lists_take_a_fixed_number_of_queries(client: Client, name: str) -> None:
    def shown() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(f"/admin/market/{name}/", {"q": "USD"} if name != "candleimport" else {}).status_code == 200
        return len(queries)

    def fill(first: int, last: int) -> None:
        for number in range(first, last):
            take(csv(candles(10)).replace(b"2022-01-01T00:05:00Z", b"2022-01-01T00:25:00Z"), symbol=f"S{number}-USD")

    fill(0, 2)
    few = shown()
    fill(2, 8)
    assert shown() == few


@pytest.mark.parametrize("name", NAMES[1:])
def test_what_imports_made_cannot_be_edited(client: Client, name: str) -> None:
    assert client.get(f"/admin/market/{name}/add/").status_code == 403


def test_the_report_of_a_refused_import_is_a_table(client: Client) -> None:
    done = take(csv(candles(50)).replace(b"2022-01-01T00:10:00Z", b"<b>never</b>"))
    page = client.get(f"/admin/market/candleimport/{done.pk}/change/").content.decode()
    assert "<td>12</td><td>time</td>" in page
    assert "&lt;b&gt;never&lt;/b&gt;" in page
    assert "<b>never</b>" not in page
    assert CandleImport.objects.get().status == "refused"


def test_deleting_a_series_goes_through_the_service(client: Client) -> None:
    done = take(csv(candles(50)))
    assert done.series is not None
    answer = client.post(f"/admin/market/candleseries/{done.series.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 302
    assert not CandleSeries.objects.exists()


def test_products_that_cannot_be_read_are_named_until_they_can(client: Client) -> None:
    stream_ensure(venue="binance", environment="sandbox")
    odd = [UnreadRow("binance", "product", "{}", "KeyError: 'filters'", name) for name in ("ODDUSDT", "")]
    products_unread_note(key="binance-sandbox", products=odd)
    assert "2: ODDUSDT, unnamed" in client.get("/admin/market/venuestream/").content.decode()
    products_unread_note(key="binance-sandbox", products=[])
    assert "ODDUSDT" not in client.get("/admin/market/venuestream/").content.decode()
