from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apple_clf.arrays import UInt8Array
from apple_clf.checks import near_duplicates
from apple_clf.checks.likeness import compare
from apple_clf.checks.near_duplicates import FAR, FAR_CONTENTS, find_near_duplicates
from apple_clf.data import simulation

SIDE = 28


@pytest.fixture(scope="module")
def drawings() -> UInt8Array:
    return simulation.simulate(300, image_size=(SIDE, SIDE), seed=4).images.reshape(
        -1, SIDE, SIDE, 1
    )


def moved(image: UInt8Array, y: int, x: int) -> UInt8Array:
    return np.roll(image, (y, x), axis=(0, 1))


CHANGES: dict[str, Callable[[UInt8Array], UInt8Array]] = {
    "the same": lambda image: image,
    "mirrored": lambda image: image[:, ::-1],
    "moved right": lambda image: moved(image, 0, 1),
    "moved up and left": lambda image: moved(image, -1, -1),
    "mirrored and moved": lambda image: moved(image[:, ::-1], 1, 0),
    "darker": lambda image: image // 2,
    "noisy": lambda image: np.maximum(image, np.arange(SIDE, dtype=np.uint8)[:, None, None] % 7),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copy_is_found(drawings: UInt8Array, change: str) -> None:
    copies = np.stack([CHANGES[change](image) for image in drawings[:40]])
    found = find_near_duplicates(np.concatenate([drawings, copies]))
    pairs = set(map(tuple, found.pairs.tolist()))
    assert pairs >= {(i, 300 + i) for i in range(40)}
    assert np.all(np.diff(found.distances) >= 0)
    assert found.distances.max() <= FAR_CONTENTS


@settings(max_examples=25)
@given(st.integers(0, 299), st.sampled_from(sorted(CHANGES)), st.integers(0, 2**32 - 1))
def test_copy_is_found_wherever_it_stands_and_whatever_the_seed(
    drawings: UInt8Array, index: int, change: str, seed: int
) -> None:
    images = np.insert(drawings, 0, CHANGES[change](drawings[index]), axis=0)
    found = find_near_duplicates(images, seed=seed)
    assert [0, index + 1] in found.pairs.tolist()


def test_mirroring_is_told(drawings: UInt8Array) -> None:
    lopsided = drawings[:1].copy()
    lopsided[:, :, : SIDE // 2] //= 3
    pair = np.concatenate([lopsided, lopsided[:, :, ::-1], lopsided])
    found = find_near_duplicates(pair)
    assert dict(zip(map(tuple, found.pairs.tolist()), found.mirrored.tolist(), strict=True)) == {
        (0, 1): True,
        (0, 2): False,
        (1, 2): True,
    }


def test_distances_are_one_minus_the_best_correlation(drawings: UInt8Array) -> None:
    one, other = drawings[:2, :, :, 0]
    inner = slice(1, SIDE - 1)
    expected = min(
        1 - np.corrcoef(one[inner, inner].ravel(), window.ravel())[0, 1]
        for view in (other, other[:, ::-1])
        for y in range(3)
        for x in range(3)
        for window in [view[y : y + SIDE - 2, x : x + SIDE - 2]]
    )
    likeness = compare(drawings[:2, :, :, 0], np.array([[0, 1]]), far=FAR)
    assert likeness.distances[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    "images",
    [
        pytest.param(
            np.random.default_rng(0).integers(0, 256, (200, 12, 12, 1), np.uint8), id="noise"
        ),
        pytest.param(
            np.random.default_rng(0).integers(0, 256, (9, 40, 20, 3), np.uint8), id="colour"
        ),
        pytest.param(np.full((50, 16, 16, 1), 7, np.uint8), id="blank"),
        pytest.param(np.random.default_rng(0).integers(0, 2, (50, 3, 3, 1), np.uint8), id="tiny"),
        pytest.param(np.zeros((1, 16, 16, 1), np.uint8), id="one"),
        pytest.param(np.zeros((0, 16, 16, 1), np.uint8), id="none"),
    ],
)
def test_what_is_not_alike_is_not_paired(images: UInt8Array) -> None:
    found = find_near_duplicates(images)
    assert (found.pairs.shape, found.distances.shape, found.mirrored.shape) == ((0, 2), (0,), (0,))


def test_large_colour_pictures_are_compared() -> None:
    rng = np.random.default_rng(0)
    images = np.kron(rng.integers(0, 256, (6, 8, 8, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    images[5] = images[2, :, ::-1]
    assert find_near_duplicates(images).pairs.tolist() == [[2, 5]]


def test_crowded_cell_does_not_explode(drawings: UInt8Array) -> None:
    rng = np.random.default_rng(0)
    crowd = np.repeat(drawings[0, None, :, :, 0], 2000, axis=0)
    crowd[np.arange(2000), rng.integers(0, SIDE, 2000), rng.integers(0, SIDE, 2000)] = 255
    pairs = near_duplicates._candidates(
        near_duplicates._hashes(crowd), rng, radius=near_duplicates.HASH_RADIUS
    )
    assert len(pairs) < 2000 * 1999 / 2 / 10
    assert set(pairs.ravel().tolist()) == set(range(2000))
