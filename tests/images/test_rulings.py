import numpy as np
import pytest
from PIL import Image, ImageDraw

from apple_clf.arrays import BoolArray, UInt8Array
from apple_clf.images.ink import ink_levels, ink_threshold
from apple_clf.images.rulings import without_rulings
from images import pages

THRESHOLD = 30


def lines(
    *, slope: float = 0.0, apart: int = 40, length: float = 1.0, thick: int = 1
) -> UInt8Array:
    """Ink of level lines on a page of 480x600, 12 of them by default."""
    image = Image.new("L", (600, 480))
    draw = ImageDraw.Draw(image)
    start, end = 300 * (1 - length), 300 * (1 + length)
    for y in range(20, 480, apart):
        rise = slope * 300 * length
        draw.line([(start, y - rise), (end, y + rise)], 80, thick)
    return np.asarray(image)


@pytest.mark.parametrize("slope", [-0.09, -0.03, 0.0, 0.01, 0.06])
@pytest.mark.parametrize("thick", [1, 3])
def test_level_lines_are_removed_and_each_is_counted_once(slope: float, thick: int) -> None:
    rest, n = without_rulings(lines(slope=slope, thick=thick), THRESHOLD, None)
    assert rest.mean() < 0.001
    assert n == 12


def test_lines_down_the_page_are_removed_too() -> None:
    rest, n = without_rulings(lines(slope=0.02).T.copy(), THRESHOLD, None)
    assert rest.mean() < 0.001
    assert n == 12


def test_squares_are_lines_across_and_down() -> None:
    across = lines()[:, :480]
    rest, n = without_rulings(np.maximum(across, across.T), THRESHOLD, None)
    assert rest.mean() < 0.001
    assert n == 24


@pytest.mark.parametrize(
    "ink",
    [
        pytest.param(lines(length=0.25), id="short"),
        pytest.param(lines(slope=0.35), id="steep"),
        pytest.param(lines(thick=12, apart=100), id="thick"),
        pytest.param(np.zeros((480, 600), np.uint8), id="none"),
        pytest.param(np.zeros((1, 1), np.uint8), id="one pixel"),
    ],
)
def test_what_is_no_ruling_stays(ink: UInt8Array) -> None:
    rest, n = without_rulings(ink, THRESHOLD, None)
    np.testing.assert_array_equal(rest, ink >= THRESHOLD)
    assert n == 0


@pytest.mark.parametrize(
    ("n", "length", "n_removed"), [(3, 1.0, 3), (3, 0.9, 0), (3, 0.4, 0), (12, 0.4, 12)]
)
def test_a_few_lines_reach_the_border_and_many_may_end_anywhere(
    n: int, length: float, n_removed: int
) -> None:
    ink = lines(length=length)
    ink = np.where(np.arange(480)[:, None] < 40 * n, ink, 0).astype(np.uint8)
    assert without_rulings(ink, THRESHOLD, None)[1] == n_removed


def test_a_broken_line_is_one_if_half_of_it_is_there() -> None:
    for gap, n in ((9, 2), (12, 0)):
        ink = lines()[:80].copy()
        ink[:, np.arange(600) % 20 < gap] = 0
        assert without_rulings(ink, THRESHOLD, None)[1] == n


@pytest.mark.parametrize("share", [0.55, 0.7, 0.9])
@pytest.mark.parametrize("side", [64, 200, 480])
def test_edges_of_a_square_are_no_rulings(side: int, share: float) -> None:
    image = Image.new("L", (side, side))
    margin = round(side * (1 - share) / 2)
    corners = (margin, margin, side - margin - 1, side - margin - 1)
    ImageDraw.Draw(image).rectangle(corners, outline=200, width=2)
    ink = np.asarray(image)
    rest, n = without_rulings(ink, THRESHOLD, None)
    np.testing.assert_array_equal(rest, ink >= THRESHOLD)
    assert n == 0


def test_lines_need_to_cover_the_sheet_alone() -> None:
    ink = lines(length=0.4)[:80]
    sheet = np.zeros(ink.shape, np.bool_)
    sheet[:, 175:425] = True
    assert without_rulings(ink, THRESHOLD, None)[1] == 0
    assert without_rulings(ink, THRESHOLD, sheet)[1] == 2


def _strokes(page: UInt8Array) -> BoolArray:
    ink = ink_levels(page, None)
    return without_rulings(ink, ink_threshold(ink, None), None)[0]


@pytest.mark.parametrize("name", ["ruled", "squared"])
def test_darker_strokes_have_no_gap_where_a_line_crossed_them(name: str) -> None:
    clean, found = pages.cover(8) > 0.9, _strokes(getattr(pages, name)())
    assert found[clean].all()
    assert not found[pages.cover(16) == 0].any()
