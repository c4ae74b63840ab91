"""The predictor called in a loop, one image a call: prints images a second."""

import sys
import time
from pathlib import Path

from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run

predictor = Predictor.load(Run(Path(sys.argv[1])))
body, seconds = Path(sys.argv[2]).read_bytes(), float(sys.argv[3])
predictor.answer_sources([""], [body])
n, started = 0, time.perf_counter()
while time.perf_counter() - started < seconds:
    predictor.answer_sources([""], [body])
    n += 1
print(n / (time.perf_counter() - started))
