#!/usr/bin/env bash
# beancount 3.2.3: a leg left out is filled in at the COARSEST places written in the transaction; the rest vanishes.
#
# Done: ledgers with a transfer of 0.1 BTC and a network fee of 0.00012345 BTC, the paying leg left out, as importers
# and people do; and a purchase with a fee of 0.5 USD. Loaded with load_string, errors collected.
#
# Expected: the missing leg is the negative sum of the others, -0.10012345 BTC. In double entry it is the one number that
# makes the transaction balance, the inputs are exact decimals, and a transaction that does not balance is an error
# ("Transaction does not balance"). A tolerance is for numbers that were written down rounded; nothing here was.
#
# Happens: the fewest places of the other postings set a tolerance, and the computed number is rounded to it: -0.1 BTC.
# The fee of 0.00012345 BTC is booked as an expense that nobody paid, the check passes since it uses the same
# tolerance, there is no error, and the accounts of the ledger no longer sum to nothing. "0.10" instead of "0.1" gives
# another ledger. With dollars: 740.74 of coins and a fee of 0.5 costs 741.2. A whole number (a fee of 12 USD) does not
# round at all: -752.7416814804. The same amounts with equal places are right. (Reported upstream as issues 381 and
# 1030, in this release as before.)
#
# Seen:
#   0.1 BTC and fee 0.00012345 BTC:        cash -0.1 BTC, no errors, ledger sums to 0.00012345 BTC
#   0.10000000 BTC and the same fee:       cash -0.10012345 BTC, ledger sums to 0
#   0.01234567 BTC @ 60000.12 USD, fee 0.5: cash -741.2 USD; fee 0.50: -741.24; fee 1: -741.7416814804
#
# Way round: importers write every leg; or quantize all numbers of a commodity to its full places first.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check beancount==3.2.3
cd "$dir"
venv/bin/python - <<'PY'
from decimal import Decimal as D

from beancount.core.data import Transaction
from beancount.loader import load_string


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


def booked(*legs):
    opened = "".join(f"2026-01-01 open {account}\n" for account in ("Assets:Cash", "Assets:Cold", "Expenses:Fee"))
    text = opened + '2026-01-05 * "move"\n' + "".join(f"  {leg}\n" for leg in legs) + "  Assets:Cash\n"
    entries, errors, _ = load_string(text)
    (move,) = (entry for entry in entries if isinstance(entry, Transaction))
    return {posting.account: posting.units.number for posting in move.postings}, [error.message for error in errors]


amounts, errors = booked("Assets:Cold  0.1 BTC", "Expenses:Fee  0.00012345 BTC")
expect("0.1 BTC and a fee of 0.00012345: cash", amounts["Assets:Cash"], D("-0.1"))
expect("errors, and what the ledger sums to:", (errors, sum(amounts.values())), ([], D("0.00012345")))
amounts, errors = booked("Assets:Cold  0.10000000 BTC", "Expenses:Fee  0.00012345 BTC")
expect("0.10000000 BTC and the same fee: cash, sum", (amounts["Assets:Cash"], sum(amounts.values())),
       (D("-0.10012345"), 0))

buy = "Assets:Cold  0.01234567 BTC @ 60000.12 USD"
for fee, cash in (("0.5", "-741.2"), ("0.50", "-741.24"), ("1", "-741.7416814804")):
    amounts, errors = booked(buy, f"Expenses:Fee  {fee} USD")
    expect(f"coins for {D('0.01234567') * D('60000.12')} and a fee of {fee}: cash, errors",
           (amounts["Assets:Cash"], errors), (D(cash), []))
PY
