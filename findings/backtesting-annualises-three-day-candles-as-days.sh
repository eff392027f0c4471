#!/usr/bin/env bash
# backtesting 0.6.6: three-day candles are annualised as if each were a day; 49 % in a year is reported as 234 %.
#
# Done: a year of a market that rises by half, bought at the start and held, as candles of 1 day, 3 days, 1 week and 14
# days: Backtest(...).run() with a DatetimeIndex. 1d, 3d and 1w are intervals of Binance and others; the prices are the
# same curve each time.
#
# Expected: one Return (Ann.), near the return of that year, and near CAGR, which stands a few lines below it. The
# source says "Our annualized return matches `empyrical.annual_return(day_returns)`", and the index tells the length
# of a bar: weeks, months and years are recognised and come out right.
#
# Happens: every other distance of more than a day takes the factor of days, 365 (252 without weekends), while there is
# one return per bar: the growth of three days is raised to the power of 365. Return, volatility, Sharpe, Sortino and
# Calmar are all wrong together, up, and by more the longer the bar; in a table of time frames the 3d strategies win.
# No warning. CAGR, taken from the dates, is right.
#
# Seen (Return, Return (Ann.), CAGR in %; Sharpe):
#   1D:  50.16   50.16  50.20  2.13
#   3D:  49.17  234.12  49.54  4.49
#   7D:  47.04   47.04  47.24  5.43
#   14D: 44.79 3513.14  44.97  6.84
#
# Way round: CAGR [%] for the return; build 1d candles from the 3d strategy's equity for everything else.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check backtesting==0.6.6 pandas==3.1.1 numpy==2.4.6
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
from backtesting import Backtest, Strategy


class Hold(Strategy):
    def init(self):
        pass

    def next(self):
        if not self.position:
            self.buy(size=0.99)


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def held(bar, bars):
    index = pd.date_range("2025-01-01", periods=bars, freq=bar)
    rise = 100 * 1.5 ** ((index - index[0]).days.to_numpy() / 365)
    close = rise + np.tile([0.0, 1.0], bars)[:bars]
    candles = pd.DataFrame({name: close for name in ("Open", "High", "Low", "Close")}, index).assign(Volume=1.0)
    stats = Backtest(candles, Hold, cash=1_000_000, finalize_trades=True).run()
    return [round(float(stats[name]), 2) for name in ("Return [%]", "Return (Ann.) [%]", "CAGR [%]", "Sharpe Ratio")]


expect("Return, Return (Ann.), CAGR, Sharpe of 1D: ", held("1D", 366), [50.16, 50.16, 50.2, 2.13])
expect("Return, Return (Ann.), CAGR, Sharpe of 3D: ", held("3D", 122), [49.17, 234.12, 49.54, 4.49])
expect("Return, Return (Ann.), CAGR, Sharpe of 7D: ", held("7D", 53), [47.04, 47.04, 47.24, 5.43])
expect("Return, Return (Ann.), CAGR, Sharpe of 14D:", held("14D", 27), [44.79, 3513.14, 44.97, 6.84])
PY
