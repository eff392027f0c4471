#!/usr/bin/env bash
# quantstats 0.0.86: returns without a loss and with one above 100 % are taken for prices; a perfect record turns red.
#
# Done: the yearly returns of a strategy that never had a losing year, 35 %, 125 %, 60 % and 10 %, through
# quantstats.stats: best, worst, win_rate, avg_win, expected_return, volatility, cagr. Then with 99 % for 125 %.
#
# Expected: best 1.25, worst 0.10, win rate 1. The functions document their argument as "returns (pd.Series): Return
# series to analyze", win_rate as "the ratio of positive returns to total non-zero returns". In coins 125 % in a year,
# or in a month, is an ordinary number.
#
# Happens: a series with no negative value and one above 1 is silently put through pct_change first. 125 % after 35 %
# becomes a "return" of 257 %, 60 % after it one of -52 %, 10 % after that one of -83 %, and the first year vanishes.
# Win rate 0.33, expected return -0.34. stats.comp does not guess and says +434.6 %, the drawdown has a rule of its own.
# One losing year more, or 99 % instead of 125 %, and everything is right, so that a test on tame numbers never sees it.
# (prepare_returns=False switches the guess off, where a function has it; cagr has not.)
#
# Seen:
#   with 125 %: best 2.571, worst -0.833, win_rate 0.333, avg_win 2.571, expected_return -0.341
#   with 99 %:  best 0.99,  worst 0.1,    win_rate 1,     avg_win 0.51,  expected_return 0.475
#   with 125 %, prepare_returns=False: best 1.25, worst 0.1, win_rate 1
#   with 125 %: comp 4.346
#
# Way round: prepare_returns=False wherever it is to be had.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check quantstats==0.0.86 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import pandas as pd

warnings.simplefilter("ignore")
from quantstats import stats


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def years(*returns):
    return pd.Series(returns, pd.to_datetime([f"{2022 + at}-12-31" for at in range(len(returns))]))


def told(returns, *names, **options):
    return {name: round(float(getattr(stats, name)(returns, **options)), 3) for name in names}


good, tame = years(0.35, 1.25, 0.60, 0.10), years(0.35, 0.99, 0.60, 0.10)
NAMES = "best", "worst", "win_rate", "avg_win", "expected_return"
expect("with 125 %:", told(good, *NAMES),
       {"best": 2.571, "worst": -0.833, "win_rate": 0.333, "avg_win": 2.571, "expected_return": -0.341})
expect("with 99 %:", told(tame, *NAMES),
       {"best": 0.99, "worst": 0.1, "win_rate": 1.0, "avg_win": 0.51, "expected_return": 0.475})
expect("with 125 %, prepare_returns=False:", told(good, *NAMES, prepare_returns=False),
       {"best": 1.25, "worst": 0.1, "win_rate": 1.0, "avg_win": 0.575, "expected_return": 0.521})
expect("with a losing year more:", told(years(0.35, 1.25, 0.60, 0.10, -0.01), *NAMES[:3]),
       {"best": 1.25, "worst": -0.01, "win_rate": 0.8})
expect("with 125 %, without a guess:", told(good, "comp"), {"comp": 4.346})
PY
