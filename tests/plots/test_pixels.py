"""Tiles, numbers as colours, and pixels as data URIs."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from apple_clf.plots.pixels import diverging, overlay, picture_uri, tile


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 2, 1), (10, 10, 3)),
        ((4, 8, 3), (5, 10, 3)),
        ((300, 200, 1), (10, 6, 3)),
        ((1, 1000, 1), (1, 10, 3)),
    ],
)
def test_tile_fits_and_keeps_the_aspect(
    shape: tuple[int, int, int], expected: tuple[int, int, int]
) -> None:
    assert tile(np.zeros(shape, np.uint8), 10).shape == expected


def test_tile_repeats_pixels() -> None:
    image = np.array([[1, 2], [3, 4]], np.uint8)[:, :, None]
    rows = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    np.testing.assert_array_equal(tile(image, 4), np.repeat(np.array(rows)[..., None], 3, 2))


def opened(uri: str) -> Image.Image:
    head, _, content = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize("channels", [1, 3])
def test_picture_keeps_its_pixels(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    again = np.asarray(opened(picture_uri(pixels))).reshape(pixels.shape)
    assert (again == pixels).all()


def test_positive_values_are_orange_negative_ones_blue_and_zero_is_white() -> None:
    (above, below, zero) = diverging(np.array([[1.0, -1.0, 0.0]]))[0].tolist()
    assert above[0] > above[1] > above[2]
    assert below[0] < below[1] < below[2]
    assert zero == [255] * 3


def test_values_lie_over_a_pale_shadow_of_the_picture() -> None:
    pixels = np.array([[[0], [200]]], np.uint8)
    assert overlay(np.zeros((1, 2)), pixels).tolist() == [[[255] * 3, [205] * 3]]
