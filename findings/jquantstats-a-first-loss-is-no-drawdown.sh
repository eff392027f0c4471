#!/usr/bin/env bash
# jquantstats 0.13.1 (polars 2.1.0): half the money lost in the first period is no drawdown; max_drawdown says 0.
#
# Done: five daily returns of a desk, -50 % and four times +10 %, through Data.from_returns(...).stats; then -50 %, -10 %
# and three times +10 %; then the first again with a day of 0 % before it. quantstats 0.0.86 on the same returns.
#
# Expected: -0.5, -0.55, -0.5. A series of returns starts from the money that was there before the first of them. Its
# older relative quantstats had the same and mended it (number 438 of its tracker), and jquantstats itself knows: its
# ulcer_index starts from 1 and gives quantstats' number.
#
# Happens: the peak is looked for from the end of the first period on, so the loss of the first period belongs to no
# drawdown: not in max_drawdown, drawdown, drawdown_details, max_drawdown_duration and avg_drawdown, nor in the ratios
# made of it. The fund that lost half is spotless; calmar is NaN. With a second loss the drawdown is 10 % instead of 55 %,
# and the recovery factor is 3 instead of 0.55. A day of nothing put before it, and all is right.
#
# Seen (jquantstats, quantstats):
#   -50, +10, +10, +10, +10:    max_drawdown 0.0, -0.5;  ulcer_index 0.445, 0.445;  episodes 0
#   -50, -10, +10, +10, +10:    max_drawdown -0.1, -0.55;  recovery_factor 3.0, 0.545
#   0, -50, +10, +10, +10, +10: max_drawdown -0.5, -0.5
#
# Way round: put a return of 0 before the first one.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check \
    jquantstats==0.13.1 polars==2.1.0 quantstats==0.0.86 pandas==3.1.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import warnings
from datetime import date, timedelta

import pandas as pd
import polars as pl

warnings.simplefilter("ignore")
from jquantstats import Data
from quantstats import stats as quantstats


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def days(returns):
    return [date(2026, 1, 1) + timedelta(days=day) for day in range(len(returns))]


def stats(returns):
    return Data.from_returns(returns=pl.DataFrame({"date": days(returns), "desk": returns})).stats


def both(name, returns):
    series = pd.Series(returns, pd.to_datetime(days(returns)))
    mine, other = getattr(stats(returns), name)()["desk"], getattr(quantstats, name)(series)
    return round(float(mine), 3), round(float(other), 3)


once, twice = [-0.5, 0.1, 0.1, 0.1, 0.1], [-0.5, -0.1, 0.1, 0.1, 0.1]
expect("one loss, max_drawdown:", both("max_drawdown", once), (0.0, -0.5))
expect("one loss, ulcer_index:", both("ulcer_index", once), (0.445, 0.445))
expect("one loss, episodes of drawdown:", len(stats(once).drawdown_details()["desk"]), 0)
expect("one loss, calmar:", str(stats(once).calmar()["desk"]), "nan")
expect("one loss, the drawdown line:", stats(once).drawdown()["desk"].max(), 0.0)
expect("two losses, max_drawdown:", both("max_drawdown", twice), (-0.1, -0.55))
expect("two losses, recovery_factor:", both("recovery_factor", twice), (3.0, 0.545))
expect("a day of nothing before, max_drawdown:", both("max_drawdown", [0.0, *once]), (-0.5, -0.5))
PY
