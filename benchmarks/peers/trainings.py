"""The trainings of a sweep one after the other: trainings.py APPLE_CLF RUNS RATE..."""

import subprocess
import sys

program, runs, *rates = sys.argv[1:]
for rate in rates:
    small = ["--set", "training.epochs=10", "--set", f"training.learning_rate={rate}", "--quiet"]
    subprocess.run(
        [program, "train", *small, "--runs", runs], check=True, stdout=subprocess.DEVNULL
    )
