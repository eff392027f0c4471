#!/usr/bin/env bash
# pandas-ta-classic 0.8.32: a year lasts 252 calendar days; a market that doubles in a year has a CAGR of 61 %.
#
# Done: daily closes from 2025-01-01 to 2026-01-01 that double, every day of the week as a coin trades, through
# pandas_ta_classic.cagr; ten years that double each year; weekdays only; and calmar_ratio of the year with a dip.
#
# Expected: 1.00 (100 %). The docstring: "Compounded Annual Growth Rate". The function reads the dates of the index, and
# 365 days are a year.
#
# Happens: the years are the calendar days from the first to the last date divided by 252, the count of TRADING days in
# a year: 365 days are 1.45 years. Whichever days are traded, coins or stocks, the growth of a year is spread over 17
# months: 61 % for 100 %, and as much wrong over ten years. months and weeks of the same helper are right. calmar_ratio
# and sortino_ratio are made of it, and the volatility and downside deviation that it annualises are too small by the
# factor 0.83. (Reported of its ancestor pandas-ta 0.3.14b, number 684 of its tracker, and mended there; the fork
# kept it.)
#
# Seen:
#   cagr, doubles in a year:         0.6137; the same, weekdays only: 0.6137
#   cagr, doubles every year of ten: 0.6132
#   total_time of the year: 1.4484 years, 12.0 months, 52.1 weeks
#   calmar_ratio: 3.0687; growth of the year over its dip of 20 %: 5.0
#
# Way round: (end / start) ** (365.25 / days) - 1
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pandas-ta-classic==0.8.32 pandas==3.1.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import pandas as pd

warnings.simplefilter("ignore")
import pandas_ta_classic as ta


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def doubling(dates, days):
    """Closes that double in so many days."""
    return pd.Series([100 * 2.0 ** ((date - dates[0]).days / days) for date in dates], dates)


def places(value):
    return round(float(value), 4)


year = doubling(pd.date_range("2025-01-01", "2026-01-01"), 365)
expect("cagr, doubles in a year:", places(ta.cagr(year)), 0.6137)
expect("the same, weekdays only:", places(ta.cagr(year[year.index.dayofweek < 5])), 0.6137)
expect("cagr, doubles every year of ten:",
       places(ta.cagr(doubling(pd.date_range("2016-01-01", "2026-01-01"), 365.25))), 0.6132)
expect("total_time in years, months, weeks:", [places(ta.total_time(year, unit)) for unit in ("years", "months", "weeks")],
       [1.4484, 11.9999, 52.1429])

dipped = year.copy()
dipped.iloc[180] = dipped.iloc[179] * 0.8
expect("calmar_ratio, and growth over dip:",
       (places(ta.calmar_ratio(dipped, years=2)),
        places((dipped.iloc[-1] / dipped.iloc[0] - 1) / (1 - dipped / dipped.cummax()).max())), (3.0687, 5.0))
PY
