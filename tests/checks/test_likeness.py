import numpy as np
import pytest

from apple_clf.arrays import UInt8Array
from apple_clf.checks.likeness import compare, structure

RNG = np.random.default_rng(0)
ONE: UInt8Array = RNG.integers(0, 256, (32, 32), np.uint8)
OTHER: UInt8Array = RNG.integers(0, 256, (32, 32), np.uint8)


def test_structure_of_a_picture_and_itself_is_one() -> None:
    assert structure(ONE, ONE) == pytest.approx(1)


def test_brightness_and_contrast_of_the_whole_do_not_count() -> None:
    assert structure(ONE, (ONE // 2 + 90).astype(np.uint8)) == pytest.approx(1, abs=0.01)
    assert structure((ONE // 4).astype(np.uint8), ONE) == pytest.approx(1, abs=0.01)


def test_one_different_tenth_is_seen_however_strong_the_rest() -> None:
    frame = (np.indices((32, 32)).sum(axis=0) // 3 % 2 * 255).astype(np.uint8)
    one, other = frame.copy(), frame.copy()
    one[8:24, 8:24] = ONE[:16, :16] // 8 + 100
    other[8:24, 8:24] = OTHER[:16, :16] // 8 + 100
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.98
    assert structure(one, other) < 0.5


def test_pictures_without_anything_to_see_are_not_alike() -> None:
    assert structure(np.full((32, 32), 7, np.uint8), np.full((32, 32), 9, np.uint8)) == 0


def test_structure_is_taken_in_the_best_position() -> None:
    moved = np.roll(ONE[:, ::-1], 1, axis=1)
    likeness = compare(np.stack([ONE, moved, OTHER]), np.array([[0, 1], [0, 2]]), far=0.5)
    assert likeness.structures[0] == pytest.approx(1)
    assert likeness.mirrored[0]
    assert np.isnan(likeness.structures[1])
