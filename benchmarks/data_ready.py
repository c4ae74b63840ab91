"""Seconds until the data of FOLDER are ready, with an empty decode cache and with a full one.

Prints a JSON array of [seconds, seconds], one for each of PAIRS. The files must be older than
two seconds: the cache distrusts younger ones.
"""

import json
import os
import sys
import tempfile
import time

from apple_clf.config.schema import FolderData
from apple_clf.data import load_dataset
from apple_clf.images.preprocessing import Preprocessing


def seconds_until_ready(folder: str) -> tuple[float, int]:
    """Time to load a folder, and how many of its images were decoded for it."""
    started = time.perf_counter()
    dataset = load_dataset(FolderData(path=folder), Preprocessing(), seed=0)
    return time.perf_counter() - started, dataset.n_decoded


def one_pair(folder: str) -> tuple[float, float]:
    """Time of the first load and of the second."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["APPLE_CLF_CACHE"] = cache
        first, n_first = seconds_until_ready(folder)
        second, n_second = seconds_until_ready(folder)
    if not n_first or n_second:
        raise SystemExit(f"decoded {n_first} images at first and {n_second} again")
    return first, second


if __name__ == "__main__":
    one_pair(sys.argv[1])  # warm-up
    print(json.dumps([one_pair(sys.argv[1]) for _ in range(int(sys.argv[2]))]))
