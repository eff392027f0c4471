#!/usr/bin/env bash
# ccxt 4.5.90: candles built from trades begin their weeks on Thursdays, against the library's own round_timeframe.
#
# Done: Exchange().build_ohlcvc, the library's way to candles where a venue offers only trades (its own examples use
# it so), on trades of the week of Monday 2026-01-05 and one of the Monday after.
#
# Expected: bars as venues and the rest of the library make them. Exchange.round_timeframe("1w", t), in the same file,
# answers Monday 00:00 UTC, as Binance's weekly candles do, and takes months and years by the calendar.
#
# Happens: opening times are whole multiples of seven days since 1970-01-01, a Thursday: Monday's trade lands in a bar
# of 2026-01-01, and trades of one calendar week fall into two bars, joined with days of the weeks beside it. A frame
# fetched from a venue and topped up with built candles has bars that overlap, and nothing marks them. "1y" is 365 days:
# all these trades of 2026 land in a bar that opens on 2025-12-18. ("1M" is 30 days, which a comment in the code admits.)
#
# Seen:
#   1w opens: built Thu 2026-01-01, Thu 2026-01-08; round_timeframe Mon 2026-01-05, Mon 2026-01-12
#   1y opens: built Thu 2025-12-18; round_timeframe Thu 2026-01-01
#
# Way round: group the trades by round_timeframe yourself.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check ccxt==4.5.90
cd "$dir"
venv/bin/python - <<'PY'
from datetime import datetime, timezone

import ccxt


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


exchange = ccxt.Exchange()
moment = exchange.parse8601


def day(milliseconds):
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%a %Y-%m-%d")


week = [("2026-01-05T00:00:01Z", 100.0), ("2026-01-07T12:00:00Z", 101.0), ("2026-01-08T00:00:00Z", 102.0),
        ("2026-01-11T23:59:00Z", 103.0), ("2026-01-12T00:00:01Z", 104.0)]
trades = [{"timestamp": moment(at), "price": price, "amount": 1.0} for at, price in week]


def built(timeframe):
    return [(day(bar[0]), bar[1], bar[4], bar[5]) for bar in exchange.build_ohlcvc(trades, timeframe)]


expect("round_timeframe 1w:", [day(exchange.round_timeframe("1w", trade["timestamp"])) for trade in trades],
       ["Mon 2026-01-05"] * 4 + ["Mon 2026-01-12"])
expect("built 1w (open, first, last, volume):", built("1w"),
       [("Thu 2026-01-01", 100.0, 101.0, 2.0), ("Thu 2026-01-08", 102.0, 104.0, 3.0)])
expect("round_timeframe 1y:", {day(exchange.round_timeframe("1y", trade["timestamp"])) for trade in trades},
       {"Thu 2026-01-01"})
expect("built 1y:", built("1y"), [("Thu 2025-12-18", 100.0, 104.0, 5.0)])
PY
