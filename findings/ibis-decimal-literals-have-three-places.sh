#!/usr/bin/env bash
# ibis-framework 12.0.0 on duckdb 2.0.1: every Decimal put into an expression is rounded to three places.
#
# Done: a table of fills with exact columns, DECIMAL(38,18): prices of a coin of 0.00000019, 0.00000020 and 60000.1234
# dollars, amounts 0.5. Filter by a Decimal price, multiply by a fee rate of Decimal("0.0004"), fill gaps with a
# Decimal, cast text to "decimal", create a table with a "decimal" column. The same filter and fee in duckdb's own
# expressions.
#
# Expected: the Decimal's own digits. The docstring of ibis.literal: "Create a scalar expression from a Python value";
# type is for where "ibis's type inference isn't sufficient". A Decimal is what one takes so that nothing is rounded,
# the type that ibis shows for it, "decimal", has no scale to round to, and Decimals given to ibis.memtable keep theirs.
#
# Happens: the literal is compiled to CAST(... AS DECIMAL(18, 3)). price < 0.0000002 finds no row where one is,
# price == 60000.1234 finds none, price > 60000.1234 finds that very row, since it compares with 60000.123. A fee of
# 0.0004 is 0: all fills are free. "0.00000019" cast to decimal is 0, and a table made with the type decimal stores
# three places. No error, no warning. (Floats in the same places are compared as floats.)
#
# Seen:
#   literal(Decimal("0.00000019")): 0
#   price < 0.0000002: 0 rows of 1; price > 60000.1234: 1 row of 0; price * 0.0004 of 60000.1234: 0 (true 24.00004936)
#   table with column "decimal": DECIMAL(18,3)
#   duckdb's own: 1 row, 0 rows, 24.00004936
#
# Way round: always give the type: ibis.literal(value, type="decimal(38, 18)"), cast("decimal(38, 18)").
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check \
    "ibis-framework[duckdb]==12.0.0" duckdb==2.0.1 sqlglot==30.30.0
cd "$dir"
venv/bin/python - <<'PY'
from decimal import Decimal as D

import duckdb
import ibis


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


con = ibis.duckdb.connect()
con.raw_sql("create table fills (price decimal(38, 18), amount decimal(38, 18))")
con.raw_sql("insert into fills values (0.00000019, 0.5), (0.00000020, 0.5), (60000.1234, 0.5)")
fills = con.table("fills")
expect("the columns are exact:", [str(kind) for kind in fills.schema().types], ["decimal(38, 18)"] * 2)


def found(condition):
    return [D(price).normalize() for price in con.to_pyarrow(fills.filter(condition).price).to_pylist()]


low, high, fee = D("0.0000002"), D("60000.1234"), D("0.0004")
expect("a Decimal alone:", con.execute(ibis.literal(D("0.00000019"))), 0)
expect("its type in ibis, and in duckdb:",
       (str(ibis.literal(low).type()), "DECIMAL(18, 3)" in ibis.to_sql(ibis.literal(low))), ("decimal", True))
expect("price < 0.0000002:", found(fills.price < low), [])
expect("price == 60000.1234:", found(fills.price == high), [])
expect("price > 60000.1234:", found(fills.price > high), [high])
expect("fees at 0.0004:", [float(paid) for paid in con.to_pyarrow(fills.price * fee).to_pylist()], [0.0, 0.0, 0.0])
texts = con.create_table("texts", ibis.memtable({"price": ["0.00000019"]}))
expect("text cast to decimal:", con.to_pyarrow(texts.price.cast("decimal")).to_pylist(), [D("0.000")])
con.create_table("stored", schema=ibis.schema({"price": "decimal"}))
expect("a table's decimal:", con.raw_sql("describe stored").fetchall()[0][1], "DECIMAL(18,3)")

exact = duckdb.connect()
exact.sql("create table fills as select * from (values (0.00000019::decimal(38,18)), (60000.1234)) t(price)")
asked = exact.execute("select count(*) filter (price < $low), count(*) filter (price > $high), max(price) * $fee "
                      "from fills", {"low": low, "high": high, "fee": fee}).fetchone()
expect("duckdb's own:", (*asked[:2], asked[2].normalize()), (1, 0, D("24.00004936")))

typed = "decimal(38, 18)"
expect("with a type, price < 0.0000002:", found(fills.price < ibis.literal(low, type=typed)), [D("0.00000019")])
expect("with a type, price > 60000.1234:", found(fills.price > ibis.literal(high, type=typed)), [])
PY
