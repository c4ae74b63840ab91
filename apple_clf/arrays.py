"""Names for the arrays that pass between modules; shapes stand in each docstring."""

import math

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]  # pixels, 0 black to 255 white
IntArray = NDArray[np.integer]  # class codes, 0 to n_classes - 1
FloatArray = NDArray[np.floating]  # probabilities, scores
BoolArray = NDArray[np.bool_]

ALIGNMENT = 64
"""Bytes; TensorFlow reads an array that starts at a multiple of this where it lies."""


def aligned_empty(shape: tuple[int, ...]) -> UInt8Array:
    """An array with arbitrary content that starts on an aligned address, uint8, of this shape."""
    size = math.prod(shape)
    buffer = np.empty(size + ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % ALIGNMENT
    return buffer[start : start + size].reshape(shape)


def aligned(array: UInt8Array) -> UInt8Array:
    """The array itself if it can be shared with TensorFlow, else a copy that can.

    It can if it is contiguous and writeable and starts on an aligned address.
    """
    if array.flags.c_contiguous and array.flags.writeable and array.ctypes.data % ALIGNMENT == 0:
        return array
    copy = aligned_empty(array.shape)
    copy[...] = array
    return copy
