"""The same network in scikit-learn: FILE.npz EPOCHS RESULT.json; nothing is traced here."""

import json
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

with np.load(sys.argv[1]) as archive:
    x, y = archive["x"].reshape(-1, 784).astype(np.float32) / 255, archive["y"]
epochs = int(sys.argv[2])

model = MLPClassifier(
    (128, 64),
    solver="adam",
    batch_size=32,
    alpha=0,  # no penalty on the weights, as in the others
    max_iter=epochs,
    n_iter_no_change=epochs,  # never stop early
    random_state=0,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    started = time.perf_counter()
    model.fit(x, y)
    seconds = (time.perf_counter() - started) / model.n_iter_
if model.n_iter_ != epochs:
    raise SystemExit(f"stopped after {model.n_iter_} epochs of {epochs}")

result = {"seconds": seconds, "accuracy": model.score(x, y)}
Path(sys.argv[3]).write_text(json.dumps(result))
