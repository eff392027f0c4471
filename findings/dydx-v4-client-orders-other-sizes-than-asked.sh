#!/usr/bin/env bash
# dydx-v4-client 1.1.5: a size of zero orders a whole step, and one of three steps orders two.
#
# Done: Market(...).calculate_quantums(size) of a market as the indexer describes BTC-USD (atomicResolution -10,
# stepBaseQuantums 1000000: sizes go in steps of 0.0001). Market.order() takes its quantity from there.
#
# Expected: a size that is a multiple of the step becomes that many steps, and one below a step is refused, or is
# nothing. Whoever has cut a size to what a balance allows has cut it down, and never wants it raised again.
#
# Happens: the result is max(floor(size * 10^10 / step) * step, step), in floats. What is below one step becomes one
# step: 0.00001 orders ten times as much, 0 and negative sizes order 0.0001. And the product of a float and a power of
# ten lies below the whole number at times, where the floor takes a whole step away: of the sizes of 1 to 1000 steps,
# 58 order one step less, the smallest being 0.0003, a third of which is lost. No error, no warning.
#
# Output:
#   asked 0.0001   ordered 0.0001
#   asked 0.00001  ordered 0.0001
#   asked 0.0      ordered 0.0001
#   asked -0.5     ordered 0.0001
#   asked 0.0003   ordered 0.0002
#   of 1000 sizes, 58 lose a step: 3, 6, 12, 24, 29 steps, ...
#
# Way round: count the steps in Decimal from the text of the size, refuse less than one, and write the quantums into
# the order by hand.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check dydx-v4-client==1.1.5 v4-proto==8.2.0
cd "$dir"
venv/bin/python - <<'PY'
from decimal import Decimal

from dydx_v4_client.node.market import Market

STEP, WHOLE = 1_000_000, 10**10
btc = Market({"atomicResolution": -10, "stepBaseQuantums": STEP, "quantumConversionExponent": -9, "subticksPerTick": 100_000})
seen = {}
for size in ("0.0001", "0.00001", "0.0", "-0.5", "0.0003"):
    seen[size] = Decimal(int(btc.calculate_quantums(float(size)))) / WHOLE
    print(f"asked {size:<8} ordered {seen[size]:f}")
short = [steps for steps in range(1, 1001) if btc.calculate_quantums(steps / 10_000) == (steps - 1) * STEP]
print(f"of 1000 sizes, {len(short)} lose a step: {', '.join(map(str, short[:5]))} steps, ...")
assert seen == {name: Decimal("0.0002" if name == "0.0003" else "0.0001") for name in seen}, seen
assert (len(short), short[:5]) == (58, [3, 6, 12, 24, 29]), short
PY
