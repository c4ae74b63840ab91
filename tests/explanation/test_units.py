import numpy as np
import pytest

from apple_clf.explanation.keras_backend import Forward, Network
from apple_clf.explanation.record import LayerView
from apple_clf.explanation.units import layer_views
from explanation.models import MODELS, PICTURE


def look(name: str) -> tuple[Network, Forward, tuple[LayerView, ...]]:
    network = Network(MODELS[name](), n_classes=3)
    forward = network.forward(PICTURE)
    features = forward.entering(network.output)
    contributions = features * np.asarray(network.output.layer.kernel)[:, 1]
    return network, forward, layer_views(network, forward, contributions=contributions)


@pytest.mark.parametrize("name", MODELS)
def test_units_are_the_strongest_first_with_their_keras_outputs(name: str) -> None:
    _, forward, views = look(name)
    for view, output in zip(views, forward.outputs, strict=True):
        sizes = [abs(unit.activation) for unit in view.units]
        assert sizes == sorted(sizes, reverse=True)
        assert len(view.units) == view.n_units == output.shape[-1]
        for unit, values in zip(view.units, view.maps, strict=True):
            channel = output[..., unit.index]
            assert unit.activation == channel[unit.place]
            assert abs(unit.activation) == np.abs(channel).max()
            np.testing.assert_array_equal(values, channel)


def test_contributions_stand_where_they_are_all_and_add_up_to_the_logit() -> None:
    network, forward, views = look("dense")
    with_some = [view for view in views if view.units[0].contribution is not None]
    assert [view.name for view in with_some] == ["dense_4", "dropout_5"]
    bias = float(network.output.layer.bias[1])
    for view in with_some:
        total = sum(unit.contribution or 0 for unit in view.units) + bias
        assert total == pytest.approx(float(forward.logits[1]), abs=1e-5)


def test_units_that_are_0_are_counted() -> None:
    _, forward, views = look("dense")
    assert views[2].n_zero == int((forward.outputs[2] == 0).sum())
