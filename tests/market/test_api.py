"""market/symbols, market/candles and market/imports, as API.md promises them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.celery import app
from core.text import ms_text
from engine.resample import resample
from market.models import CandleImport, CandleSeries
from tests.market.files import START, candles, csv, picked, take, text, work_imports
from tests.people import make_person

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/market"


@pytest.fixture
def client() -> Client:
    signed_in = Client()
    signed_in.force_login(User.objects.create_superuser("root"))
    return signed_in


def get(client: Client, path: str, status: int = 200, **query: Any) -> Any:
    answer = client.get(f"{ROOT}/{path}", query)
    assert answer.status_code == status, answer.content
    return answer.json()


def walked(client: Client, path: str, **query: Any) -> list[Any]:
    """The results of all pages."""
    page = get(client, path, **query)
    results = list(page["results"])
    while page["next"]:
        assert page["next"].startswith("http://testserver/api/v1/")
        page = client.get(page["next"]).json()
        results += page["results"]
    return results


def test_candles_are_text_to_the_digit_and_times_are_iso(client: Client) -> None:
    rows = ["0.00002853,0.00002854,0.00002851,0.00002854,36304.2", "46216.93,46271.08,46208.37,46250,40.57574"]
    take(text([f"{ms_text(START + 60_000 * index)},{row}" for index, row in enumerate(rows)]))
    assert get(client, "candles", symbol="aaa/usd", interval="1m") == {
        "results": [
            {
                "time": "2022-01-01T00:00:00Z",
                **dict(zip(("open", "high", "low", "close", "volume"), rows[0].split(","), strict=True)),
            },
            {
                "time": "2022-01-01T00:01:00Z",
                **dict(zip(("open", "high", "low", "close", "volume"), rows[1].split(","), strict=True)),
            },
        ],
        "next": None,
    }


def test_pages_of_candles_join_without_loss_across_a_gap(client: Client) -> None:
    part = candles(500)
    there = [index < 100 or index > 300 for index in range(500)]
    take(csv(picked(part, there)))
    results = walked(client, "candles", symbol="AAA-USD", interval="1m", limit=37)
    assert [row["time"] for row in results] == [ms_text(time) for time in picked(part, there).time]
    span = walked(
        client,
        "candles",
        symbol="AAA-USD",
        interval="1m",
        limit=10,
        start=ms_text(part.time[90]),
        end=ms_text(part.time[310]),
    )
    assert [row["time"] for row in span] == [ms_text(time) for time in [*part.time[90:100], *part.time[301:310]]]


def test_a_higher_interval_pages_too(client: Client) -> None:
    part = candles(2000)
    take(csv(part))
    results = walked(client, "candles", symbol="AAA-USD", interval="15m", limit=7)
    assert [row["time"] for row in results] == [ms_text(time) for time in resample(part, "15m").time]


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({"interval": "1m"}, 400, "symbol"),
        ({"symbol": "AAA-USD"}, 400, "interval"),
        ({"symbol": "AAA-USD", "interval": "7m"}, 400, "interval"),
        ({"symbol": "AAAUSD", "interval": "1m"}, 400, "symbol"),
        ({"symbol": "AAA-USD", "interval": "1m", "start": "soon"}, 400, "start"),
        ({"symbol": "AAA-USD", "interval": "1m", "start": "2050-01-01T00:00:00Z"}, 400, "start"),
        ({"symbol": "AAA-USD", "interval": "1m", "start": "2022-02-01", "end": "2022-01-01"}, 400, "end"),
        ({"symbol": "AAA-USD", "interval": "1m", "limit": "0"}, 400, "limit"),
        ({"symbol": "AAA-USD", "interval": "1m", "limit": "100000"}, 400, "limit"),
        ({"symbol": "AAA-USD", "interval": "1m", "cursor": "x"}, 400, "cursor"),
        ({"symbol": "AAA-USD", "interval": "1m", "cursor": "9" * 30}, 400, "cursor"),
        ({"symbol": "AAA-USD", "interval": "1m", "venue": "../x"}, 400, "venue"),
        ({"symbol": "BBB-USD", "interval": "1m"}, 404, None),
        ({"symbol": "AAA-USD", "interval": "1m", "venue": "kraken"}, 404, None),
    ],
)
def test_what_cannot_be_used_is_named(client: Client, query: dict[str, str], status: int, field: str | None) -> None:
    take(csv(candles(100)))
    error = get(client, "candles", status, **query)["error"]
    assert error["message"]
    assert set(error["fields"]) == ({field} if field else set())


def test_a_symbol_of_two_venues_needs_the_venue(client: Client) -> None:
    take(csv(candles(10)), venue="binance")
    take(csv(candles(20)), venue="kraken")
    error = get(client, "candles", 400, symbol="AAA-USD", interval="1m")["error"]
    assert "binance, kraken" in error["fields"]["venue"][0]
    assert len(get(client, "candles", symbol="AAA-USD", interval="1m", venue="kraken")["results"]) == 20


def test_the_watchlist_says_what_there_is(client: Client) -> None:
    part = candles(300)
    take(csv(picked(part, [index not in (7, 8, 90) for index in range(300)])))
    take(csv(resample(part, "1h")), "1h")
    (entry,) = get(client, "symbols")["results"]
    minutes, hours = entry.pop("intervals")
    assert entry["symbol"] == "AAA-USD"
    assert entry["venue"] == "test"
    assert float(entry["last_close"]) == part.close[-1]
    assert entry["last_close_at"] == "2022-01-01T05:00:00Z"
    assert (minutes["interval"], minutes["count"], minutes["missing"], minutes["gaps"]) == ("1m", 297, 3, 2)
    assert (hours["interval"], hours["count"], hours["gaps"]) == ("1h", 5, 0)
    assert (minutes["first"], minutes["last"]) == ("2022-01-01T00:00:00Z", "2022-01-01T04:59:00Z")


def test_the_watchlist_pages_and_asks_the_database_a_fixed_number_of_questions(client: Client) -> None:
    take(csv(candles(10)), symbol="S0-USD")
    with CaptureQueriesContext(connection) as one:
        get(client, "symbols")
    for number in range(1, 6):
        take(csv(candles(10)), symbol=f"S{number}-USD")
    with CaptureQueriesContext(connection) as six:
        get(client, "symbols")
    assert len(one) == len(six)
    assert [row["symbol"] for row in walked(client, "symbols", limit=2)] == [f"S{number}-USD" for number in range(6)]
    assert get(client, "symbols", 400, cursor="x")["error"]["fields"].keys() == {"cursor"}


def test_nobody_reads_without_signing_in() -> None:
    for path in ("symbols", "candles", "imports"):
        assert Client().get(f"{ROOT}/{path}").status_code in {401, 403}


def upload(client: Client, data: bytes, **more: Any) -> Any:
    file = SimpleUploadedFile("candles.csv", data)
    fields = {"file": file, "venue": "test", "symbol": "AAA-USD", "interval": "1m", **more}
    return client.post(f"{ROOT}/imports", fields, headers={"prefer": "respond-async"})


def test_a_file_is_taken_at_once_and_its_import_can_be_followed(client: Client) -> None:
    answer = upload(client, csv(candles(50)))
    assert answer.status_code == 202
    taken = answer.json()
    assert (taken["status"], taken["rows"], taken["progress"]) == ("queued", 0, 0.0)
    assert not CandleSeries.objects.exists()
    work_imports()
    report = get(client, f"imports/{taken['id']}")
    assert (report["status"], report["rows"], report["added"], report["gaps"]) == ("completed", 50, 50, [])
    assert report["progress"] == 1.0
    assert report["fingerprint"]
    (listed,) = get(client, "imports")["results"]
    assert {name: report[name] for name in listed} == listed
    assert CandleImport.objects.get().created_by == User.objects.get()


@pytest.fixture
def eager() -> Iterator[None]:
    """A worker that is as quick as can be."""
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("eager")
def test_whoever_waits_gets_the_report_of_a_small_file_as_ever(client: Client, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    answer = client.post(
        f"{ROOT}/imports",
        {"file": SimpleUploadedFile("x.csv", csv(candles(9))), "venue": "test", "symbol": "AAA-USD", "interval": "1m"},
    )
    assert answer.status_code == 201
    assert (answer.json()["status"], answer.json()["added"]) == ("completed", 9)
    refused = client.post(
        f"{ROOT}/imports",
        {"file": SimpleUploadedFile("x.csv", b"time\n1"), "venue": "test", "symbol": "AAA-USD", "interval": "1m"},
    )
    assert refused.status_code == 400
    assert refused.json()["error"]["fields"].keys() == {"file"}


@pytest.mark.parametrize("wrong", [{"skip_bad_rows": "yes"}, {"file": "no file"}, {"venue": ""}, {"symbol": " "}, {"interval": ""}])
def test_a_form_that_cannot_be_used_names_its_field(client: Client, wrong: dict[str, str]) -> None:
    answer = upload(client, csv(candles(50)), **wrong)
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"].keys() == wrong.keys()
    assert not CandleImport.objects.exists()


def test_a_refused_file_names_its_rows(client: Client) -> None:
    taken = upload(client, csv(candles(50)).replace(b"2022-01-01T00:10:00Z", b"never")).json()
    work_imports()
    report = get(client, f"imports/{taken['id']}")
    assert (report["status"], report["error_code"]) == ("refused", "import_refused")
    assert report["problems"] == [{"row": 12, "field": "time", "message": "'never' is not a time."}]


def test_what_can_be_told_before_reading_is_told_at_once(client: Client) -> None:
    assert upload(client, b"").json()["error"]["fields"] == {"file": ["The file is empty."]}
    assert upload(client, b"x", interval="7m").json()["error"]["fields"].keys() == {"interval"}
    assert upload(client, b"x", symbol="").json()["error"]["fields"].keys() == {"symbol"}
    assert not CandleImport.objects.exists()
    assert get(client, "imports/7", 404)["error"]["code"] == "not_found"


def test_an_import_that_is_queued_can_be_cancelled(client: Client) -> None:
    taken = upload(client, csv(candles(50))).json()
    address = f"{ROOT}/imports/{taken['id']}/cancel"
    assert client.post(address).json()["status"] == "cancelled"
    assert client.post(address).status_code == 409
    work_imports()
    assert not CandleSeries.objects.exists()


def test_importing_needs_the_permission() -> None:
    looker = Client()
    looker.force_login(User.objects.create_user("looker"))
    assert upload(looker, csv(candles(50))).status_code == 403
    assert looker.get("/market/import/").status_code == 403
    # To trade is another right than to import: the page asked for the former.
    looker.force_login(person := make_person("runner"))
    person.user_permissions.add(Permission.objects.get(codename="add_backtestrun"))
    file = SimpleUploadedFile("test_AAA-USD-1m.csv", csv(candles(50)))
    assert looker.post("/market/import/", {"file": file, "venue": "test"}).status_code == 403
    assert upload(looker, csv(candles(50))).status_code == 403
    assert not CandleImport.objects.exists()


def test_every_endpoint_is_documented(client: Client) -> None:
    answer = client.get("/api/v1/schema/", {"format": "json"})
    paths = answer.json()["paths"]
    for path, method in (("symbols", "get"), ("candles", "get"), ("imports", "post"), ("imports/{import_id}/cancel", "post")):
        described = paths[f"/api/v1/market/{path}"][method]
        assert {"401", "403"} <= set(described["responses"])
        assert "Scope:" in described["description"]
        assert any("example" in str(answer) for answer in described["responses"].values())
    assert {item["name"] for item in paths["/api/v1/market/candles"]["get"]["parameters"]} >= {"symbol", "interval", "start", "end"}
