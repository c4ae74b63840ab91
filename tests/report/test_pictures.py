"""Pixels and weights as PNG."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from apple_clf.report.pictures import MAX_SIDE, as_pictures, picture_uri, sheet_uris


def opened(uri: str) -> Image.Image:
    head, _, content = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize("channels", [1, 3])
def test_picture_keeps_its_pixels(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), np.uint8)
    again = np.asarray(opened(picture_uri(pixels))).reshape(pixels.shape)
    assert (again == pixels).all()


def test_dense_weights_become_pictures_of_the_input() -> None:
    weights = np.zeros((12, 2), np.float16)
    weights[5, 1] = 1  # row 1, column 2 of 3 by 4 pixels: 1 * 4 + 1
    units = as_pictures(weights, (3, 4, 1))
    assert units is not None
    assert units.shape == (2, 3, 4, 1)
    assert units[1, 1, 1, 0] == 1
    assert units.sum() == 1


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((27, 4), (4, 3, 3, 3)),
        ((5, 5, 1, 4), (4, 5, 5, 1)),
        ((5, 5, 3, 4), (4, 5, 5, 3)),
        ((5, 5, 8, 4), (4, 5, 5, 1)),
        ((1, 1, 1, 4), None),
        ((16, 4), None),
    ],
    ids=["dense on colours", "gray", "colours", "channels", "single pixels", "behind a pooling"],
)
def test_only_weights_of_pixels_are_pictures(
    shape: tuple[int, ...], expected: tuple[int, ...] | None
) -> None:
    units = as_pictures(np.ones(shape, np.float16), (3, 3, 3))
    assert (None if units is None else units.shape) == expected


def test_large_weights_are_averaged_down() -> None:
    side = 2 * MAX_SIDE + 1
    units = as_pictures(np.ones((side * side, 1), np.float16), (side, side, 1))
    assert units is not None
    assert max(units.shape[1:3]) <= MAX_SIDE
    assert (units == 1).all()


def test_colours_mean_the_same_at_every_epoch() -> None:
    faint = np.full((1, 4, 4, 1), 0.1, np.float32)
    strong = np.full((1, 4, 4, 1), -1.0, np.float32)
    first, second = (
        opened(uri).convert("RGB").getpixel((0, 0)) for uri in sheet_uris([faint, strong])
    )
    assert isinstance(first, tuple)
    assert isinstance(second, tuple)
    assert first[0] > first[2]  # a little orange
    assert min(first) > 200  # but pale
    assert second[2] > 2 * second[0]  # blue


@pytest.mark.parametrize("channels", [1, 3])
def test_units_stand_side_by_side_with_clear_gaps(channels: int) -> None:
    units = np.ones((9, 2, 3, channels), np.float32)
    (uri,) = sheet_uris([units])
    sheet = opened(uri)
    assert sheet.size == (8 * 4 - 1, 2 * 3 - 1)
    opacity = np.asarray(sheet.convert("RGBA"))[..., 3]
    assert (opacity[:, 3::4] == 0).all()
    assert (opacity[:2, [0, 1, 2, 4]] == 255).all()


@pytest.mark.parametrize("value", [0.0, np.inf, np.nan])
def test_weights_without_a_size_are_drawn_all_the_same(value: float) -> None:
    units = as_pictures(np.full((4, 2), value, np.float16), (2, 2, 1))
    assert units is not None
    assert opened(sheet_uris([units])[0]).size == (5, 2)
