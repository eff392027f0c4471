#!/usr/bin/env bash
# rp2 1.7.2 (Python 3.11): amounts are compared at 13 decimals, so what differs in the last five of a coin with 18 is the same.
#
# Seen:     0.00000000000003 (30,000 wei of ether) equals nothing and is not above it; a sale of 1.00000000000003 is not more than a
#           balance of 1; and equality goes no further: 0.00000000000003 equals both 0 and 0.00000000000007, which is not 0.
# Expected: amounts of 18 decimals, which ether and most tokens have, are told apart: the inputs are exact decimals, sums and
#           products keep all their digits, and only the comparisons do not.
# Output:
#   30,000 wei: == 0 True, > 0 False
#   more than the balance of 1: False, although the difference is 3E-14
#   0.00000000000003 == 0.00000000000007 True, 0.00000000000007 == 0 False
#
# Way round: count in whole units (wei, satoshi), or compare with Decimal.compare, which the class leaves alone.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check "rp2==1.7.2"

cd "$folder"
seen=$("$folder/venv/bin/python" - <<'END'
from rp2.rp2_decimal import ZERO, RP2Decimal

small, other = RP2Decimal("0.00000000000003"), RP2Decimal("0.00000000000007")
held, sold = RP2Decimal("1"), RP2Decimal("1.00000000000003")
print(f"30,000 wei: == 0 {small == ZERO}, > 0 {small > ZERO}")
print(f"more than the balance of 1: {sold > held}, although the difference is {sold - held}")
print(f"0.00000000000003 == 0.00000000000007 {small == other}, 0.00000000000007 == 0 {other == ZERO}")
END
)
echo "$seen"
expected="30,000 wei: == 0 True, > 0 False
more than the balance of 1: False, although the difference is 3E-14
0.00000000000003 == 0.00000000000007 True, 0.00000000000007 == 0 False"
[ "$seen" = "$expected" ] || { echo "The behaviour has changed." >&2; exit 1; }
