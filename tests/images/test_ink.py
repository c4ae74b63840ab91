import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.images.ink import (
    FAINTEST,
    ink_levels,
    ink_threshold,
    is_light_ink,
    is_smooth,
    odd,
    plain_ground,
    quantile,
    strongest_ink,
)
from apple_clf.images.preprocessing import Polarity
from images import pages

COVER = pages.cover(8)
STROKES, GROUND = COVER == 1, pages.cover(16) == 0


@pytest.mark.parametrize(
    ("ground", "ink", "expected"),
    [
        pytest.param((250, 250, 250), (250, 230, 60), (250, 60), id="yellow on white"),
        pytest.param((250, 250, 250), (40, 60, 250), (250, 40), id="blue on white"),
        pytest.param((20, 30, 20), (250, 120, 40), (30, 250), id="orange on black"),
    ],
)
def test_ink_of_any_colour_stands_out(
    ground: tuple[int, int, int], ink: tuple[int, int, int], expected: tuple[int, int]
) -> None:
    page = np.full((40, 50, 3), ground, np.uint8)
    page[10, 10:40] = ink
    gray = strongest_ink(page)
    assert (gray[0, 0], gray[10, 20]) == expected


@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1)])
def test_gray_pictures_stay_gray(shape: tuple[int, ...]) -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(shape)
    np.testing.assert_array_equal(strongest_ink(pixels), pixels.reshape(3, 4))


@pytest.mark.parametrize(
    "name", ["plain", "gradient", "hard_shadow", "soft_shadow", "grainy", "thick_rings"]
)
def test_ink_is_light_on_the_negative_of_a_page_alone(name: str) -> None:
    page = getattr(pages, name)()
    assert not is_light_ink(page, "auto")
    assert is_light_ink(~page, "auto")


@pytest.mark.parametrize(
    ("polarity", "is_light"), [("light_on_dark", True), ("dark_on_light", False)]
)
def test_a_stated_polarity_is_believed(polarity: Polarity, is_light: bool) -> None:
    for page in (pages.plain(), pages.chalk()):
        assert is_light_ink(page, polarity) == is_light


def test_a_plain_ground_is_the_level_of_the_border_and_of_most_of_the_page() -> None:
    framed = np.full((60, 80), 250, np.uint8)
    framed[[0, -1]] = framed[:, [0, -1]] = 20
    assert plain_ground(pages.plain()) == pages.PAPER
    for page in (framed, pages.gradient(), pages.grainy(), pages.wooden_table()):
        assert plain_ground(page) is None


@pytest.mark.parametrize("paper", [255, 200, 120, 60])
def test_ink_is_measured_against_its_paper(paper: int) -> None:
    levels = ink_levels(pages.inked(COVER, paper=paper, ink=0.4 * paper), None)
    assert np.abs(levels[STROKES].mean() - 0.6 * 255) < 8
    assert levels[GROUND].max() <= 1


@pytest.mark.parametrize("name", ["gradient", "hard_shadow", "soft_shadow"])
def test_light_and_shadow_cancel_out(name: str) -> None:
    flat, levels = ink_levels(pages.plain(), None), ink_levels(getattr(pages, name)(), None)
    difference = np.abs(flat.astype(int) - levels)
    assert np.quantile(difference[STROKES], 0.95) < 12
    assert np.quantile(difference[GROUND], 0.95) < 12


def test_a_shape_that_is_coloured_in_is_ink_and_a_hand_at_the_border_is_not() -> None:
    inside = pages.cover(8, filled=True) == 1
    assert ink_levels(pages.filled(), None)[inside].min() > 100
    hand = ink_levels(pages.hand_at_the_edge(), None)[440:, 570:]
    assert hand.max() < FAINTEST


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (7, 3), (201, 203)])
def test_levels_have_the_page_s_shape(shape: tuple[int, int]) -> None:
    levels = ink_levels(np.full(shape, 130, np.uint8), None)
    assert levels.shape == shape
    assert not levels.any()


def _grain(deviation: float) -> FloatArray:
    noise: FloatArray = np.random.default_rng(0).normal(60, deviation, (100, 100))
    return noise


def test_the_threshold_rises_with_the_grain_of_the_paper() -> None:
    levels = [_grain(deviation).clip(0, 255).astype(np.uint8) for deviation in (1, 4, 12)]
    thresholds = [ink_threshold(level, None) for level in levels]
    assert thresholds == sorted(thresholds)
    assert thresholds[0] < thresholds[-1]
    for level, threshold in zip(levels, thresholds, strict=True):
        assert (level >= threshold).mean() < 0.001


def test_the_least_threshold_is_that_of_clean_paper() -> None:
    assert ink_threshold(np.zeros((9, 9), np.uint8), None) == FAINTEST


def test_a_shape_that_fills_most_of_the_page_is_no_grain() -> None:
    levels = np.zeros((100, 100), np.uint8)
    levels[:60] = 150
    assert ink_threshold(levels, None) == FAINTEST


def test_only_the_sheet_s_grain_counts() -> None:
    levels = _grain(20).clip(0, 255).astype(np.uint8)
    sheet = np.zeros(levels.shape, np.bool_)
    sheet[20:80, 20:80] = True
    levels[sheet] = 0
    assert ink_threshold(levels, sheet) == FAINTEST < ink_threshold(levels, None)


def test_a_pattern_on_a_fourth_of_a_table_makes_it_rough() -> None:
    levels = np.zeros(1000, np.uint8)
    assert is_smooth(levels)
    levels[:150] = 200
    assert is_smooth(levels)
    levels[:250] = 200
    assert not is_smooth(levels)


@given(st.lists(st.integers(0, 255), min_size=1), st.sampled_from([0.25, 0.5, 0.75, 1.0]))
def test_quantiles_are_those_of_numpy(levels: list[int], share: float) -> None:
    expected = np.quantile(levels, share, method="inverted_cdf")
    assert quantile(np.bincount(levels, minlength=256), share) == expected


@given(st.floats(0, 1000))
def test_odd_lengths_are_odd_and_near(length: float) -> None:
    assert odd(length) % 2 == 1
    assert abs(odd(length) - length) <= 1


def test_the_page_is_left_as_it_was() -> None:
    page: UInt8Array = pages.gradient()
    before = page.copy()
    ink_levels(page, None)
    np.testing.assert_array_equal(page, before)
