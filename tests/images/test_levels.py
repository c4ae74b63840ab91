import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.images.levels import spread_levels


def drawing(strength: float) -> np.ndarray:
    """A cross with soft edges on black, its strokes at a share of full strength."""
    at = np.abs(np.arange(28) - 14)
    cover = np.clip(3 - np.minimum(at[:, None], at[None]), 0, 1.0) * (np.add.outer(at, at) < 20)
    pixels: np.ndarray = np.rint(255 * strength * cover).astype(np.uint8)
    return pixels


@pytest.mark.parametrize("strength", [1.0, 0.8, 0.4, 0.1])
def test_strokes_have_full_strength_however_faint_the_ink(strength: float) -> None:
    spread = spread_levels(drawing(strength)).astype(int)
    strokes = spread[spread > spread.max() // 4]
    assert np.quantile(strokes, 0.75) == 255
    assert np.abs(spread - drawing(1.0)).max() <= 13  # one level of the faintest ink


def test_black_stays_black() -> None:
    assert not spread_levels(np.zeros((3, 4), np.uint8)).any()
    assert spread_levels(drawing(0.5))[0, 0] == 0


@pytest.mark.parametrize("strength", [1.0, 0.8, 0.4, 0.1])
def test_what_has_full_strength_stays_as_it_is(strength: float) -> None:
    once = spread_levels(drawing(strength))
    np.testing.assert_array_equal(spread_levels(once), once)


@given(st.integers(0, 2**32), st.integers(1, 255))
def test_a_quarter_of_any_strokes_has_full_strength(seed: int, largest: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, largest + 1, (6, 6), dtype=np.uint8)
    is_stroke = pixels > pixels.max() // 4
    assert (spread_levels(pixels)[is_stroke] == 255).mean() >= 0.25 or not is_stroke.any()


@given(st.integers(0, 2**32), st.integers(1, 255))
def test_the_order_of_levels_is_kept(seed: int, largest: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, largest + 1, (6, 6), dtype=np.uint8)
    order = np.argsort(pixels, axis=None)
    assert (np.diff(spread_levels(pixels).ravel()[order].astype(int)) >= 0).all()
