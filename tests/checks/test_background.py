import numpy as np
import pytest
from sklearn.linear_model import Ridge

from apple_clf.arrays import IntArray, UInt8Array
from apple_clf.checks import background
from apple_clf.checks.background import border_baseline
from apple_clf.metrics.intervals import Estimate


def baseline(images: UInt8Array, labels: IntArray) -> Estimate:
    return border_baseline(
        images, labels, first=np.arange(len(labels)), n_classes=int(labels.max()) + 1, seed=0
    )


def noise(n: int, channels: int = 1) -> UInt8Array:
    return np.random.default_rng(1).integers(0, 200, (n, 8, 8, channels), np.uint8)


def test_background_that_differs_gives_the_class_away() -> None:
    images, labels = noise(90), np.arange(90) % 3
    images[:, 0, :, 0] += (20 * labels[:, None]).astype(np.uint8)
    estimate = baseline(images, labels)
    assert estimate.low is not None
    assert estimate.low > 1 / 3


def test_colour_of_the_background_is_seen() -> None:
    images, labels = noise(60, channels=3), np.arange(60) % 2
    images[labels == 1, :, 7, 2] = 255
    assert baseline(images, labels).value == 1


def test_what_is_shown_inside_is_not_seen() -> None:
    images, labels = noise(400), np.arange(400) % 2
    images[labels == 1, 1:-1, 1:-1] = 255
    estimate = baseline(images, labels)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < 0.5 < estimate.high


def test_black_borders_are_guessed() -> None:
    labels = (np.arange(40) < 10).astype(np.int32)
    assert baseline(np.zeros((40, 4, 4, 1), np.uint8), labels).value == 0.5


def test_weights_are_those_of_a_weighted_ridge_regression() -> None:
    rng = np.random.default_rng(0)
    features, labels = rng.random((50, 4)), np.repeat([0, 1, 1, 2, 2], 10)
    weights = background._fit(features, labels, n_classes=3)
    sample_weight = 1 / np.bincount(labels)[labels]
    penalty = background.PENALTY * features.var(axis=0).mean() * sample_weight.sum()
    oracle = Ridge(alpha=penalty).fit(features, np.eye(3)[labels], sample_weight=sample_weight)
    assert weights[:-1] == pytest.approx(oracle.coef_.T, abs=1e-6)
    assert weights[-1] == pytest.approx(oracle.intercept_, abs=1e-6)
