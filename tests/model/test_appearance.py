import numpy as np
import pytest

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.model.appearance import BATCH, FLOOR, GRAY_FLOOR, N_SCALES, appearances

RNG = np.random.default_rng(0)


def by_numpy(image: UInt8Array) -> FloatArray:
    """The appearance of one picture, from its definition."""
    x = image / 255.0
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))  # 0 is never the largest
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    largest = windows.max(axis=(3, 4))
    numbers: list[FloatArray] = [
        (each * (1 - each)).mean(axis=(0, 1)) + GRAY_FLOOR - FLOOR for each in (x, largest)
    ]
    for scale in range(N_SCALES):
        if scale:
            height, width = x.shape[0] // 2, x.shape[1] // 2
            x = x[: 2 * height, : 2 * width].reshape(height, 2, width, 2, -1).mean(axis=(1, 3))
        if scale and min(x.shape[:2]) < 3:
            break
        means = [x, x**2, (1 - x) ** 2]
        means += [np.diff(x, axis=axis) ** 2 for axis in (0, 1) if x.shape[axis] > 1]
        numbers += [mean.mean(axis=(0, 1)) for mean in means]
        if min(x.shape[:2]) < 2:
            break
    logarithms: FloatArray = np.log(np.concatenate(numbers) + FLOOR)
    return logarithms


@pytest.mark.parametrize(
    ("shape", "n_numbers"),
    [
        pytest.param((28, 28, 1), 22, id="four_scales"),
        pytest.param((64, 48, 3), 66, id="rgb"),
        pytest.param((13, 9, 1), 12, id="odd"),
        pytest.param((4, 4, 1), 7, id="one_scale"),
        pytest.param((1, 20, 1), 6, id="one_row"),
        pytest.param((1, 1, 3), 15, id="one_pixel"),
    ],
)
def test_numbers_are_those_of_the_definition(shape: tuple[int, ...], n_numbers: int) -> None:
    images = RNG.integers(256, size=(3, *shape), dtype=np.uint8)
    images[1], images[2] = 0, 255
    found = appearances(images)
    assert found.shape == (3, n_numbers)
    np.testing.assert_allclose(found, [by_numpy(image) for image in images], atol=1e-4)


def test_many_pictures_are_described_as_one_by_one() -> None:
    images = RNG.integers(256, size=(BATCH + 3, 8, 8, 1), dtype=np.uint8)
    alone = np.concatenate([appearances(images[i : i + 1]) for i in (0, BATCH, BATCH + 2)])
    np.testing.assert_allclose(appearances(images)[[0, BATCH, BATCH + 2]], alone, atol=1e-5)
