#!/usr/bin/env bash
# stockstats 0.6.10: Kaufman's average doubles where it should square, and runs past every price there has been.
#
# Done: df["close_10,2,30_kama"], the README's own example, on ten bars at 100 and one step to 110; on a rise by 1 a
# bar; and on a market that only swings between 100 and 101. The published formula beside it.
#
# Expected: an average between the prices it is made of. The README and the docstring give the chart school's page on
# KAMA as the definition: smoothing constant = (efficiency ratio x (fastest - slowest) + slowest) SQUARED, at most
# (2/3) squared, 0.44, for a fast length of 2.
#
# Happens: the constant is taken times two. At full efficiency it is 4/3, so that each bar adds more than the whole way
# to the price: after the step the "average" is 113.33 while no price was ever above 110, and in a rise it leads the
# price by 0.25 instead of lagging by 1.25, so price and average cross on the wrong side. In noise, where the square is
# what makes KAMA stand still, it moves 33 times as far. The default (5, 34) has a fast constant of 2/3 instead of 1/9.
# (Reported earlier was only a wrong sign in the same line, number 102 of its tracker, since mended.)
#
# Seen:
#   step to 110:           113.333, 108.889, 110.37, 109.877; published 104.444, 106.914, 108.285, 109.047
#   rise, price - average: -0.25; published 1.25
#   swings of 1, span of the average: 0.069; published 0.0021
#
# Way round: the formula in six lines, from df["close_10_ker"], which is right.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check stockstats==0.6.10 pandas==3.1.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import pandas as pd

warnings.simplefilter("ignore")
from stockstats import wrap


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def kama(closes):
    candles = pd.DataFrame({name: closes for name in ("open", "high", "low", "close")}, dtype=float)
    return wrap(candles.assign(volume=1.0))["close_10,2,30_kama"].tolist()[9:]


def published(closes):
    averages = [sum(closes[:10]) / 10]
    for bar in range(10, len(closes)):
        way = sum(abs(closes[at] - closes[at - 1]) for at in range(bar - 9, bar + 1))
        efficiency = abs(closes[bar] - closes[bar - 10]) / way
        constant = (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2
        averages.append(averages[-1] + constant * (closes[bar] - averages[-1]))
    return averages


def rounded(values, places=3):
    return [round(value, places) for value in values]


step = [100.0] * 10 + [110.0] * 10
expect("step to 110:", rounded(kama(step)[1:5]), [113.333, 108.889, 110.37, 109.877])
expect("published:  ", rounded(published(step)[1:5]), [104.444, 106.914, 108.285, 109.047])
expect("highest price and highest average:", (max(step), round(max(kama(step)), 3)), (110.0, 113.333))

rise = [100.0] * 10 + [101.0 + bar for bar in range(60)]
expect("rise, price - average, and published:", rounded((rise[-1] - kama(rise)[-1], rise[-1] - published(rise)[-1])),
       [-0.25, 1.25])

swing = [100.0 + bar % 2 for bar in range(200)]
spans = [max(line[-20:]) - min(line[-20:]) for line in (kama(swing), published(swing))]
expect("swings of 1, span of the average, and published:", rounded(spans, 4), [0.069, 0.0021])
PY
