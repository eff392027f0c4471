#!/usr/bin/env bash
# pyfolio-reloaded 0.10.1: round trips are counted in whole coins; the fractions vanish, or turn into a short sale.
#
# Done: extract_round_trips on fills of a BTC market, all of them long and sold out in full: 2 and 2.9 coins bought at
# 100 and sold at 110; 1.6 and 1.6 bought and 3.2 sold; then one coin bought at 90 and sold at 90.
#
# Expected: PnL is amount times price difference, and what is sold out is flat. The docstring asks for "Prices and
# amounts of executed round_trips" and says that round trips are matched in FIFO order and may be partial; no line
# limits the amounts to whole numbers.
#
# Happens: every merged fill is cut with astype(int) and laid out as that many single coins. 2.9 coins earn as much as
# 2, PnL 20 where 29 were earned; rt_returns look right, so nobody looks. Two buys of 1.6 are 2 coins, their sale of
# 3.2 is 3: the third is kept as an open SHORT, and the next honest purchase "closes" it: a short trade with a gain of
# 20, that never was, and the purchase itself is missing when it is sold. No warning. If every amount is below one coin
# (an ordinary crypto account) there is nothing left and it ends with KeyError: 'close_dt'.
#
# Seen:
#   2 coins: PnL 20; 2.9 coins: PnL 20 (true: 29)
#   1.6 + 1.6 - 3.2: PnL 20 (true: 32); then +1 at 90: a short trade, PnL 20; then -1 at 90: no trade (true: PnL 0)
#   in units of 1/10 coin: PnL 290 and 320 tenths, no short trade
#
# Way round: count amounts in the smallest step that trades (and divide the PnL by it), if these are not too many.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check pyfolio-reloaded==0.10.1 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import pandas as pd

warnings.simplefilter("ignore")
from pyfolio.round_trips import extract_round_trips


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def trips(*fills, unit=1):
    """One fill every two days, as (amount, price); PnL and side of the round trips."""
    days = pd.date_range("2026-01-05 12:00", periods=len(fills), freq="2D", tz="UTC")
    table = pd.DataFrame([{"amount": amount * unit, "price": price, "symbol": "BTC"} for amount, price in fills], days)
    found = extract_round_trips(table)
    return [(round(pnl, 6), "long" if long else "short") for pnl, long in zip(found["pnl"], found["long"])]


expect("2 coins:", trips((2.0, 100.0), (-2.0, 110.0)), [(20.0, "long")])
expect("2.9 coins:", trips((2.9, 100.0), (-2.9, 110.0)), [(20.0, "long")])

twice = (1.6, 100.0), (1.6, 100.0), (-3.2, 110.0)
expect("1.6 and 1.6 bought, 3.2 sold:", trips(*twice), [(20.0, "long")])
expect("and one coin bought:", trips(*twice, (1.0, 90.0)), [(20.0, "long"), (20.0, "short")])
expect("and sold:", trips(*twice, (1.0, 90.0), (-1.0, 90.0)), [(20.0, "long"), (20.0, "short")])

try:
    small = trips((0.9, 100.0), (-0.9, 110.0))
except KeyError as error:
    small = f"KeyError: {error}"
expect("0.9 coins:", small, "KeyError: 'close_dt'")

expect("2.9 coins in tenths:", trips((2.9, 100.0), (-2.9, 110.0), unit=10), [(290.0, "long")])
expect("all of it in tenths:", trips(*twice, (1.0, 90.0), (-1.0, 90.0), unit=10), [(320.0, "long"), (0.0, "long")])
PY
