#!/usr/bin/env bash
# polars 2.1.0: a DataFrame made of rows cuts later quantities to the type of the first hundred, though strict=True.
#
# Done: rows as an exchange answers them (a list of dicts), one hundred with whole or one-place quantities, then one
# that is finer. pl.DataFrame(rows), all arguments default.
#
# Expected: an error. The docstring of pl.DataFrame says of strict (default True): "Throw an error if any `data` value
# does not exactly match the given or inferred data type for that column"; infer_schema_length only says how many rows
# are looked at for the type. A number too big for the type does raise ("make sure that all rows have the same schema
# or consider increasing `infer_schema_length`"), and the same ints and float given as a column raise too.
#
# Happens: 0.19 BTC after a hundred ints becomes 0. 0.00000001 after a hundred Decimals of one place becomes 0.0, and
# 0.19 becomes 0.2: a rounding of money, silent. An explicit schema of Decimal(38, 1) does it too, and "0.19", a number
# sent as text, becomes 0 after ints and None after Decimals. Given as a column, the Decimals keep all their places.
#
# Seen:
#   ints, then 0.19, 0.99 and "0.99": 0, 0, 0 (Int64)
#   Decimals of one place, then 0.19 and 0.00000001: 0.2 and 0.0 (Decimal(38, 1))
#   the same as a column: 0.19000000 and 1E-8 (Decimal(38, 8))
#   2**70 after ints, and int with float in one column: refused
#
# Way round: pass the schema with the places you store, build by columns, or infer_schema_length=None.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check polars==2.1.0
cd "$dir"
venv/bin/python - <<'PY'
from decimal import Decimal as D
import inspect
import polars as pl


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def rows(first, *rest):
    return [{"qty": first}] * 100 + [{"qty": value} for value in rest]


expect("strict is on by default:", inspect.signature(pl.DataFrame).parameters["strict"].default, True)

ints = pl.DataFrame(rows(1, 0.19, 0.99, "0.99"))["qty"]
expect("ints, then 0.19, 0.99 and a text:", (ints.dtype, ints.to_list()[-3:]), (pl.Int64, [0, 0, 0]))
expect("one place, then a text:", pl.DataFrame(rows(D("1.5"), "0.99"))["qty"].to_list()[-1], None)

one_place = rows(D("1.5"), D("0.19"), D("0.00000001"))
for name, frame in (("DataFrame", pl.DataFrame(one_place)), ("from_dicts", pl.from_dicts(one_place)),
                    ("schema given", pl.DataFrame(one_place, schema={"qty": pl.Decimal(38, 1)}))):
    expect(f"Decimals by {name}:", (frame["qty"].dtype, frame["qty"].to_list()[-2:]),
           (pl.Decimal(38, 1), [D("0.2"), D("0.0")]))

column = pl.DataFrame({"qty": [row["qty"] for row in one_place]})["qty"]
expect("the same as a column:", (column.dtype, column.to_list()[-2:]),
       (pl.Decimal(38, 8), [D("0.19"), D("0.00000001")]))
whole = pl.DataFrame(one_place, infer_schema_length=None)["qty"].to_list()
expect("rows, all looked at:", whole[-2:], [D("0.19"), D("0.00000001")])


def refused(make):
    try:
        make()
    except (pl.exceptions.ComputeError, TypeError):
        return "refused"
    return "accepted"


expect("a number too big, after a hundred ints:", refused(lambda: pl.DataFrame(rows(1, 2**70))), "refused")
expect("int and float in one column:", refused(lambda: pl.DataFrame({"qty": [1] * 100 + [0.19]})), "refused")
PY
