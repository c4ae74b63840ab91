"""Keras's own `fit`, as any tutorial writes it: FILE.npz EPOCHS RESULT.json.

The seconds are those of an epoch, from the end of the first, which traces the graph, until `fit`
returns.
"""

import json
import sys
import time
from pathlib import Path

import keras
import numpy as np

with np.load(sys.argv[1]) as archive:
    x, y = archive["x"].reshape(-1, 784).astype(np.float32) / 255, archive["y"]
epochs = int(sys.argv[2])

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(2, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
ends = []
clock = keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: ends.append(time.perf_counter()))
model.fit(x, y, batch_size=32, epochs=epochs, callbacks=[clock], verbose=0)
seconds = (time.perf_counter() - ends[0]) / (epochs - 1)

accuracy = (model.predict(x, verbose=0).argmax(axis=1) == y).mean()
Path(sys.argv[3]).write_text(json.dumps({"seconds": seconds, "accuracy": float(accuracy)}))
