import numpy as np
import pytest

from apple_clf.arrays import ALIGNMENT, UInt8Array, aligned, aligned_empty

SHAPE = (5, 3, 2, 1)


@pytest.mark.parametrize("n", range(1, 8))
def test_empty_array_starts_on_an_aligned_address(n: int) -> None:
    array = aligned_empty((n, *SHAPE))
    assert array.shape == (n, *SHAPE)
    assert array.dtype == np.uint8
    assert array.flags.c_contiguous
    assert array.ctypes.data % ALIGNMENT == 0


def test_aligned_array_is_not_copied() -> None:
    array = aligned_empty(SHAPE)
    assert aligned(array) is array


def filled() -> UInt8Array:
    array = aligned_empty(SHAPE)
    array[...] = np.arange(array.size).reshape(SHAPE)
    return array


def read_only() -> UInt8Array:
    array = filled()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "array",
    [
        pytest.param(filled()[1:], id="unaligned"),
        pytest.param(filled()[::2], id="not_contiguous"),
        pytest.param(read_only(), id="read_only"),
    ],
)
def test_other_array_is_copied(array: UInt8Array) -> None:
    copy = aligned(array)
    np.testing.assert_array_equal(copy, array)
    assert not np.shares_memory(copy, array)
    assert aligned(copy) is copy
