#!/usr/bin/env bash
# quantstats 0.0.86: quarter-to-date is empty in six months of the year, and only the month in two more.
#
# Done: daily returns of 2026, extended by quantstats.extend_pandas(); returns.qtd() asked on the 15th of every month,
# the clock held by freezegun 1.5.5.
#
# Expected: the days since the first of January, April, July or October, whichever was last. The docstring: "Filter
# dataframe to quarter-to-date data", and the comment beside the code lists Q1 as January to March, and so on. mtd() and
# ytd() do that for month and year.
#
# Happens: the loop over the quarters' first months takes the first that is not BEFORE the current one, so in February
# it is April: a filter from a day that has not come, and nothing is left. The return of the quarter is then 0 by
# .sum() or qs.stats.comp, and no error tells. In November and December no quarter matches and the month is taken. It is
# right in January, April, July and October only: in 4 of 12 months.
#
# Seen on the 15th (days, expected days):
#   Jan 15 15, Feb 0 46, Mar 0 74, Apr 15 15, May 0 45, Jun 0 76,
#   Jul 15 15, Aug 0 46, Sep 0 77, Oct 15 15, Nov 15 46, Dec 15 76
#
# Way round: returns[returns.index.to_period("Q") == pandas.Timestamp.now().to_period("Q")]
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check quantstats==0.0.86 pandas==3.1.1 freezegun==1.5.5
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import pandas as pd

warnings.simplefilter("ignore")
import quantstats
from freezegun import freeze_time


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


quantstats.extend_pandas()
year = pd.Series(0.001, pd.date_range("2026-01-01", "2026-12-31"))


def days(month):
    """Days in the quarter so far: by quantstats, by the calendar; and in the month and the year by quantstats."""
    now = pd.Timestamp(2026, month, 15)
    returns = year[:now]
    wanted = int((returns.index.to_period("Q") == now.to_period("Q")).sum())
    with freeze_time(now.to_pydatetime()):
        return len(returns.qtd()), wanted, len(returns.mtd()), len(returns.ytd()) == now.dayofyear


seen = {pd.Timestamp(2026, month, 1).strftime("%b"): days(month) for month in range(1, 13)}
expect("quarter so far, in days:", {month: found[0] for month, found in seen.items()},
       {"Jan": 15, "Feb": 0, "Mar": 0, "Apr": 15, "May": 0, "Jun": 0,
        "Jul": 15, "Aug": 0, "Sep": 0, "Oct": 15, "Nov": 15, "Dec": 15})
expect("by the calendar:", {month: found[1] for month, found in seen.items()},
       {"Jan": 15, "Feb": 46, "Mar": 74, "Apr": 15, "May": 45, "Jun": 76,
        "Jul": 15, "Aug": 46, "Sep": 77, "Oct": 15, "Nov": 46, "Dec": 76})
expect("month and year so far are right:", {found[2:] for found in seen.values()}, {(15, True)})

with freeze_time("2026-02-15"):
    returns = year[:"2026-02-15"]
    expect("return of the quarter in February, and without qtd():",
           (round(float(returns.qtd().comp()), 4), round(float(returns.comp()), 4)), (0.0, 0.0471))
PY
