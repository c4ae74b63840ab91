"""Weights as pictures, and as sheets of all units."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

from apple_clf.plots.weights import MAX_SIDE, sheet_uris, thumbnails, unit_pictures


def opened(uri: str) -> Image.Image:
    head, _, content = uri.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_dense_weights_become_pictures_of_the_input() -> None:
    weights = np.zeros((12, 2), np.float16)
    weights[5, 1] = 1  # row 1, column 2 of 3 by 4 pixels: 1 * 4 + 1
    units = unit_pictures(weights, (3, 4, 1))
    assert units is not None
    assert units.shape == (2, 3, 4, 1)
    assert units[1, 1, 1, 0] == 1
    assert units.sum() == 1


@pytest.mark.parametrize(
    ("shape", "channels", "expected"),
    [
        ((27, 4), 3, (4, 3, 3, 3)),
        ((5, 5, 1, 4), 1, (4, 5, 5, 1)),
        ((5, 5, 3, 4), 3, (4, 5, 5, 3)),
        ((5, 5, 8, 4), 3, None),
        ((16, 4), 3, None),
    ],
    ids=["dense on colours", "gray", "colours", "after other filters", "after pooling"],
)
def test_only_weights_of_pixels_are_pictures(
    shape: tuple[int, ...], channels: int, expected: tuple[int, ...] | None
) -> None:
    units = unit_pictures(np.ones(shape, np.float16), (3, 3, channels))
    assert (None if units is None else units.shape) == expected


def test_of_many_channels_the_mean_is_shown() -> None:
    units = thumbnails(np.arange(8.0).reshape(1, 1, 1, 8))
    assert units.tolist() == [[[[3.5]]]]


def test_large_weights_are_averaged_down() -> None:
    side = 2 * MAX_SIDE + 1
    units = thumbnails(np.ones((1, side, side, 1), np.float16))
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
    units = thumbnails(np.full((2, 2, 2, 1), value, np.float16))
    assert opened(sheet_uris([units])[0]).size == (5, 2)
