import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage

from apple_clf.arrays import BoolArray, UInt8Array
from apple_clf.images.sheet import COARSE, _otsu, find_sheet
from images import pages

CORNERS = {
    "level": [(80, 60), (520, 60), (520, 420), (80, 420)],
    "turned": [(150, 30), (560, 150), (450, 460), (40, 340)],
    "cut off": [(100, -40), (700, 30), (680, 520), (120, 500)],
    "far away": [(200, 150), (440, 160), (430, 340), (190, 330)],
}


def polygon(corners: list[tuple[int, int]]) -> BoolArray:
    image = Image.new("1", (pages.WIDTH, pages.HEIGHT))
    ImageDraw.Draw(image).polygon(corners, fill=1)
    return np.asarray(image)


def on_table(sheet: BoolArray, table: int) -> UInt8Array:
    """A sheet with a drawing on a table with grain."""
    grain = np.random.default_rng(0).normal(table, 12, sheet.shape)
    return np.where(sheet, pages.plain(), grain.clip(0, 255)).astype(np.uint8)


def assert_near(found: BoolArray, sheet: BoolArray) -> None:
    """Found is most of a sheet and nothing else, but for four pixels of the coarse grid."""
    coarse = math.ceil(pages.WIDTH / COARSE)
    assert not (found & ~ndimage.binary_dilation(sheet, iterations=3 * coarse)).any()
    assert not (ndimage.binary_erosion(sheet, iterations=4 * coarse, border_value=1) & ~found).any()
    assert found.sum() < sheet.sum()


@pytest.mark.parametrize("corners", CORNERS.values(), ids=CORNERS)
@pytest.mark.parametrize("table", [40, 110, 160])
def test_sheet_is_found_with_what_is_drawn_on_it(
    corners: list[tuple[int, int]], table: int
) -> None:
    sheet = polygon(corners)
    found = find_sheet(on_table(sheet, table))
    assert found is not None
    assert found.shape == sheet.shape
    assert_near(found, sheet)


@pytest.mark.parametrize(
    "name", ["plain", "gradient", "ruled", "squared", "filled", "hatched", "chalk"]
)
def test_where_all_is_paper_there_is_no_sheet(name: str) -> None:
    assert find_sheet(getattr(pages, name)()) is None


def test_a_bright_spot_is_no_sheet() -> None:
    page = np.full((480, 600), 60, np.uint8)
    page[100:200, 100:220] = 240  # 4 % of the picture
    assert find_sheet(page) is None


def test_a_patterned_table_around_a_sheet_is_no_part_of_it() -> None:
    for page in (pages.wooden_table(), pages.dotted_table()):
        found = find_sheet(page)
        assert found is not None
        assert_near(found, polygon(pages.SHEET))


@given(st.integers(0, 2**32), st.integers(1, 130), st.integers(1, 130))
def test_any_picture_has_a_sheet_of_its_shape_or_none(seed: int, height: int, width: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width), dtype=np.uint8)
    pixels[: height // 2] = 250
    found = find_sheet(pixels)
    assert found is None or found.shape == (height, width)


@given(st.lists(st.integers(0, 255), min_size=2, max_size=60))
def test_groups_are_as_different_as_possible(levels: list[int]) -> None:
    pixels = np.array(levels, np.uint8)

    def between(level: int) -> float:
        dark, light = pixels[pixels <= level], pixels[pixels > level]
        if not len(dark) or not len(light):
            return 0.0
        return float(len(dark) * len(light) * (light.mean() - dark.mean()) ** 2)

    best = max(between(level) for level in range(256))
    np.testing.assert_allclose(between(_otsu(pixels)), best, rtol=1e-9, atol=1e-6)
