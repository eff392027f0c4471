"""manage.py import_candles."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.market.files import candles, csv

pytestmark = pytest.mark.django_db
WHERE = ("--venue", "test", "--symbol", "AAA-USD", "--interval", "1m")


def run(path: Path, *arguments: str) -> str:
    out = io.StringIO()
    call_command("import_candles", str(path), *arguments, stdout=out, no_color=True)
    return out.getvalue()


def file_of(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "candles.csv"
    path.write_bytes(data)
    return path


def refused(path: Path, *arguments: str) -> tuple[Any, str]:
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_candles", str(path), *arguments, "--json", stdout=out)
    assert caught.value.returncode == 1
    return json.loads(out.getvalue())["error"], str(caught.value)


def test_json_is_one_object_and_nothing_else(tmp_path: Path) -> None:
    out = run(file_of(tmp_path, csv(candles(100))), *WHERE, "--json")
    report = json.loads(out)
    assert out.count("\n") == 1
    assert report["rows"] == 100
    assert (report["first"], report["last"]) == ("2022-01-01T00:00:00Z", "2022-01-01T01:39:00Z")
    assert (report["gaps"], report["duplicates"], report["out_of_order"]) == ([], 0, 0)
    assert len(report["fingerprint"]) == 64


def test_real_gaps_are_reported(shared_data: Path) -> None:
    path = shared_data / "candles" / "DASH_BTC-5m.feather"
    where = ("--venue", "bittrex", "--symbol", "DASH_BTC", "--interval", "5m")
    report = json.loads(run(path, *where, "--json"))
    assert report["rows"] == 5758
    assert [gap["missing"] for gap in report["gaps"]] == [1, 1]
    assert all(gap["first"] == gap["last"] for gap in report["gaps"])
    text = run(path, *where)
    assert "DASH-BTC 5m (bittrex): 5,758 rows" in text
    assert report["gaps"][0]["first"] in text


def test_a_refusal_is_the_apis_error_and_exit_code_1(tmp_path: Path) -> None:
    data = csv(candles(100)).replace(b"2022-01-01T00:10:00Z", b"never")
    error, text = refused(file_of(tmp_path, data), *WHERE)
    assert error == {
        "code": "import_refused",
        "message": "1 fault in 100 rows. Nothing was imported.",
        "fields": {"file": ["Row 12, time: 'never' is not a time."]},
    }
    assert "Row 12, time: 'never' is not a time." in text
    assert json.loads(run(file_of(tmp_path, data), *WHERE, "--skip-bad-rows", "--json"))["added"] == 99


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--venue", "test", "--symbol", "AAA-USD", "--interval", "7m"), "interval"),
        (("--venue", "test", "--symbol", "x", "--interval", "1m"), "symbol"),
        (("--venue", "a b", "--symbol", "AAA-USD", "--interval", "1m"), "venue"),
    ],
)
def test_wrong_arguments_are_named(tmp_path: Path, arguments: tuple[str, ...], field: str) -> None:
    error, _ = refused(file_of(tmp_path, csv(candles(10))), *arguments)
    assert list(error["fields"]) == [field]


def test_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    error, _ = refused(tmp_path / "nowhere.csv", *WHERE)
    assert "No such file" in error["fields"]["file"][0]
    error, _ = refused(tmp_path, *WHERE)
    assert "Is a directory" in error["fields"]["file"][0]
