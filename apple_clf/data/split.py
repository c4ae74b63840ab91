"""Labelled images that belong together: those to train on, to validate with, to test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import IntArray, UInt8Array
from apple_clf.io.large_arrays import empty_pixels


@dataclass(frozen=True)
class Split:
    """Images of one split with their labels."""

    images: UInt8Array  # (n, height, width, channels)
    labels: IntArray  # (n,)
    names: Sequence[str]  # n file names, or what stands for them

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: IntArray) -> "Split":
        """A copy of the images at these indices, which TensorFlow can use where it lies."""
        images = rows_of(self.images, indices)  # an index out of range fails at the labels
        return Split(images, self.labels[indices], [self.names[i] for i in indices])


def joined(one: Split, other: Split) -> Split:
    """The images of two splits, in their order."""
    images = empty_pixels((len(one) + len(other), *one.images.shape[1:]))
    images[: len(one)], images[len(one) :] = one.images, other.images
    labels = np.concatenate([one.labels, other.labels])
    return Split(images, labels, [*one.names, *other.names])


def rows_of(pixels: UInt8Array, indices: IntArray) -> UInt8Array:
    """A copy of the pictures at these indices, (n, height, width, channels)."""
    copy = empty_pixels((len(indices), *pixels.shape[1:]))
    np.take(pixels, indices, axis=0, out=copy, mode="wrap")  # by default it buffers all of it
    return copy
