"""A file of candles gives exactly its bits back, and is small."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.types import Candles
from market.candles import codec, fingerprint_candles, readers
from tests.market.files import COLUMNS, START, candles, same

REAL = ("BTC-USD-1m-2022-01.csv.gz", *(f"{pair}.feather" for pair in ("ETH_BTC-5m", "LTC_BTC-5m", "DASH_BTC-5m", "XRP_ETH-1m")))
EVER = (-(1 << 62), 1 << 62)
decimals = st.decimals(min_value="0.00000001", max_value="9999999", allow_nan=False, places=8).map(float)
anything = st.floats(min_value=5e-324, max_value=1e15, allow_nan=False)
noisy = decimals.map(lambda value: float(np.nextafter(value, np.inf)))


def of(values: list[float]) -> Candles:
    column = np.array(values)
    time = START + 60_000 * np.arange(len(values), dtype=np.int64)
    return Candles("AAA-USD", "1m", time, column, column * 1.5, column / 3, column, np.abs(column))


def decode(data: bytes) -> Candles:
    return codec.decode_candles(data, "AAA-USD", "1m", *EVER)


@given(st.lists(st.one_of(decimals, anything, noisy), min_size=1, max_size=60))
def test_every_float_comes_back_to_the_bit(values: list[float]) -> None:
    assert same(decode(codec.encode_candles(of(values))), of(values))


@given(st.lists(st.decimals(min_value="0.01", max_value="99999999", places=5, allow_nan=False), min_size=1, max_size=40))
def test_decimals_are_stored_as_whole_numbers_and_read_as_the_nearest_float(values: list[Decimal]) -> None:
    found = codec.scale_values(np.array([float(value) for value in values]))
    assert found is not None
    assert found.noise is None
    assert found.scale <= 5
    assert found.floats().tolist() == [float(str(value)) for value in values]


def test_a_span_of_a_long_file_is_the_slice_of_it() -> None:
    whole = candles(200_000)
    data = codec.encode_candles(whole)
    low, high = int(whole.time[70_001]), int(whole.time[140_123])
    assert same(codec.decode_candles(data, "AAA-USD", "1m", low, high), whole[70_001:140_123])
    assert len(codec.decode_candles(data, "AAA-USD", "1m", 0, START)) == 0


def test_fingerprint_changes_with_any_bit_and_only_then() -> None:
    part = candles(1000)
    mark = fingerprint_candles(part)
    assert mark == fingerprint_candles(part[:])
    for name in COLUMNS:
        columns = {other: getattr(part, other).copy() for other in COLUMNS}
        columns[name][500] += 1 if name == "time" else np.spacing(columns[name][500])
        assert fingerprint_candles(Candles("AAA-USD", "1m", **columns)) != mark


@pytest.mark.parametrize(
    "name", ["BTC-USD-1m-2022-01.csv.gz", "ETH_BTC-5m.feather", "LTC_BTC-5m.feather", "DASH_BTC-5m.feather", "XRP_ETH-1m.feather"]
)
def test_real_candles_take_at_most_25_bytes_each(shared_data: Path, name: str) -> None:
    rows = readers.read_rows(io.BytesIO((shared_data / "candles" / name).read_bytes()))
    part = Candles("AAA-BTC", "1m", rows.column("time") // 1000, *(rows.column(column) for column in COLUMNS[1:]))
    data = codec.encode_candles(part)
    assert len(data) / len(part) <= 25
    assert same(decode(data), part)
