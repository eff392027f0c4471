#!/usr/bin/env bash
# pyindicators 0.22.0 on polars 2.1.0: cci() gives no CCI column; it writes the CCI over the highs of the candles.
#
# Done: cci() on 120 candles around 60,000 in a polars frame, all defaults, then atr(), willr() and
# stochastic_oscillator() on the frame that it returns. The same candles as a pandas 3.1.1 frame.
#
# Expected: the docstring: "Returns the original DataFrame with a new column for CCI", named by result_column ("CCI"). The
# README: "Dataframe first approach, with support for both pandas dataframes and polars dataframes".
#
# Happens: the name is given to the divisor alone and not to the quotient, and a polars expression without a name takes
# that of its first column, High. The frame comes back with three columns as it went in, and High is the CCI. No error:
# it comes with the next call that wants a high. The average true range of a quiet hour becomes 60,047, the stochastic
# leaves its scale. result_column="mine" is lost the same way. In pandas there is a CCI column and the highs stand.
#
# Seen:
#   columns, pandas: High, Low, Close, CCI; polars: High, Low, Close (also with result_column="mine")
#   last high: 59935.64; after cci: -63.47, which is the CCI of the pandas frame
#   ATR: 126.83; after cci: 60047.23;  Williams %R: -71.33; -100.24;  stochastic %K: 19.56; -0.17
#
# Way round: candles.with_columns(CCI=cci(candles)["High"]), or cci last and on a copy.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check \
    pyindicators==0.22.0 polars==2.1.0 pandas==3.1.1 numpy==2.4.6 pyarrow==26.0.1
cd "$dir"
venv/bin/python - <<'PY'
import math
import warnings

import polars as pl

warnings.simplefilter("ignore")
from pyindicators import atr, cci, stochastic_oscillator, willr


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


closes = [60000 + 200 * math.sin(bar / 5) + 40 * (bar % 3) for bar in range(120)]
candles = pl.DataFrame({"High": [close + 50 for close in closes], "Low": [close - 60 for close in closes],
                        "Close": closes})
in_pandas, after = cci(candles.to_pandas()), cci(candles)

expect("columns, pandas:", list(in_pandas.columns), ["High", "Low", "Close", "CCI"])
expect("columns, polars:", after.columns, ["High", "Low", "Close"])
expect("columns, polars, with a name of one's own:", cci(candles, result_column="mine").columns,
       ["High", "Low", "Close"])


def last(frame, column):
    return round(float(list(frame[column])[-1]), 2)


expect("last high, before and after:", (last(candles, "High"), last(after, "High")), (59935.64, -63.47))
expect("CCI and high of the pandas frame:", (last(in_pandas, "CCI"), last(in_pandas, "High")), (-63.47, 59935.64))
expect("ATR, before and after:", (last(atr(candles), "ATR"), last(atr(after), "ATR")), (126.83, 60047.23))
expect("Williams %R:", (last(willr(candles), "willr"), last(willr(after), "willr")), (-71.33, -100.24))
expect("stochastic %K:", (last(stochastic_oscillator(candles), "%K"), last(stochastic_oscillator(after), "%K")),
       (19.56, -0.17))
PY
