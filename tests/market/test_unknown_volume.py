"""Candles without a volume: it is unknown and not zero, wherever they go."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from django.test import Client
from django.urls import reverse

from core.errors import Invalid
from engine.resample import resample
from engine.strategy import Columns, Strategy, evaluate
from engine.types import Candles, Floats, Signals
from market import candles as store
from market.api.candles import rows_of
from market.models import CandleSeries
from market.window import candle_window
from tests.market.files import candles, csv, lines, same, take

pytestmark = pytest.mark.django_db
PART = candles(120)
PRICES = "timestamp,open,high,low,close"


def cut_volume(part: Candles) -> bytes:
    """As TradingView exports a chart without it."""
    return "\n".join([PRICES, *(line.rsplit(",", 1)[0] for line in lines(part))]).encode()


def forget_volume(part: Candles) -> Candles:
    return replace(part, volume=np.full(len(part), np.nan), volume_known=False)


def load(interval: str = "1m") -> Candles:
    return store.load_candles(venue="test", symbol="AAA-USD", interval=interval)


def make_parquet(**columns: Any) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(pa.table(columns), sink)
    return sink.getvalue()


@pytest.mark.parametrize("kind", ["text", "text without a header", "parquet"])
def test_a_file_without_volume_is_read_and_says_so(kind: str) -> None:
    table = make_parquet(time=PART.time, open=PART.open, high=PART.high, low=PART.low, close=PART.close)
    text = cut_volume(PART)
    times = "\n".join(
        f"{time}," + line.split(",", 1)[1] for time, line in zip(PART.time, text.decode().split("\n")[1:], strict=True)
    )
    done = take({"text": text, "text without a header": times.encode(), "parquet": table}[kind])
    assert done.status == "completed", done.message
    assert "The file has no volume, so that it is unknown" in done.message
    found = load()
    assert same(found, forget_volume(PART))
    assert not found.volume_known
    series = CandleSeries.objects.get()
    assert (series.without_volume, series.count) == (120, 120)


def test_a_volume_in_the_other_asset_is_named_and_not_taken() -> None:
    done = take(csv(PART).replace(b"volume", b"Volume USD", 1))
    assert "Volume USD was passed over" in done.message
    assert not load().volume_known


def test_an_empty_cell_is_a_fault_where_there_is_a_column() -> None:
    rows = [line if index != 7 else line.rsplit(",", 1)[0] + "," for index, line in enumerate(lines(PART))]
    done = take("\n".join(["timestamp,open,high,low,close,volume", *rows]).encode())
    assert [(problem["row"], problem["field"]) for problem in done.problems] == [(9, "volume")]


def test_what_is_known_is_not_forgotten_and_what_was_unknown_is_learnt() -> None:
    take(cut_volume(PART))
    alone = CandleSeries.objects.get().fingerprint
    assert take(cut_volume(PART)).replaced == 0
    assert CandleSeries.objects.get().fingerprint == alone
    assert take(csv(PART[:100])).replaced == 100
    assert CandleSeries.objects.get().without_volume == 20
    assert take(cut_volume(PART)).replaced == 0
    assert same(load()[:100], PART[:100])
    take(csv(PART))
    series = CandleSeries.objects.get()
    assert (series.without_volume, series.fingerprint) == (0, store.fingerprint_candles(PART))
    assert load().volume_known


def test_the_same_candle_twice_is_no_contradiction() -> None:
    twice = cut_volume(PART) + b"\n" + cut_volume(PART).split(b"\n")[5]
    done = take(twice)
    assert (done.status, done.duplicates) == ("completed", 1)


def test_longer_candles_know_it_only_where_all_of_theirs_is_known() -> None:
    take(cut_volume(PART))
    take(csv(PART[:60]))
    found = load("1h")
    assert found.volume[0] == pytest.approx(PART.volume[:60].sum())
    assert np.isnan(found.volume[1])
    assert not found.volume_known


def test_interfaces_say_null(admin_client: Client) -> None:
    take(cut_volume(PART))
    series = CandleSeries.objects.get()
    window = candle_window(series, "1m", None, None, "5")
    assert [row[5] for row in json.loads(json.dumps(window, allow_nan=False))["rows"]] == [None] * 5
    assert [row["volume"] for row in rows_of(load())[:3]] == [None] * 3
    answer = admin_client.get("/api/v1/market/symbols").json()
    assert answer["results"][0]["intervals"][0]["without_volume"] == 120
    assert "120" in admin_client.get(reverse("market:detail", args=[series.pk])).content.decode().partition("No volume")[2][:900]


class Thirsty(Strategy):
    """Reads the volume where `deep` says."""

    name, title, description = "thirsty", "Thirsty", "Buys where volume is above its mean."

    def __init__(self, deep: str) -> None:
        super().__init__({})
        self.deep = deep

    def warmup(self) -> int:
        return 1

    def indicators(self, candles: Candles) -> Columns:
        return {"volume": candles[:].volume} if self.deep == "a slice" else {}

    def signals(self, candles: Candles, columns: Columns) -> Signals:
        volume: Floats = {
            "itself": lambda: candles.volume,
            "a longer interval": lambda: resample(candles, "5m").volume,
        }.get(self.deep, lambda: candles.close)()
        return Signals(entry=np.full(len(candles), bool(volume[0] > volume.mean())))


@pytest.mark.parametrize("deep", ["itself", "a slice", "a longer interval"])
def test_a_strategy_that_reads_it_is_refused(deep: str) -> None:
    evaluate(Thirsty(deep), PART)
    with pytest.raises(Invalid, match="unknown for AAA-USD"):
        evaluate(Thirsty(deep), forget_volume(PART))


def test_a_strategy_that_does_not_goes_on() -> None:
    assert evaluate(Thirsty("never"), forget_volume(PART))[1].entry is not None
