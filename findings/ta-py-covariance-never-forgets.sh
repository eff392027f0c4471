#!/usr/bin/env bash
# ta-py 2.1.0: a rolling covariance that never lets a window go; a market that stands still keeps its old variance.
#
# Done: covariance(data, data, 4) of a price that climbs from 1 to 5 and then stands still, and covariance(x, x, 20) of
# 400 values that repeat 7 in a ring, so that every long window is much like the next. pandas' rolling covariance
# (3.1.1, ddof=0) beside it.
#
# Expected: one covariance a window, of that window alone. The docstring: "Compute the rolling covariance between two
# series". Four equal prices have a variance of 0.
#
# Happens: the sum of products is set to zero before the first window and never again: each value is the covariance of
# its window PLUS those of all windows before. The first value is right (a test on one window passes), the still market
# stays at 3.375 for ever, and after 381 windows the ring stands at 1519.665 instead of 3.99. A hedge ratio or a beta from it
# grows with the length of the history that was loaded; the same last window alone gives the right number.
#
# Seen:
#   climb, then rest: 1.25, 2.5, 3.1875, 3.375, 3.375, 3.375, 3.375
#   pandas:           1.25, 1.25, 0.6875, 0.1875, 0.0, 0.0, 0.0
#   ring, first and last of 381: 3.7275, 1519.665
#   pandas:                      3.7275, 3.99
#   the last 20 values alone:    3.99
#
# Way round: the difference of neighbours, covariance(...)[i] - covariance(...)[i - 1], or one call for each window.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check ta-py==2.1.0 pandas==3.1.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import pandas as pd
import ta_py


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def rolled(values, length):
    line = pd.Series(values)
    return [round(value, 4) for value in line.rolling(length).cov(line, ddof=0).dropna().tolist()]


def told(values, length):
    return [round(value, 4) for value in ta_py.covariance(values, values, length)]


climb = [1.0, 2.0, 3.0, 4.0] + [5.0] * 6
expect("climb, then rest:", told(climb, 4), [1.25, 2.5, 3.1875, 3.375, 3.375, 3.375, 3.375])
expect("pandas:          ", rolled(climb, 4), [1.25, 1.25, 0.6875, 0.1875, 0.0, 0.0, 0.0])

ring = [float(bar % 7) for bar in range(400)]
mine, pandas = told(ring, 20), rolled(ring, 20)
expect("windows:", (len(mine), len(pandas)), (381, 381))
expect("ring, first and last:", (mine[0], mine[-1]), (3.7275, 1519.665))
expect("pandas:              ", (pandas[0], pandas[-1]), (3.7275, 3.99))
expect("the last 20 values alone:", told(ring[-20:], 20), [3.99])
PY
