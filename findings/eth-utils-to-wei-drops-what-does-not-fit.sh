#!/usr/bin/env bash
# eth-utils 6.0.0 and eth-abi 6.0.0: asked for more places than a token has, one drops them silently, the other refuses.
#
# Done: to_wei and to_wei_decimals on exact Decimals and texts that are finer than the unit; the same amount through
# eth-abi's encoder for a fixed-point number of the same places (ufixed128x18), from the same project.
#
# Expected: an error, or a documented rounding. Amounts are exact here, not floats; the docstring of to_wei is one line,
# "Takes a number of a unit and converts it to wei". The sister library raises for what it cannot hold.
#
# Happens: everything behind the last place is cut, always down, without a word: 1.9 wei is 1, 0.9999995 USDC (six
# places) is 999999 units, and 0.0000009 USDC, a dust amount or a price quoted in eighteen places, is 0: a transfer of
# nothing that looks valid. from_wei(to_wei(x)) is then not x, so a ledger that books x and sends to_wei(x) drifts.
#
# Seen:
#   to_wei("1.9", "wei") = 1
#   to_wei_decimals(Decimal("0.9999995"), 6) = 999999; of 0.0000009: 0
#   eth_abi of Decimal("1e-19") as ufixed128x18: IllegalValue ... outside allowed fractional precision of 18
#
# Way round: amount == amount.quantize(Decimal(1).scaleb(-decimals)) first, and round on purpose.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check eth-utils==6.0.0 eth-abi==6.0.0
cd "$dir"
venv/bin/python - <<'PY'
import inspect
from decimal import Decimal as D

import eth_abi
import eth_utils
from eth_abi.exceptions import IllegalValue


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


expect("docstring:", inspect.getdoc(eth_utils.to_wei), "Takes a number of a unit and converts it to wei.")
expect("1.9 wei, as text:", eth_utils.to_wei("1.9", "wei"), 1)
expect("1.9 wei, as Decimal ether:", eth_utils.to_wei(D("0.0000000000000000019"), "ether"), 1)
expect("0.9999995 of six places:", eth_utils.to_wei_decimals(D("0.9999995"), 6), 999_999)
expect("0.0000009 of six places:", eth_utils.to_wei_decimals(D("0.0000009"), 6), 0)
expect("there and back:", eth_utils.from_wei_decimals(eth_utils.to_wei_decimals(D("0.9999995"), 6), 6), D("0.999999"))

expect("eth-abi, eighteen places:", len(eth_abi.encode(["ufixed128x18"], [D("0.000000000000000001")])), 32)
try:
    eth_abi.encode(["ufixed128x18"], [D("1e-19")])
    answer = "encoded"
except IllegalValue as error:
    answer = "refused" if "outside allowed fractional precision of 18" in str(error) else str(error)
expect("eth-abi, nineteen places:", answer, "refused")
PY
