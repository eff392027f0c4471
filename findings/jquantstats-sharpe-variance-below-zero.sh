#!/usr/bin/env bash
# jquantstats 0.13.1 (polars 2.1.0): the variance of a good Sharpe ratio is negative, and its probability ignores crashes.
#
# Done: sixty monthly returns with the quantiles of a bell curve, moved so that the monthly Sharpe ratio is 0.3, 0.9 and
# 1.2: stats.sharpe_variance(periods=1). Then returns with a Sharpe ratio of 0.2 and two shapes, one the mirror of the
# other, many small gains and three crashes, or many small losses and three windfalls:
# stats.probabilistic_sharpe_ratio(), and stats.probabilistic_ratio("sharpe") of the same class.
#
# Expected: as Bailey and Lopez de Prado publish it ("The Sharpe Ratio Efficient Frontier", 2012), the variance is
# (1 - skewness x SR + (kurtosis - 1) / 4 x SR^2) / (T - 1), with a kurtosis of 3 for the bell curve: (1 + SR^2 / 2) /
# (T - 1). It grows with the ratio, and crashes (a negative skewness) make it larger. (The docstring has another formula,
# with plus and half the skewness, and kurtosis - 3; by that one the bell curve's variance would stay about level.)
#
# Happens: sharpe_variance takes 3 from a kurtosis that polars has already taken 3 from, and adds the skewness where
# it is to be taken off. It FALLS as the ratio rises and is below zero at 1.2 a month, 4.2 a year; crashes make it
# smaller. probabilistic_sharpe_ratio, which also stands in the report, takes the variance at a ratio of 0, where
# skewness and kurtosis are multiplied by 0: the seller of crash insurance and its buyer are told the same 93.9 %. The
# other method knows the published formula and says 85.9 and 99.6 %: two answers for one question. No warning.
#
# Seen (monthly):
#   sharpe_variance at 0.3, 0.9, 1.2:  0.01548, 0.00603, -0.00225
#   published:                         0.01765, 0.02329, 0.02822
#   crashes:   sharpe_variance 0.01186, published 0.03444; probabilistic_sharpe_ratio 0.939, probabilistic_ratio 0.859
#   windfalls: sharpe_variance 0.02598, published 0.00572; probabilistic_sharpe_ratio 0.939, probabilistic_ratio 0.996
#
# Way round: probabilistic_ratio("sharpe"); the variance by hand.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check \
    jquantstats==0.13.1 polars==2.1.0 numpy==2.4.6 scipy==1.17.1
cd "$dir"
venv/bin/python - <<'PY'
from datetime import date, timedelta

import numpy as np
import polars as pl
from jquantstats import Data
from scipy.stats import kurtosis, norm, skew

MONTHS = 60
bell = norm.ppf((np.arange(MONTHS) + 0.5) / MONTHS)
crashes = np.array([1.0] * 57 + [-12.0] * 3)


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def returns(shape, ratio):
    """Monthly returns of the given shape, with a standard deviation of 2 % and the given Sharpe ratio."""
    return 0.02 * ((shape - shape.mean()) / shape.std(ddof=1) + ratio)


def stats(months):
    dates = [date(2020, 1, 31) + timedelta(days=30 * month) for month in range(MONTHS)]
    return Data.from_returns(returns=pl.DataFrame({"date": dates, "desk": months.tolist()})).stats


def variance(months):
    return round(float(stats(months).sharpe_variance(periods=1)["desk"]), 5)


def published(months):
    ratio = months.mean() / months.std(ddof=1)
    shape = 1 - skew(months, bias=False) * ratio + (kurtosis(months, bias=False) + 2) / 4 * ratio**2
    return round(float(shape / (MONTHS - 1)), 5)


def probabilities(months):
    told = stats(months)
    return [round(float(line["desk"]), 3) for line in (told.probabilistic_sharpe_ratio(),
                                                       told.probabilistic_ratio("sharpe"))]


good = [returns(bell, ratio) for ratio in (0.3, 0.9, 1.2)]
expect("sharpe_variance at 0.3, 0.9, 1.2:", [variance(months) for months in good], [0.01548, 0.00603, -0.00225])
expect("published:", [published(months) for months in good], [0.01765, 0.02329, 0.02822])
seller, buyer = returns(crashes, 0.2), returns(-crashes, 0.2)
expect("crashes, sharpe_variance and published:", (variance(seller), published(seller)), (0.01186, 0.03444))
expect("windfalls, sharpe_variance and published:", (variance(buyer), published(buyer)), (0.02598, 0.00572))
expect("crashes, probabilistic_sharpe_ratio and probabilistic_ratio:", probabilities(seller), [0.939, 0.859])
expect("windfalls, the same:", probabilities(buyer), [0.939, 0.996])
PY
