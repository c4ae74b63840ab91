#!/usr/bin/env bash
# Keras 3.15.1: RandomContrast(0.5) never lowers the contrast.
#
# Expected: its documentation says that a single number stands for lower and upper alike, so that
# the contrast is multiplied by something between 0.5 and 1.5, 1 on average; RandomBrightness and
# RandomRotation take a single number so.
# Seen: something between 1.0 and 1.5, 1.25 on average. The pair (0.5, 0.5) gives what a single
# number is said to give.
#
# Output seen:
#   keras 3.15.1
#   one number: 1.00 to 1.50, mean 1.25
#   a pair:     0.50 to 1.50, mean 0.99
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check keras==3.15.1 numpy==2.4.6 jax==0.10.2
KERAS_BACKEND=jax "$folder/venv/bin/python" - <<'PY'
import keras
import numpy as np

stripes = np.tile(np.float32([[0.4], [0.6]]), (4000, 2, 4, 1)).reshape(4000, 4, 4, 1)


def multiplied_by(factor):
    layer = keras.layers.RandomContrast(factor, value_range=(0, 1), seed=1)
    pixels = np.asarray(layer(stripes, training=True))
    return (pixels.max(axis=(1, 2, 3)) - pixels.min(axis=(1, 2, 3))) / 0.2


one, pair = multiplied_by(0.5), multiplied_by((0.5, 0.5))
print("keras", keras.__version__)
print(f"one number: {one.min():.2f} to {one.max():.2f}, mean {one.mean():.2f}")
print(f"a pair:     {pair.min():.2f} to {pair.max():.2f}, mean {pair.mean():.2f}")
assert one.min() > 0.99, "a single number lowers the contrast now, as its documentation says"
assert abs(one.mean() - 1.25) < 0.02
assert pair.min() < 0.51
assert abs(pair.mean() - 1) < 0.02
PY
