"""The order in which an epoch sees the training images, from the seed and the epoch alone."""

import numpy as np

from apple_clf.arrays import IntArray
from apple_clf.io.large_arrays import fits_memory

BLOCK_BYTES = 1 << 20
"""Consecutive images that are read together; a disk reads as much nearly as fast as in a row."""

GROUP_BLOCKS = 256
"""Blocks that are shuffled together: a buffer of 256 MiB."""


def epoch_order(n: int, *, image_bytes: int, seed: int, epoch: int) -> IntArray:
    """Every index below n once, in an order of its own for each epoch, int, (n,).

    All orders are equally likely as long as the images are kept in memory. Beyond, an order that
    jumps through the file at every image would read it from the disk many times over. So blocks of
    consecutive images are put in random order, and images shuffled among 256 blocks at a time: two
    images of one block then lie within 256 MiB of each other, not anywhere in the epoch. Where a
    folder's images lie class by class, the classes' shares vary a little from group to group: the
    share of half of all images by about 0.03.

    Args:
        n: number of training images.
        image_bytes: of one, at least 1.
        seed: of the experiment.
        epoch: from 0.
    """
    rng = np.random.default_rng([seed, epoch])
    if fits_memory(n * image_bytes):
        return rng.permutation(n)
    block = max(1, BLOCK_BYTES // image_bytes)
    starts = rng.permutation(np.arange(0, n, block))
    groups = np.array_split(starts, range(GROUP_BLOCKS, len(starts), GROUP_BLOCKS))
    parts = []
    for group in groups:
        at = (group[:, np.newaxis] + np.arange(block)).ravel()
        parts.append(rng.permutation(at[at < n]))  # the last block may be smaller
    return np.concatenate(parts)
