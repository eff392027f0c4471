#!/usr/bin/env bash
# duckdb 2.0.1 reading pandas 3.1.1 frames of decimal.Decimal: quantities are rounded silently to the places of a sample.
#
# Done: a fill table of 5,000 rows, amounts as decimal.Decimal (the usual way to hold money in pandas). 4,999 fills of
# 1.5 and one of 0.00000019. Query the frame by name, and store it in a table that has room (DECIMAL(38,18)).
#
# Expected: the amounts, or an error. DuckDB's Python pages say that object columns go through an analyze phase over a
# sample (setting pandas_analyze_sample, 1000 rows) to find the target type. A sample may guess wrong; but a value that
# does not fit the guess is an error when it is too WIDE ("value is out of range!"), so one expects the same when it has
# too many places. A Decimal is an exact number and nothing here asked for a rounding.
#
# Happens: the type becomes DECIMAL(2,1) and every amount is rounded to one place. 0.00000019 is stored as 0, 0.25 as
# 0.3; the sum of the column differs from pandas' own. No error, no warning. With 1,000 rows or fewer (all sampled)
# the same data are exact, so tests on small frames never see it.
#
# Seen:
#   1000 rows: DECIMAL(9,8) smallest 1.9E-7
#   5000 rows: DECIMAL(2,1) smallest 0.0
#   into DECIMAL(38,18): smallest 0E-18
#   0.25 reads as 0.3; sum 7498.8 against 7498.75 in pandas
#   one amount of 12345.5 instead: InvalidInputException ... out of range
#
# Way round: SET GLOBAL pandas_analyze_sample to the number of rows, or hand over an Arrow table with a decimal type.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check duckdb==2.0.1 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
from decimal import Decimal as D
import duckdb
import pandas as pd


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def fills(rows, odd):
    frame = pd.DataFrame({"amount": [D("1.5")] * rows})
    frame.loc[rows // 2 + 1, "amount"] = odd
    return frame


ask = "select distinct typeof(amount), min(amount) over () from fills_frame"
fills_frame = fills(1000, D("0.00000019"))
expect("1000 rows:", duckdb.sql(ask).fetchall(), [("DECIMAL(9,8)", D("0.00000019"))])

fills_frame = fills(5000, D("0.00000019"))
expect("5000 rows:", duckdb.sql(ask).fetchall(), [("DECIMAL(2,1)", D("0.0"))])
duckdb.sql("create table stored (amount decimal(38, 18))")
duckdb.sql("insert into stored select amount from fills_frame")
expect("into DECIMAL(38,18), smallest:", duckdb.sql("select min(amount) from stored").fetchall()[0][0], D("0"))

fills_frame = fills(5000, D("0.25"))
expect("0.25 reads as:", duckdb.sql("select min(amount) from fills_frame").fetchall()[0][0], D("0.3"))
expect("sum by duckdb and by pandas:",
       (duckdb.sql("select sum(amount) from fills_frame").fetchall()[0][0], fills_frame["amount"].sum()),
       (D("7498.8"), D("7498.75")))

fills_frame = fills(5000, D("12345.5"))
try:
    duckdb.sql("select sum(amount) from fills_frame").fetchall()
    refused = "accepted"
except duckdb.InvalidInputException as error:
    refused = "out of range" if "out of range" in str(error) else str(error)
expect("a value too wide for the guess is:", refused, "out of range")

duckdb.sql("set global pandas_analyze_sample = 5000")
fills_frame = fills(5000, D("0.00000019"))
expect("with the whole column sampled:", duckdb.sql(ask).fetchall(), [("DECIMAL(9,8)", D("0.00000019"))])
PY
