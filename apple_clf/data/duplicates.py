"""Which images hold the same pixels: in two splits they flatter a model, in two classes confuse it.

Compared are prepared pixels, for those are what a network sees: a drawing that was moved across
its page, or a photo saved twice, may become the same picture.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np

from apple_clf.arrays import IntArray, UInt8Array


def first_equal(images: Iterable[UInt8Array]) -> IntArray:
    """Index of the first image with the same pixels, for each image, int64, (n,).

    Args:
        images: n of one shape, each contiguous, uint8.
    """
    seen: dict[bytes, int] = {}
    digests = (sha256(image.data).digest() for image in images)  # lighter to keep than the pixels
    return np.fromiter((seen.setdefault(digest, i) for i, digest in enumerate(digests)), np.int64)


@dataclass(frozen=True)
class Duplicates:
    """Images of a data set with the pixels of an earlier one; indices run through all splits."""

    first: IntArray  # (n,), as from first_equal
    labels: IntArray  # (n,)
    splits: IntArray  # (n,), index into SPLITS

    @property
    def pairs(self) -> IntArray:
        """Each image that repeats an earlier one: the index of that one and its own, (k, 2)."""
        (later,) = np.nonzero(self.first != np.arange(len(self.first)))
        return np.column_stack((self.first[later], later))

    @property
    def in_two_splits(self) -> IntArray:
        """The pairs whose images are in two splits, (k, 2)."""
        return self._differing(self.splits)

    @property
    def under_two_classes(self) -> IntArray:
        """The pairs whose images have two labels, (k, 2)."""
        return self._differing(self.labels)

    def counts(self) -> dict[str, int]:
        """How many images repeat an earlier one, and how many of them do harm."""
        return {
            "images": len(self.pairs),
            "in_two_splits": len(self.in_two_splits),
            "under_two_classes": len(self.under_two_classes),
        }

    def _differing(self, codes: IntArray) -> IntArray:
        pairs = self.pairs
        differing: IntArray = pairs[codes[pairs[:, 0]] != codes[pairs[:, 1]]]
        return differing
