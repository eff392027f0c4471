#!/usr/bin/env bash
# python-bitcoinlib 0.12.2: str_money_value writes a negative amount a coin too low; -1 satoshi is -1.99999999.
#
# Done: bitcoin.core.str_money_value on the amounts of a wallet's book: receipts, payments and fees, in satoshis; the
# texts read back as Decimals of a coin.
#
# Expected: the same number, with a point. The docstring: "Convert an integer money value to a fixed point string". The
# net effect of a transaction on a wallet is an integer of satoshis and negative for every payment; Bitcoin Core's own
# answers (listtransactions) give amounts and fees so.
#
# Happens: whole coins and rest come from // and %, which in Python round down and are never negative, and are put side
# by side: -1.5 coins is -2 and .5, "-2.5". A fee of 500 satoshis is shown as -1.999995. Only whole coins and positive
# amounts are right; the text is a valid number with the right sign, and nothing tells. The sum of a book read from
# such texts is wrong by a coin or so for every payment.
#
# Seen:
#   -1: -1.99999999; -500: -1.999995; -150000000: -2.5; -100000000: -1.0; 150000000: 1.5
#   receipts 3.0, payments 1.5, fee 0.000005: 1.499995 coins are left, the texts sum to -1.499995
#
# Way round: Decimal(value).scaleb(-8), or the text of abs(value) with a sign.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check python-bitcoinlib==0.12.2
cd "$dir"
venv/bin/python - <<'PY'
from decimal import Decimal as D

from bitcoin.core import COIN, str_money_value


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


expect("its docstring:", str_money_value.__doc__, "Convert an integer money value to a fixed point string")
for value, text in ((150_000_000, "1.5"), (-100_000_000, "-1.0"), (-150_000_000, "-2.5"), (-500, "-1.999995"),
                    (-1, "-1.99999999")):
    expect(f"{value}:", str_money_value(value), text)

book = [3 * COIN, -150_000_000, -500]
expect("a book of 3.0, -1.5 and a fee of 0.000005, exact and from texts:",
       (D(sum(book)) / COIN, sum(D(str_money_value(value)) for value in book)), (D("1.499995"), D("-1.499995")))
wrong = [value for value in range(-COIN, COIN + 1, 1_000_000) if D(str_money_value(value)) * COIN != value]
expect("of 201 amounts from -1 to 1 coin, wrong and of them positive:",
       (len(wrong), sum(value >= 0 for value in wrong)), (99, 0))
PY
