import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.arrays import IntArray
from apple_clf.data.splits import draw_splits
from apple_clf.errors import DataError


def draw(labels: IntArray, first: IntArray, *, given: IntArray | None = None) -> IntArray:
    return draw_splits(
        labels,
        np.zeros(len(labels), np.int64) if given is None else given,
        first=first,
        shares=(0.2, 0.1),
        class_names=("a", "b"),
        where="here",
        seed=3,
    )


@given(st.lists(st.integers(0, 30), min_size=40, max_size=80), st.integers(0, 2**20 - 1))
def test_copies_within_a_class_stay_in_one_split(pixels: list[int], bits: int) -> None:
    """Besides, three images that are like no other let each class have all splits."""
    keys = np.array([*pixels, *range(100, 106)])
    labels = np.array([*(bits >> (i % 20) & 1 for i in range(len(pixels))), 0, 0, 0, 1, 1, 1])
    first = np.array([int(np.flatnonzero(keys == key)[0]) for key in keys])
    splits = draw(labels, first)
    for key, label in set(zip(keys.tolist(), labels.tolist(), strict=True)):
        assert len(set(splits[(keys == key) & (labels == label)].tolist())) == 1
    for code in (0, 1):
        assert set(splits[labels == code].tolist()) == {0, 1, 2}


def test_splits_without_copies_are_those_of_earlier_versions() -> None:
    labels = np.arange(20) % 2
    splits = draw(labels, np.arange(20))
    for code in (0, 1):
        shuffled = np.random.default_rng([3, code]).permutation(np.flatnonzero(labels == code))
        assert splits[shuffled].tolist() == [1, 1, 2, 0, 0, 0, 0, 0, 0, 0]


def test_images_with_a_split_of_their_own_keep_it() -> None:
    labels = np.arange(20) % 2
    given = np.where(np.arange(20) < 4, 2, 0)
    first = np.where(np.arange(20) == 5, 3, np.arange(20))  # image 5 is a copy of test image 3
    splits = draw(labels, first, given=given)
    assert splits[:4].tolist() == [2, 2, 2, 2]


def test_a_class_of_copies_is_too_small() -> None:
    with pytest.raises(DataError, match=r"class b has 2 usable images .* copies count once"):
        draw(np.array([0] * 5 + [1] * 9), np.array([*range(6), *[6] * 8]))
