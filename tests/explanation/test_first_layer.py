import numpy as np
import pytest

from apple_clf.explanation.first_layer import first_weights, makes_pictures, weight_history
from apple_clf.runs.layer_statistics import WeightSnapshots
from explanation.test_units import look

pytestmark = pytest.mark.slow


def test_first_weights_of_a_dense_layer_are_pictures_of_the_input() -> None:
    network, _, views = look("dense")
    first = first_weights(network, views)
    assert first is not None
    kernel = np.asarray(network.steps[2].layer.kernel)
    assert first.pictures.shape == (8, 7, 6)
    for unit, picture in zip(first.units, first.pictures, strict=True):
        np.testing.assert_array_equal(picture.ravel(), kernel[:, unit])


def test_first_weights_of_a_convolution_are_its_filters() -> None:
    network, _, views = look("convolutional")
    first = first_weights(network, views)
    assert first is not None
    assert (first.layer, first.pictures.shape) == ("conv2d_2", (4, 3, 2))
    kernel = np.asarray(network.steps[2].layer.kernel)
    np.testing.assert_array_equal(first.pictures[0], kernel[:, :, 0, first.units[0]])


def test_history_sums_the_weights_of_each_epoch_over_channels() -> None:
    weights = np.arange(2 * 12 * 5).reshape(2, 12, 5).astype(np.float16)
    history = weight_history(WeightSnapshots("dense_1", (0, 4), list(weights)), (2, 2, 3))
    assert history is not None
    assert (history.layer, history.epochs) == ("dense_1", (0, 4))
    assert history.pictures.shape == (2, 5, 2, 2)
    np.testing.assert_array_equal(history.pictures[1, 2, 0, 1], weights[1, 3:6, 2].sum())


def test_weights_behind_a_pooling_layer_make_no_pictures() -> None:
    snapshots = WeightSnapshots("dense_1", (0,), [np.ones((16, 4), np.float16)])
    assert weight_history(snapshots, (3, 3, 3)) is None
    assert not makes_pictures(snapshots, (3, 3, 3))
    assert makes_pictures(snapshots, (4, 4, 1))
