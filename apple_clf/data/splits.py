"""Which image goes to training, which to validation, which to the test."""

from collections.abc import Sequence

import numpy as np

from apple_clf.arrays import IntArray
from apple_clf.errors import DataError
from apple_clf.io.files import printable


def draw_splits(
    labels: IntArray,
    given: IntArray,
    *,
    first: IntArray,
    shares: tuple[float, float],
    class_names: Sequence[str],
    where: str,
    seed: int,
) -> IntArray:
    """Split of each image, 0 train, 1 validation, 2 test, int, (n,).

    Images given to train are drawn from, class by class. Those of a class with the same pixels
    count as one and stay together, so that no copy of a training image is in the test.

    Args:
        labels: class codes, (n,).
        given: the split that each image comes with, (n,); only 0 is drawn from.
        first: index of the first image with the same pixels, (n,).
        shares: of the images given to train that go to validation and to test.
        class_names: for the message.
        where: for the message.
        seed: the same seed gives the same splits.

    Raises:
        DataError: a class has fewer images than splits are needed.
    """
    assignment = given.copy()
    (drawn_from,) = np.nonzero(given == 0)
    leader = drawn_from[_first_in(first[drawn_from] * len(class_names) + labels[drawn_from])]
    needed = 1 + sum(share > 0 for share in shares)
    for code, class_name in enumerate(class_names):
        at = drawn_from[(labels[drawn_from] == code) & (drawn_from == leader)]
        if len(at) < needed:
            raise _too_few(len(at), needed, where=f"{where}: class {printable(class_name)}")
        shuffled = np.random.default_rng([seed, code]).permutation(at)
        n_validation = min(_share(len(at), shares[0]), len(at) - needed + 1)
        n_test = min(_share(len(at), shares[1]), len(at) - n_validation - 1)
        assignment[shuffled[:n_validation]] = 1
        assignment[shuffled[n_validation : n_validation + n_test]] = 2
    assignment[drawn_from] = assignment[leader]
    return assignment


def _too_few(n: int, needed: int, *, where: str) -> DataError:
    return DataError(
        f"{where} has {n} usable image{'s' * (n != 1)} to train on; at least {needed} are needed, "
        "one for each split, and copies count once. Add images, or set data.validation_split and "
        "data.test_split to 0."
    )


def _first_in(keys: IntArray) -> IntArray:
    """Position of the first equal key, for each key."""
    _, starts, members = np.unique(keys, return_index=True, return_inverse=True)
    return starts[members]


def _share(n: int, fraction: float) -> int:
    """Images of n that a fraction gives; at least 1 unless it is 0."""
    return max(1, round(n * fraction)) if fraction else 0
