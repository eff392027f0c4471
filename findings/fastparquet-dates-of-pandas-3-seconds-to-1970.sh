#!/usr/bin/env bash
# fastparquet 2026.9.0 with pandas 3.1.1: time stamps kept in seconds are written as if they were milliseconds.
#
# Done: hourly candles of 2026-01-01 whose index is datetime64[s], as pandas 3 makes it of epoch seconds
# (.astype("datetime64[s]"), the unit of Coinbase's and Kraken's candles), of numpy's datetime64[s], [m] and [D]
# arrays, and of date_range(unit="s"). Written by fastparquet.write and by to_parquet(engine="fastparquet"), read back.
#
# Expected: the same moments. fastparquet.write documents: "datetimes are written as 8-byte integers, us resolution".
# [ms], [us] and [ns] do come back right; the file's schema has no unit of seconds, so one expects a conversion (times
# 1000) or an error.
#
# Happens: the count of seconds is stored unchanged under TIMESTAMP(MILLIS). The file is wrong for every reader: its
# statistics start at 1970-01-01 00:29:27.225. Read back as an index, or as a UTC column, all candles share ONE moment,
# 1970-01-01 00:29:27, without an error. Only a column without zone fails, and on reading, when the data are lost.
#
# Seen:
#   index:      5 candles, 1 moment: 1970-01-01 00:29:27
#   UTC column: 5 candles, 1 moment: 1970-01-01 00:29:27+00:00
#   plain column: ValueError on reading: Cannot losslessly cast '1767225 ms' to s
#   statistics in the file: 1970-01-01T00:29:27.225 to 1970-01-01T00:29:27.240
#   ms, us, ns: right
#
# Way round: .as_unit("us") before every write (pandas.to_datetime(..., unit="s") gives us by itself).
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check fastparquet==2026.9.0 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import numpy as np
import pandas as pd
from fastparquet import ParquetFile, write

warnings.simplefilter("ignore")          # pandas 3.1 says that it will drop this engine one day


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


epochs = pd.Series(1_767_225_600 + 3600 * np.arange(5))
days = np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[D]")
expect("types that pandas makes:",
       [str(epochs.astype("datetime64[s]").dtype), str(pd.Series(days).dtype),
        str(pd.date_range("2026-01-01", periods=5, freq="h", unit="s").dtype)], ["datetime64[s]"] * 3)

opens = pd.DatetimeIndex(epochs.astype("datetime64[s]"), name="opens")
expect("candles, before:", (opens[0], opens.nunique()), (pd.Timestamp("2026-01-01"), 5))
right = list(pd.date_range("2026-01-01", periods=5, freq="h"))


def moments(frame):
    write("candles.parquet", frame)
    back = ParquetFile("candles.parquet").to_pandas()
    stamps = back["opens"] if "opens" in back else back.index
    return sorted({str(stamp) for stamp in stamps}), len(back)


close = np.arange(5.0)
indexed = pd.DataFrame({"close": close}, index=opens)
expect("index:", moments(indexed), (["1970-01-01 00:29:27"], 5))
limits = ParquetFile("candles.parquet").statistics
expect("statistics in the file:", [str(limits[end]["opens"][0]) for end in ("min", "max")],
       ["1970-01-01T00:29:27.225", "1970-01-01T00:29:27.240"])
expect("UTC column:", moments(pd.DataFrame({"opens": opens.tz_localize("UTC"), "close": close})),
       (["1970-01-01 00:29:27+00:00"], 5))
indexed.to_parquet("pandas.parquet", engine="fastparquet")
expect("by pandas itself:", set(pd.read_parquet("pandas.parquet", engine="fastparquet").index),
       {pd.Timestamp("1970-01-01 00:29:27")})
try:
    answer = moments(pd.DataFrame({"opens": opens, "close": close}))
except ValueError as error:
    answer = str(error)
expect("plain column:", answer, "Cannot losslessly cast '1767225 ms' to s")

for unit in ("ms", "us", "ns"):
    write("candles.parquet", pd.DataFrame({"close": close}, index=opens.as_unit(unit)))
    expect(f"{unit}:", list(ParquetFile("candles.parquet").to_pandas().index) == right, True)
PY
