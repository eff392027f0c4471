"""The market data pages without a browser: lists of many rows, windows of candles, and who may do what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from market import services
from market.models import CandleImport, CandleSeries, Instrument
from tests.market.files import work_imports
from tests.people import make_person

pytestmark = pytest.mark.django_db

START = datetime(2022, 1, 1, tzinfo=UTC)
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture(autouse=True)
def storage_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture
def trader() -> Client:
    client = Client()
    client.force_login(make_person("trader", "operator"))
    return client


@pytest.fixture
def viewer() -> Client:
    client = Client()
    client.force_login(User.objects.create_user("viewer"))
    return client


def candles(minutes: list[int]) -> BytesIO:
    rows = "".join(f"{int(START.timestamp()) + 60 * minute},100,110,90,{100 + minute % 7},5\n" for minute in minutes)
    return BytesIO(f"time,open,high,low,close,volume\n{rows}".encode())


def stored(minutes: list[int], symbol: str = "BTC-USD") -> CandleSeries:
    done = services.candles_import(file=candles(minutes), filename="x.csv", venue="kraken", symbol=symbol, interval="1m")
    assert done.series
    return done.series


def many_series(count: int) -> None:
    """Rows alone, as the list needs no file."""
    instruments = Instrument.objects.bulk_create(
        Instrument(venue="kraken", symbol=f"A{number:05}-USD", base=f"A{number:05}", quote="USD") for number in range(count)
    )
    CandleSeries.objects.bulk_create(
        CandleSeries(instrument=item, interval="1h", first=START, last=START + timedelta(days=60), count=1441, fingerprint="f")
        for item in instruments
    )


def test_ten_thousand_series_page_by_key_with_the_same_few_queries(trader: Client, django_assert_max_num_queries: Any) -> None:
    many_series(10_000)
    with django_assert_max_num_queries(10):
        first = trader.get("/market/")
    assert first.content.count(b'<tr class="leads">') == 50
    last = CandleSeries.objects.get(instrument__symbol="A09949-USD")
    with django_assert_max_num_queries(9):
        end = trader.get(f"/market/?part=rows&after={last.pk}", **HTMX)  # type: ignore[arg-type]
    assert end.content.count(b'<tr class="leads">') == 50
    assert b"A09999-USD" in end.content
    assert b"Load more" not in end.content


def test_the_filter_takes_words_for_venue_symbol_and_interval(trader: Client) -> None:
    many_series(60)
    shown = trader.get("/market/", {"q": "kraken a00042/usd 1h", "part": "table"}, **HTMX)  # type: ignore[arg-type]
    assert shown.content.count(b'<tr class="leads">') == 1
    assert b"<html" not in shown.content
    assert b"No series matches" in trader.get("/market/", {"q": "5m"}).content


def test_an_empty_desk_names_the_next_step(trader: Client, viewer: Client) -> None:
    assert b'href="/market/import/"' in trader.get("/market/").content
    assert b"No candles yet" in viewer.get("/market/").content
    assert b'href="/market/import/"' not in viewer.get("/market/").content


def test_a_window_ends_at_the_last_candle_and_goes_on_before_it(trader: Client) -> None:
    series = stored([*range(300)])
    found = trader.get(f"/market/series/{series.pk}/candles.json", {"limit": 100}).json()
    start = int(START.timestamp())
    assert [row[0] for row in found["rows"]] == [start + 60 * minute for minute in range(200, 300)]
    assert found["before"]
    assert not found["after"]
    earlier = trader.get(f"/market/series/{series.pk}/candles.json", {"limit": 500, "end": found["from"]}).json()
    assert [row[0] for row in earlier["rows"]] == [start + 60 * minute for minute in range(200)]
    assert not earlier["before"]


def test_a_window_in_a_gap_is_empty_and_says_that_more_lies_on_both_sides(trader: Client) -> None:
    series = stored([*range(10), *range(500, 510)])
    at = int(START.timestamp()) + 100 * 60
    found = trader.get(f"/market/series/{series.pk}/candles.json", {"limit": 50, "start": at}).json()
    assert found["rows"] == []
    assert found["before"]
    assert found["after"]


def test_a_window_of_a_higher_interval_has_closed_candles_only(trader: Client) -> None:
    series = stored([*range(63)])
    found = trader.get(f"/market/series/{series.pk}/candles.json", {"interval": "5m"}).json()
    assert len(found["rows"]) == 12
    time, opened, high, low, close, volume = found["rows"][0]
    assert (time, opened, high, low, close, volume) == (int(START.timestamp()), 100, 110, 90, 104, 25)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"interval": "7m"}, "7m"),
        ({"limit": "0"}, "1 to 5,000"),
        ({"limit": "many"}, "many"),
        ({"start": "nan"}, "nan"),
        ({"end": "-5"}, "-5"),
        ({"start": "1e400"}, "1e400"),
    ],
)
def test_a_window_that_cannot_be_is_refused_by_name(trader: Client, query: dict[str, str], field: str) -> None:
    series = stored([*range(10)])
    refused = trader.get(f"/market/series/{series.pk}/candles.json", query)
    assert refused.status_code == 400
    assert field in refused.content.decode()


def test_gaps_page_by_key(trader: Client) -> None:
    series = stored([minute for minute in range(400) if minute % 3])
    first = trader.get(f"/market/series/{series.pk}/")
    assert first.content.count(b"Show on chart") == 50
    assert b"Load more" in first.content
    seen = set()
    cursor = first.context["cursor"]
    while cursor:
        page = trader.get(f"/market/series/{series.pk}/", {"part": "gaps", "cursor": cursor}, **HTMX)  # type: ignore[arg-type]
        seen |= {gap.pk for gap in page.context["gaps"]}
        cursor = page.context["cursor"]
    assert len(seen | {gap.pk for gap in first.context["gaps"]}) == series.gaps.count()


def test_an_upload_without_script_leads_to_its_report(trader: Client) -> None:
    file = candles([*range(20), 5])
    file.name = "kraken_ETH-USD-1m.csv"
    answer = trader.post("/market/import/", {"file": file}, follow=True)
    assert answer.redirect_chain == [(f"/market/imports/{CandleImport.objects.get().pk}/", 302)]
    assert b"Waiting for a worker" in answer.content
    assert b"kraken_ETH-USD-1m.csv" in answer.content
    work_imports()
    done = CandleImport.objects.get()
    assert (done.venue, done.symbol, done.interval, done.added, done.duplicates) == ("kraken", "ETH-USD", "1m", 20, 1)
    assert str(done.created_by) == "trader"
    assert done.message in trader.get(f"/market/imports/{done.pk}/").content.decode()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"venue": "", "symbol": "BTC-USD", "interval": "1m"}, "venue"),
        ({"venue": "kraken", "symbol": "what", "interval": "1m"}, "symbol"),
        ({"venue": "kraken", "symbol": "BTC-USD", "interval": "9m"}, "interval"),
        ({"venue": "kr aken!", "symbol": "BTC-USD", "interval": "1m"}, "venue"),
        ({"venue": "kraken", "symbol": "BTC-USD", "interval": "1h"}, "file"),
    ],
)
def test_what_cannot_be_imported_is_told_at_its_field(trader: Client, given: dict[str, str], field: str) -> None:
    file = candles([*range(20)])
    file.name = "candles.csv"
    answer = trader.post("/market/import/", {**given, "file": file})
    work_imports()
    told = answer.context["form"].errors if answer.status_code == 422 else None
    refused = CandleImport.objects.filter(status=CandleImport.Status.REFUSED)
    assert (told and field in told) or (field == "file" and refused.exists())
    assert not CandleSeries.objects.exists()


def test_an_empty_or_absent_file_is_told_at_the_file(trader: Client) -> None:
    where = {"venue": "kraken", "symbol": "BTC-USD", "interval": "1m"}
    assert "file" in trader.post("/market/import/", where).context["form"].errors
    empty = BytesIO(b"")
    empty.name = "empty.csv"
    assert "file" in trader.post("/market/import/", {**where, "file": empty}).context["form"].errors


def test_a_file_beyond_the_limit_is_refused_by_its_size(trader: Client, settings: Any) -> None:
    settings.IMPORT_MAX_BYTES = 1000
    file = candles([*range(100)])
    file.name = "kraken_BTC-USD-1m.csv"
    answer = trader.post("/market/import/", {"file": file})
    assert answer.status_code == 422
    assert "at most" in str(answer.context["form"].errors["file"])


def test_a_viewer_may_look_and_not_touch(viewer: Client) -> None:
    series = stored([*range(10)])
    assert viewer.get(f"/market/series/{series.pk}/").status_code == 200
    assert viewer.get("/market/import/").status_code == 403
    assert viewer.post(f"/market/series/{series.pk}/delete/").status_code == 403
    assert CandleSeries.objects.filter(pk=series.pk).exists()


def test_deleting_takes_the_candles_and_keeps_the_record_of_imports(trader: Client) -> None:
    series = stored([*range(10)])
    assert trader.get(f"/market/series/{series.pk}/delete/").status_code == 405
    assert trader.post(f"/market/series/{series.pk}/delete/").status_code == 302
    assert not CandleSeries.objects.exists()
    assert CandleImport.objects.count() == 1
    assert trader.get(f"/market/imports/{CandleImport.objects.get().pk}/").status_code == 200
