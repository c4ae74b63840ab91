import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage

from apple_clf.arrays import UInt8Array
from apple_clf.images.strokes import redraw, thin

SIZE = (28, 28)


def house(pen: int, *, filled: int = 0, side: int = 400) -> UInt8Array:
    """A house with a door, as ink of 200, cropped to it."""
    image = Image.new("L", (side + 40, side + 40))
    draw = ImageDraw.Draw(image)
    s = side / 100
    outline = [
        (20 + s * x, 20 + s * y) for x, y in ((10, 95), (10, 45), (50, 5), (90, 45), (90, 95))
    ]
    if filled:
        draw.polygon(outline, fill=filled)
    draw.line([*outline, outline[0], outline[1]], 200, pen, joint="curve")
    draw.line(
        [(20 + s * x, 20 + s * y) for x, y in ((40, 95), (40, 60), (60, 60), (60, 95))], 200, pen
    )
    pixels = np.asarray(image)
    rows, columns = np.nonzero(pixels)
    return pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def blurred(pixels: UInt8Array) -> np.ndarray:
    smooth: np.ndarray = ndimage.gaussian_filter(pixels.astype(float), 1)
    return smooth


def alike(one: UInt8Array, other: UInt8Array) -> float:
    return float(np.corrcoef(blurred(one).ravel(), blurred(other).ravel())[0, 1])


@pytest.mark.parametrize("pen", [2, 4, 8, 16, 24])
def test_every_pen_gives_the_same_line(pen: int) -> None:
    drawn = redraw(house(pen), SIZE, threshold=100)
    usual = redraw(house(10), SIZE, threshold=100)
    assert drawn is not None
    assert usual is not None
    assert drawn.max() == 255
    assert alike(drawn, usual) > 0.9
    assert abs(int(drawn.astype(int).sum()) / int(usual.astype(int).sum()) - 1) < 0.1


@pytest.mark.parametrize("side", [30, 60, 400, 900])
def test_the_drawing_fills_its_box_whatever_its_size(side: int) -> None:
    drawn = redraw(house(max(2, side // 40), side=side), SIZE, threshold=100)
    assert drawn is not None
    rows, columns = np.nonzero(drawn > 64)
    assert max(np.ptp(rows), np.ptp(columns)) + 1 in (25, 26, 27)
    assert abs(rows.min() + rows.max() - 27) <= 1
    assert abs(columns.min() + columns.max() - 27) <= 1


def test_an_area_keeps_its_outline_alone() -> None:
    solid = np.full((300, 300), 200, np.uint8)
    drawn = redraw(solid, SIZE, threshold=100)
    assert drawn is not None
    assert drawn[14, 14] == 0
    assert drawn[2, 4:24].min() > 100


def test_hatching_counts_as_an_area() -> None:
    hatched = np.zeros((300, 300), np.uint8)
    hatched[:, np.arange(300) % 20 < 10] = 200
    hatched[:10], hatched[-10:], hatched[:, :10], hatched[:, -10:] = 200, 200, 200, 200
    drawn = redraw(hatched, SIZE, threshold=100)
    assert drawn is not None
    assert not drawn[8:20, 8:20].any()


def test_a_small_drawing_by_a_thick_pen_keeps_its_lines() -> None:
    ring = np.zeros((60, 60), np.uint8)
    across = np.hypot(*(np.mgrid[:60, :60] - 29.5))
    ring[(across < 30) & (across > 14)] = 200
    drawn = redraw(ring, SIZE, threshold=100)
    assert drawn is not None
    assert find_holes(drawn > 128) == 1  # not two circles, one in the other


def find_holes(mask: np.ndarray) -> int:
    return int(ndimage.label(~np.pad(mask, 1))[1]) - 1


@pytest.mark.parametrize("line", [3, 5, 7, 11])
def test_the_line_has_about_the_width_asked_for(line: int) -> None:
    bar = np.full((40, 400), 200, np.uint8)
    drawn = redraw(bar, SIZE, threshold=100, line=line)
    assert drawn is not None
    thinner = redraw(bar, SIZE, threshold=100, line=line - 2)
    assert thinner is not None
    ink = drawn[:, 14].astype(int).sum() / 255
    assert line / 4 - 0.3 < ink < line / 4 + 1  # strokes between pixels are spread to full strength
    assert ink >= thinner[:, 14].astype(int).sum() / 255


def test_no_ink_gives_no_drawing() -> None:
    assert redraw(np.zeros((20, 20), np.uint8), SIZE, threshold=1) is None


@given(st.integers(0, 2**32), st.floats(0.1, 0.9))
def test_thinning_keeps_regions_and_removes_no_end(seed: int, share: float) -> None:
    noise = np.random.default_rng(seed).random((24, 24))
    mask = ndimage.uniform_filter(noise, 3) < np.quantile(ndimage.uniform_filter(noise, 3), share)
    thinned = thin(mask)
    assert not (thinned & ~mask).any()
    eight = np.ones((3, 3))
    labels, n = ndimage.label(mask, structure=eight)
    assert ndimage.label(thinned, structure=eight)[1] == n
    assert set(np.unique(labels[thinned])) == set(range(1, n + 1))


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 12), st.floats(0, 1))
def test_thinning_keeps_holes_and_has_an_end(
    seed: int, height: int, width: int, share: float
) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < share
    thinned = thin(mask)
    assert find_holes(thinned) == find_holes(mask)
    np.testing.assert_array_equal(thin(thinned), thinned)


def test_a_thick_bar_becomes_a_line_of_one_pixel() -> None:
    mask = np.zeros((21, 60), np.bool_)
    mask[4:17, 5:55] = True
    thinned = thin(mask)
    assert (thinned[:, 15:45].sum(axis=0) == 1).all()
    assert thinned[10, 15:45].all()
