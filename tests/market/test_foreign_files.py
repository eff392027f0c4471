"""Files as venues, charts and notebooks write them, and advice that works when it is followed."""

from __future__ import annotations

import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from core.errors import Invalid
from engine.types import Candles
from market.candles import load_candles
from tests.market.files import COLUMNS, candles, same, take

pytestmark = pytest.mark.django_db
PART = candles(120)
SECONDS = PART.time // 1000


def load_stored() -> Candles:
    return load_candles(venue="test", symbol="AAA-USD", interval="1m")


def write_rows(form: str, times: Any = SECONDS, part: Candles = PART, header: str = "") -> bytes:
    """Lines of that form, which names the columns by `{t}`, `{o}` and so on."""
    columns = [getattr(part, name).tolist() for name in COLUMNS[1:]]
    rows = [
        form.format(t=time, o=repr(o), h=repr(h), l=repr(lo), c=repr(c), v=repr(v))
        for time, o, h, lo, c, v in zip(np.asarray(times).tolist(), *columns, strict=True)
    ]
    return "\n".join([header, *rows] if header else rows).encode()


PLAIN = "{t},{o},{h},{l},{c},{v}"
TEXTS = [str(moment) for moment in PART.time.astype("datetime64[ms]")]
FILES: dict[str, Callable[[], bytes]] = {
    "Kraken's archive": lambda: write_rows(PLAIN + ",7"),
    "Kraken's answers": lambda: write_rows("{t},{o},{h},{l},{c},1.5,{v},7"),
    "six columns without names": lambda: write_rows(PLAIN),
    "Coinbase's answers": lambda: write_rows(
        "{t},{l},{h},{o},{c},{v}",
        SECONDS[::-1],
        Candles("AAA-USD", "1m", *(getattr(PART, name)[::-1] for name in COLUMNS)),
        "start,low,high,open,close,volume",
    ),
    "an archive with a banner and volumes of both assets": lambda: (
        b"https://www.example.com/data\n"
        + write_rows(
            "{t},2022-01-01,AAA/USD,{o},{h},{l},{c},99.5,{v}", header="unix,date,symbol,open,high,low,close,Volume USD,Volume AAA"
        )
    ),
    "a banner with commas": lambda: b"# AAA/USD, one minute, by hand\n" + write_rows(PLAIN, header="unix,o,h,l,c,vol"),
    "Binance's page": lambda: write_rows(
        PLAIN + ",9,9", PART.time, header="Open time,Open,High,Low,Close,Volume,Close time,Quote asset volume"
    ),
    "an exchange's dump with units": lambda: write_rows(
        PLAIN + ",1", header="Unix Timestamp,Open,High,Low,Close,Volume_(AAA),Volume_(Currency)"
    ),
    "pandas' index without a name": lambda: write_rows(PLAIN, TEXTS, header=",open,high,low,close,volume"),
    "pandas' numbered index beside times": lambda: write_rows("7," + PLAIN, PART.time, header=",date,open,high,low,close,volume"),
    "yfinance's three lines of names": lambda: write_rows(
        "{t},{c},{h},{l},{o},{v}", TEXTS, header="Price,Close,High,Low,Open,Volume\nTicker" + ",AAA-USD" * 5 + "\nDate,,,,,"
    ),
    "CoinMarketCap's, which names the close, too": lambda: write_rows(
        '"{t}";"0";{o};{h};{l};{c};{v};1e12;"2022-01-01T23:59:59.999Z"',
        TEXTS,
        header="timeOpen;timeClose;open;high;low;close;volume;marketCap;timestamp",
    ),
    "epochs with a fraction": lambda: write_rows(
        PLAIN, [f"{time}.0" for time in SECONDS.tolist()], header="timestamp,open,high,low,close,volume"
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_as_others_write_it_is_read(name: str) -> None:
    done = take(FILES[name]())
    assert done.status == "completed", done.message
    assert same(load_stored(), PART)
    assert done.out_of_order == 0


def test_a_file_with_the_newest_candle_first_is_turned_and_says_so() -> None:
    assert "turned round" in take(FILES["Coinbase's answers"]()).message


def test_a_fraction_of_an_epoch_counts() -> None:
    times = [f"{time}.250" for time in SECONDS.tolist()]
    done = take(write_rows(PLAIN, times, header="time,open,high,low,close,volume"))
    assert done.status == "refused"
    assert "is not a whole multiple of 1m" in done.problems[0]["message"]


@pytest.mark.parametrize("columns", [9, 10, 13])
def test_the_header_that_is_advised_works(columns: int) -> None:
    rows = write_rows(PLAIN + ",0" * (columns - 6))
    with pytest.raises(Invalid) as refused:
        take(rows)
    header = str(refused.value.fields["file"]).partition("such as ")[2].partition(", with")[0]
    assert take(header.encode() + b"\n" + rows).status == "completed"
    assert same(load_stored(), PART)


def pack_table(kind: str, table: pa.Table) -> bytes:
    sink = io.BytesIO()
    if kind == "parquet":
        parquet.write_table(table, sink)
    else:
        feather.write_feather(table, sink, compression="zstd")
    return sink.getvalue()


def make_table(time: Any, **changed: Any) -> pa.Table:
    return pa.table({"date": time, **{name: getattr(PART, name) for name in COLUMNS[1:]}, **changed})


TIMES: dict[str, Any] = {
    "text": pa.array(TEXTS),
    "large text": pa.array(TEXTS, pa.large_string()),
    "views": pa.array(TEXTS, pa.string_view()),
    "categories": pa.array(TEXTS).dictionary_encode(),
    "bytes": pa.array([text.encode() for text in TEXTS], pa.binary()),
    "floats": pa.array(SECONDS.astype(np.float64)),
}


@pytest.mark.parametrize("kind", ["parquet", "feather"])
@pytest.mark.parametrize("name", TIMES)
def test_columns_as_data_frames_write_them_are_read(kind: str, name: str) -> None:
    done = take(pack_table(kind, make_table(TIMES[name])))
    assert done.status == "completed", done.message
    assert same(load_stored(), PART)


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_prices_as_text_and_categories_are_read(kind: str) -> None:
    texts = {name: pa.array([repr(one) for one in getattr(PART, name).tolist()]) for name in ("open", "close")}
    take(
        pack_table(
            kind, make_table(TIMES["text"], open=texts["open"].dictionary_encode(), close=texts["close"].cast(pa.string_view()))
        )
    )
    assert same(load_stored(), PART)


def shorten(*names: str) -> dict[str, Any]:
    """These columns as pandas writes them after `astype("float32")`."""
    return {name: pa.array(getattr(PART, name).astype(np.float32)) for name in names}


def test_prices_of_32_bits_are_told() -> None:
    done = take(pack_table("parquet", make_table(TIMES["text"], **shorten("open", "high", "low", "close"))))
    assert done.status == "completed"
    assert "holds open, high, low and close as 32-bit floats" in done.message
    assert "32-bit" not in take(pack_table("parquet", make_table(TIMES["text"]))).message


def test_faults_that_32_bits_make_name_them() -> None:
    done = take(pack_table("feather", make_table(TIMES["text"], **shorten("low"))))
    assert done.status == "refused"
    assert "holds low as 32-bit floats" in done.message


@pytest.mark.parametrize("kind", ["parquet", "feather"])
def test_decimals_of_databases_and_an_index_without_a_name_are_read(kind: str) -> None:
    exact = {
        name: pa.array([Decimal(repr(one)) for one in getattr(PART, name).tolist()], pa.decimal128(24, 8)) for name in COLUMNS[1:]
    }
    take(pack_table(kind, pa.table({**exact, "__index_level_0__": pa.array(PART.time.astype("datetime64[ms]"))})))
    assert same(load_stored(), PART)


@pytest.mark.parametrize("kind", ["text", "parquet"])
def test_two_columns_of_one_name_are_refused_with_advice_that_works(kind: str) -> None:
    columns = [getattr(PART, name) for name in COLUMNS]

    def write(last: str) -> bytes:
        if kind == "text":
            return write_rows(PLAIN + ",5", header=",".join((*COLUMNS, last)))
        return pack_table("parquet", pa.table([pa.array(one) for one in (*columns, columns[-1])], names=[*COLUMNS, last]))

    with pytest.raises(Invalid, match="two columns named volume"):
        take(write("volume"))
    take(write("volume_quote"))
    assert same(load_stored(), PART)


def test_text_of_two_bytes_a_letter_is_refused_with_advice_that_works() -> None:
    text = write_rows(PLAIN, header="time,open,high,low,close,volume").decode()
    with pytest.raises(Invalid, match="Save it as CSV in UTF-8"):
        take(text.encode("utf-16"))
    assert take(text.encode()).status == "completed"


@pytest.mark.parametrize("columns", [2, 4])
def test_too_few_columns_for_candles_are_told(columns: int) -> None:
    with pytest.raises(Invalid, match="candles need five at least, time,open,high,low,close"):
        take(write_rows(",".join(PLAIN.split(",")[:columns])))
