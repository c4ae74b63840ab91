import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from apple_clf.images.regions import (
    darkest,
    dilated,
    eroded,
    find_regions,
    lightest,
)

masks = st.builds(
    lambda seed, height, width, share: np.random.default_rng(seed).random((height, width)) < share,
    seed=st.integers(0, 2**32),
    height=st.integers(1, 12),
    width=st.integers(1, 12),
    share=st.floats(0, 1),
)


@given(masks)
def test_regions_are_those_of_scipy(mask: np.ndarray) -> None:
    regions = find_regions(mask)
    labels, n = ndimage.label(mask, structure=np.ones((3, 3)))
    assert regions.n == n
    np.testing.assert_array_equal(regions.mask(np.ones(n, np.bool_)), mask)
    for region in range(n):
        alone = regions.mask(np.arange(n) == region)
        (code,) = set(labels[alone].tolist())
        np.testing.assert_array_equal(alone, labels == code)
        rows, columns = np.nonzero(alone)
        box = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
        assert regions.boxes[region].tolist() == box
        assert regions.areas[region] == alone.sum()


@given(masks, st.integers(0, 2**32))
def test_what_touches_a_mask_shares_a_pixel_with_it(mask: np.ndarray, seed: int) -> None:
    other = np.random.default_rng(seed).random(mask.shape) < 0.2
    regions = find_regions(mask)
    touching = [
        bool((regions.mask(np.arange(regions.n) == region) & other).any())
        for region in range(regions.n)
    ]
    assert regions.touch(other).tolist() == touching
    assert regions.pixels_in(other).sum() == (mask & other).sum()


@pytest.mark.parametrize("width", [1, 3, 5, 9, 15])
def test_squares_are_those_of_scipy(width: int) -> None:
    pixels = np.random.default_rng(width).integers(0, 256, (17, 23), dtype=np.uint8)
    for ours, theirs in ((lightest, ndimage.maximum_filter), (darkest, ndimage.minimum_filter)):
        expected = theirs(pixels, size=width, mode="nearest")
        np.testing.assert_array_equal(ours(pixels, width), expected)


@pytest.mark.parametrize("length", [1, 2, 3, 6, 7])
def test_opening_down_keeps_columns_of_some_length(length: int) -> None:
    mask = np.random.default_rng(length).random((30, 40)) < 0.7
    padded = np.pad(mask.view(np.uint8), ((length, length), (0, 0)))
    ours = dilated(eroded(padded, length), length)[length:-length]
    expected = ndimage.binary_opening(mask, np.ones((length, 1)))
    np.testing.assert_array_equal(ours, expected)
