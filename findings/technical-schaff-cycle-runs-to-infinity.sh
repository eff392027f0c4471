#!/usr/bin/env bash
# technical 1.7.0 (freqtrade's indicators): the Schaff trend cycle, an oscillator from 0 to 100, runs to infinity.
#
# Done: technical.indicators.stc, defaults else (23, 50, 10), on 600 closes of a market that rises slowly in waves, with
# some noise. Schaff's two passes beside it: the stochastic of the MACD, smoothed by half, and once more of the result.
#
# Expected: values from 0 to 100, with the levels 25 and 75 as signals. That is how the page that the README links for
# this indicator describes it, and a stochastic is bounded by its making.
#
# Happens: the last line multiplies %K and %D by the MACD, and the MACD falls out of the fraction: what is left is
# 100 x (1 - %K) / (%D - %K), with percents on one side of the minus and a 1 on the other. Where %K crosses its own
# mean, or rests with it at 0 or 100 as it does in every trend, the denominator is 0. Of the bars with a value five in
# six lie outside the scale and half are infinite; its "below 25" and "above 75" say nothing. There is no warning.
# (Two other libraries had a like fraction: numbers 85 of finta's tracker and 425 of cinar/indicator's, both closed.)
#
# Seen (bars with a value; outside of 0 to 100; infinite among them):
#   technical:  533; 445; 267
#   two passes: 533; 0; 0
#   the formula without any MACD gives the same line
#
# Way round: the two passes in ten lines, or another library's.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check technical==1.7.0 ta-lib==0.8.2 pandas==3.1.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import math
import warnings

import pandas as pd

warnings.simplefilter("ignore")
import talib
from technical.indicators import stc

closes = pd.Series([100 + 0.02 * bar + 8 * math.sin(bar / 25) + 1.5 * math.sin(bar / 4.3) + bar * 7919 % 101 / 50
                    for bar in range(600)])
macd = pd.Series(talib.EMA(closes.to_numpy(), 23) - talib.EMA(closes.to_numpy(), 50))
candles = pd.DataFrame({name: closes for name in ("open", "high", "low", "close")}).assign(volume=1.0)


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def stochastic(line):
    low, high = line.rolling(10).min(), line.rolling(10).max()
    return 100 * (line - low) / (high - low)


def smoothed(line):
    return line.ffill().ewm(alpha=0.5, adjust=False).mean()


def counts(line):
    values = line.dropna()
    return len(values), int(((values < -1e-9) | (values > 100 + 1e-9)).sum()), int(values.abs().eq(math.inf).sum())


told = stc(candles)
values, outside, infinite = counts(told)
print("technical, infinite:", infinite)
expect("technical, values, outside, a third infinite:", (values, outside, infinite > values / 3), (533, 445, True))
expect("two passes, values, outside, infinite:", counts(smoothed(stochastic(smoothed(stochastic(macd))))), (533, 0, 0))
k = stochastic(macd)
left = 100 * (1 - k) / (k.rolling(10).mean() - k)
finite = told.abs().lt(1e6) & left.abs().lt(1e6)
expect("the same without any MACD:", bool(((told - left).abs() <= 1e-6 * (1 + told.abs()))[finite].all()), True)
PY
