#!/usr/bin/env bash
# ta-py 2.1.0: Ichimoku's cloud stands at twice the price, and is taken from 26 bars in the future.
#
# Done: ichimoku(bars) with its default lengths (9, 26, 52, 26) on 120 bars of a market that rests at 100; of one that
# rises by 1 a bar; and of the same rise with a crash to 10 after the bar of the first row.
#
# Expected: rows of conversion line, base line, span A, span B, lagging line. As published, span A is the mean of
# conversion and base line, span B the middle of the highest high and the lowest low of 52 bars, and both are drawn 26
# bars on: what stands over a bar was known 26 bars before it. All five are prices: where every bar lies from 99 to
# 101, none can be 200, and no later bar can move the first row's cloud.
#
# Happens: span A is the CLOSE plus the base line, and the sum is not halved: twice the price. Span B takes the high of
# 52 bars but the low of 26, so it stands too high wherever the two lows differ. And the shift goes the wrong way: beside
# the conversion and base line of bar 77 stand the spans of bar 103, so a back test sees a crash up to 26 bars early, while
# the newest 26 bars have no row. A price is above such a cloud only if it is going to halve. Conversion and base line
# are right. The README claims parity with ta.js, and speaks of no formula of its own.
#
# Seen (conversion, base, span A, span B, lagging):
#   at rest at 100:                100, 100, 200, 100, 100
#   in the rise, first row, bar 77: 172, 163.5, 391.5, 189.5, 150
#   published, of bar 103:         span A 193.75, span B 176.5;  of bar 51, as drawn: 141.75, 124.5
#   first row, crash after bar 77: 172, 163.5, 18, 92.5, 150
#   rows of the rise with the close above span A: 0 of 17
#
# Way round: conversion and base line from here; span A their mean of 26 bars ago, span B by hand.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check ta-py==2.1.0
cd "$dir"
venv/bin/python - <<'PY'
import ta_py

BARS, AHEAD, LONGEST = 120, 26, 52
rest = [[101.0, 100.0, 99.0]] * BARS                                    # high, close, low
rise = [[100.0 + bar, 99.0 + bar, 98.0 + bar] for bar in range(BARS)]
crash = rise[:78] + [[10.0, 9.0, 8.0]] * (BARS - 78)                    # after the bar of the first row


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def middle(bars, last, length):
    part = bars[last - length + 1 : last + 1]
    return (max(bar[0] for bar in part) + min(bar[2] for bar in part)) / 2


expect("at rest at 100:", ta_py.ichimoku(rest)[0], [100.0, 100.0, 200.0, 100.0, 100.0])

def published(bars, last):
    return (middle(bars, last, 9) + middle(bars, last, 26)) / 2, middle(bars, last, LONGEST)


rows = ta_py.ichimoku(rise)
expect("in the rise, rows and the first:", (len(rows), rows[0]), (17, [172.0, 163.5, 391.5, 189.5, 150.0]))
first = LONGEST - 1 + AHEAD
expect("bar of its conversion and base line:", (first, middle(rise, first, 9), middle(rise, first, 26)),
       (77, 172.0, 163.5))
expect("published spans, of 26 bars later:", published(rise, first + AHEAD), (193.75, 176.5))
expect("published spans, of 26 bars before:", published(rise, first - AHEAD), (141.75, 124.5))
expect("the first row, if a crash comes after it:", ta_py.ichimoku(crash)[0], [172.0, 163.5, 18.0, 92.5, 150.0])
expect("rows with the close above span A:", sum(rise[first + at][1] > row[2] for at, row in enumerate(rows)), 0)
PY
