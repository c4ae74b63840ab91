import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from apple_clf.arrays import UInt8Array
from apple_clf.data.duplicates import Duplicates, first_equal


@given(
    arrays(
        np.uint8, array_shapes(min_dims=3, max_dims=3, max_side=5), elements=st.just(1) | st.just(0)
    )
)
def test_first_equal_is_the_earliest_image_with_the_same_pixels(images: UInt8Array) -> None:
    expected = [
        next(j for j, other in enumerate(images) if np.array_equal(image, other))
        for image in images
    ]
    assert first_equal(images).tolist() == expected


def test_no_images_have_no_copies() -> None:
    assert first_equal([]).shape == (0,)


def test_pairs_are_parted_by_label_and_split() -> None:
    duplicates = Duplicates(
        first=np.array([0, 1, 0, 0, 1]),
        labels=np.array([0, 1, 1, 0, 1]),
        splits=np.array([0, 0, 0, 2, 0]),
    )
    assert duplicates.pairs.tolist() == [[0, 2], [0, 3], [1, 4]]
    assert duplicates.under_two_classes.tolist() == [[0, 2]]
    assert duplicates.in_two_splits.tolist() == [[0, 3]]
    assert duplicates.counts() == {"images": 3, "in_two_splits": 1, "under_two_classes": 1}
