#!/usr/bin/env bash
# lightgbm 4.7.0: a numpy array of int64 is cut to float32, the same numbers in a pandas frame are not.
#
# Done: one feature, a price in whole units of 1e-8 (int64, as exact money is often kept): 1,000 ticks of 0.001 from
# 60000.000 up, label by blocks of three ticks. A model trained on the frame predicts the same rows given as the frame,
# as frame.to_numpy() and as frame.to_numpy().astype(float). Then a model trained on the array.
#
# Expected: one answer for one set of numbers. Dataset and Booster.predict take "numpy array, pandas DataFrame, ..." as
# `data`, neither docstring names a type, and LightGBM compares features as doubles, which hold every integer to 2**53.
#
# Happens: an array that is neither float32 nor float64 is converted to float32: 24 bits, 0.005 of a dollar at 60000. The
# thousand prices become 191. The model that is right on every row through the frame is right on 573 of the 1,000 through its
# own array, little better than a coin, with no warning; one trained on the array learns no more. A research notebook
# hands over frames, a live worker arrays of one row: the same model then answers otherwise. (Epoch milliseconds fare worse: steps
# of 131 seconds.)
#
# Seen:
#   right of 1000, trained on the frame: frame 1000, int64 array 573, float64 array 1000
#   right of 1000, trained on the int64 array: 573
#
# Way round: .astype(float) at the door, in training and live.
set -euo pipefail
dir=$(mktemp -d); trap 'rm -rf "$dir"' EXIT
"${PYTHON:-python3}" -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q --disable-pip-version-check lightgbm==4.7.0 pandas==3.1.1
cd "$dir"
venv/bin/python - <<'PY'
import lightgbm as lgb
import numpy as np
import pandas as pd


def expect(what, seen, wanted):
    print(what, seen)
    if seen != wanted:
        raise SystemExit(f"changed: {what} {seen!r}, was {wanted!r}")


tick = np.arange(1000)
frame = pd.DataFrame({"price": 6_000_000_000_000 + 100_000 * tick})
label = tick // 3 % 2
array = frame.to_numpy()
expect("type of the array:", array.dtype.name, "int64")
expect("different prices as int64, float64, float32:",
       [len(np.unique(array.astype(kind))) for kind in ("int64", "float64", "float32")], [1000, 1000, 191])
for made in (lgb.Dataset.__init__, lgb.Booster.predict):
    expect("float32 in the docstring:", "float32" in made.__doc__, False)

options = {"objective": "binary", "num_leaves": 1000, "min_data_in_leaf": 1, "min_data_in_bin": 1, "max_bin": 2000,
           "min_sum_hessian_in_leaf": 0, "learning_rate": 0.5, "num_threads": 1, "deterministic": True, "verbose": -1}


def right(model, data):
    return int(((model.predict(data) > 0.5) == label).sum())


model = lgb.train(options, lgb.Dataset(frame, label), 20)
expect("trained on the frame, right by frame, int64 array, float64 array:",
       [right(model, frame), right(model, array), right(model, array.astype(float))], [1000, 573, 1000])
model = lgb.train(options, lgb.Dataset(array, label), 20)
expect("trained on the array, right by array:", right(model, array), 573)
PY
