"""Writes FILE.npz with N simulated pictures of 28x28 pixels; beyond 10,000 they come again.

What comes again has other noise in its three lowest bits, so that no two pictures are the same.
"""

import sys

import numpy as np

from apple_clf.data.simulation import CLASS_NAMES, simulate

DISTINCT = 10_000


def write_apples(path: str, n: int) -> None:
    """Arrays x, uint8, (n, 28, 28), y, int32, (n,), and class_names."""
    drawn = simulate(min(n, DISTINCT), image_size=(28, 28), seed=0, line_drawings=0.6)
    x = np.resize(drawn.images, (n, 28, 28))
    rng = np.random.default_rng(0)
    for start in range(DISTINCT, n, DISTINCT):
        part = x[start : start + DISTINCT]
        part ^= rng.integers(8, size=part.shape, dtype=np.uint8)
    np.savez(path, x=x, y=np.resize(drawn.labels, n), class_names=np.array(CLASS_NAMES))


if __name__ == "__main__":
    write_apples(sys.argv[1], int(sys.argv[2]))
