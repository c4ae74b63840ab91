import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.checks.folds import stratified_folds


@given(st.lists(st.integers(0, 2), min_size=1, max_size=60), st.integers(2, 6), st.integers(0, 99))
def test_each_fold_has_its_share_of_each_class(labels: list[int], n_folds: int, seed: int) -> None:
    codes = np.array(labels)
    folds = stratified_folds(codes, first=np.arange(len(codes)), n_folds=n_folds, seed=seed)
    for code in set(labels):
        sizes = np.bincount(folds[codes == code], minlength=n_folds)
        assert len(sizes) == n_folds
        assert sizes.max() - sizes.min() <= 1


def test_copies_share_a_fold_whatever_their_labels() -> None:
    first = np.array([0, 1, 2, 3, 4, 5, 0, 1, 2, 3])
    folds = stratified_folds(np.arange(10) % 2, first=first, n_folds=3, seed=0)
    np.testing.assert_array_equal(folds, folds[first])
