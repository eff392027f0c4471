#!/usr/bin/env bash
# ta 0.11.0: KST, and Ichimoku's cloud drawn forward, fill their warm-up with the mean of the whole series.
#
# Done: KSTIndicator and IchimokuIndicator(visual=True), defaults else, on sixty bars of a steady rise, alone and then
# with two hundred bars after them: at 30 (a crash), or at 400 (a boom). The sixty bars are the same each time.
#
# Expected: the value of a bar depends on that bar and those before it, and bars without enough history are NaN:
# fillna is documented as "if True, fill nan values" and is False by default. KST's slowest part is a 15-bar mean of a
# 30-bar rate of change, so by the chart school page the docstring points to nothing exists before bar 44 (from 0). For
# Ichimoku, "visual(bool): if True, shift n2 values": the 26 bars before the shifted line have no value.
#
# Happens: the price "n bars ago" of a bar that has none is taken to be the mean of the WHOLE series, the future too
# (shift(..., fill_value=close.mean())). KST has numbers from bar 14, and they turn sign with what comes later: bar 20
# is +883.56 if the market will crash and -493.47 if it will boom (a contrarian's dream). A back test trades on these;
# live, the last sixty bars give a third answer. From bar 44 on all agree with the formula. Ichimoku's first 26 bars are
# one constant, the mean of a line not yet drawn. ta.add_all_ta_features, the library's one-call front door, gives both.
#
# Seen:
#   KST at bar 20: -34.99 alone, 883.56 before a crash, -493.47 before a boom; at bar 44: 103.06 each time
#   Ichimoku a at bar 0: 116.88, 46.43, 348.16
#
# Way round: blank the first 44 (26) bars, or compute both from pct_change and rolling.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check ta==0.11.0 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
import warnings

import pandas as pd

warnings.simplefilter("ignore")
import ta


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


known = [100 + 0.5 * bar for bar in range(60)]
closes = {name: pd.Series(known + future, dtype=float)
          for name, future in (("alone", []), ("crash", [30.0] * 200), ("boom", [400.0] * 200))}
kst = {name: ta.trend.KSTIndicator(close).kst() for name, close in closes.items()}


def at(bar, lines):
    return {name: round(float(line.iloc[bar]), 2) for name, line in lines.items()}


expect("first bar with a KST:", {name: line.first_valid_index() for name, line in kst.items()},
       {"alone": 14, "crash": 14, "boom": 14})
expect("KST at bar 20:", at(20, kst), {"alone": -34.99, "crash": 883.56, "boom": -493.47})
expect("KST at bar 43:", at(43, kst), {"alone": 99.47, "crash": 134.47, "boom": 82.0})
expect("KST at bar 44:", at(44, kst), {"alone": 103.06, "crash": 103.06, "boom": 103.06})

close = closes["alone"]
formula = 100 * sum(weight * close.pct_change(ago).rolling(mean).mean()
                    for weight, ago, mean in ((1, 10, 10), (2, 15, 10), (3, 20, 10), (4, 30, 15)))
expect("by the formula, first bar and value:", (formula.first_valid_index(), round(float(formula.iloc[44]), 2)),
       (44, 103.06))

cloud = {name: ta.trend.IchimokuIndicator(close + 1, close - 1, visual=True).ichimoku_a()
         for name, close in closes.items()}
expect("Ichimoku a at bar 0:", at(0, cloud), {"alone": 116.88, "crash": 46.43, "boom": 348.16})
expect("and at bar 25:", at(25, cloud), {"alone": 116.88, "crash": 46.43, "boom": 348.16})

frame = pd.DataFrame({"o": closes["boom"], "h": closes["boom"] + 1, "l": closes["boom"] - 1, "c": closes["boom"],
                      "v": 1.0})
features = ta.add_all_ta_features(frame, "o", "h", "l", "c", "v")
expect("add_all_ta_features at bar 20, before the boom:",
       [round(float(features[name].iloc[20]), 2) for name in ("trend_kst", "trend_visual_ichimoku_a")],
       [-493.47, 348.16])
PY
