import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.arrays import IntArray
from apple_clf.io.large_arrays import IN_MEMORY_BYTES
from apple_clf.training.epoch_order import BLOCK_BYTES, GROUP_BLOCKS, epoch_order

HUGE = IN_MEMORY_BYTES
"""Of an image that no two of fit into memory; a block is then one image."""
N_BLOCKS = 1030  # of 32 kB images, a few more than four groups


def order(n: int, *, image_bytes: int = 784, seed: int = 1, epoch: int = 0) -> IntArray:
    return epoch_order(n, image_bytes=image_bytes, seed=seed, epoch=epoch)


@given(st.integers(0, 3000), st.sampled_from([1, 784, HUGE // 300, HUGE]), st.integers(0, 9))
def test_every_image_comes_once(n: int, image_bytes: int, epoch: int) -> None:
    found = order(n, image_bytes=image_bytes, epoch=epoch)
    np.testing.assert_array_equal(np.sort(found), np.arange(n))


def test_pixels_in_memory_are_shuffled_as_numpy_does() -> None:
    expected = np.random.default_rng([5, 7]).permutation(300)
    for image_bytes in (1, IN_MEMORY_BYTES // 300):
        found = order(300, image_bytes=image_bytes, seed=5, epoch=7)
        np.testing.assert_array_equal(found, expected)


LARGE = {"image_bytes": BLOCK_BYTES // 32}
N = 32 * N_BLOCKS - 5  # the last block is not full


def test_pixels_in_a_file_are_read_in_groups_of_blocks() -> None:
    blocks = order(N, **LARGE) // 32
    at = 0
    seen: set[int] = set()
    while at < N:
        group = set(blocks[at : at + 32 * GROUP_BLOCKS - 31].tolist())
        assert len(group) <= GROUP_BLOCKS
        assert not group & seen
        n_images = sum(min(32, N - 32 * block) for block in group)
        assert set(blocks[at : at + n_images].tolist()) == group
        seen |= group
        at += n_images
    assert len(seen) == N_BLOCKS


def test_blocks_and_images_within_a_group_are_shuffled() -> None:
    found = order(N, **LARGE)
    first = found[: 32 * GROUP_BLOCKS - 5]
    assert np.ptp(first) > 0.9 * N  # from all over the file
    jumps = np.abs(np.diff(first // 32))
    assert (jumps == 0).mean() < 0.02  # hardly ever two images of one block in a row
    assert np.median(jumps) > 0.1 * N_BLOCKS


@pytest.mark.parametrize("image_bytes", [784, LARGE["image_bytes"]], ids=["memory", "file"])
def test_order_follows_from_seed_and_epoch(image_bytes: int) -> None:
    def text(seed: int, epoch: int) -> bytes:
        return order(N, image_bytes=image_bytes, seed=seed, epoch=epoch).tobytes()

    assert text(1, 0) == text(1, 0)
    assert len({text(1, 0), text(1, 1), text(2, 0)}) == 3


def test_share_of_a_class_that_lies_in_one_piece_varies_little_between_groups() -> None:
    is_first = np.arange(N) < N / 2
    found = np.concatenate([order(N, **LARGE, epoch=epoch) for epoch in range(40)])
    shares = [
        is_first[group].mean()
        for group in np.array_split(found, range(0, len(found), 32 * GROUP_BLOCKS))[1:-1]
    ]
    assert 0.015 < np.std(shares) < 0.04
