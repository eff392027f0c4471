"""Runs in an environment of its own, with beancount and nothing of ours: answers each line of JSON (the text of a ledger) with
another one (seconds of booking, gains, open lots)."""

from __future__ import annotations

import json
import sys
import time
from decimal import Decimal
from typing import Any

from beancount.core.data import Transaction
from beancount.core.inventory import Inventory
from beancount.parser import booking, parser


def book_text(text: str) -> dict[str, Any]:
    entries, problems, options = parser.parse_string(text)
    started = time.perf_counter()
    booked, faults = booking.book(entries, options)
    seconds = time.perf_counter() - started
    if problems or faults:
        raise SystemExit(f"beancount refuses the books: {[*problems, *faults][:3]}")
    gains, held = [], Inventory()
    for entry in (one for one in booked if isinstance(one, Transaction)):
        coins = [posting for posting in entry.postings if posting.account == "Assets:Coins"]
        for posting in coins:
            held.add_position(posting)
        if coins[0].units.number < 0:
            # A gain of nothing has no posting.
            gain = -sum((one.units.number for one in entry.postings if one.account == "Income:Gains"), Decimal(0))
            gains.append(f"{gain.normalize() + 0:f}")
    lots = sorted(held, key=lambda one: one.cost.date)
    return {
        "seconds": seconds,
        "gains": gains,
        "lots": [
            [f"{one.units.number.normalize():f}", f"{(one.units.number * one.cost.number).normalize():f}", str(one.cost.date)]
            for one in lots
        ],
    }


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(book_text(json.loads(line))), flush=True)
