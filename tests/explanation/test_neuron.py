import math

import numpy as np
import pytest

from apple_clf.errors import ConfigError
from apple_clf.explanation.keras_backend import Network
from apple_clf.explanation.neuron import SUMMING, choose_neuron, weighted_sum
from apple_clf.explanation.units import layer_views
from explanation.models import MODELS, PICTURE, convolutional, dense


@pytest.mark.parametrize("name", MODELS)
def test_every_unit_of_every_weighted_sum_agrees_with_keras(name: str) -> None:
    network = Network(MODELS[name](), n_classes=3)
    forward = network.forward(PICTURE)
    n_checked = 0
    for step in network.steps:
        if step.kind not in SUMMING:
            continue
        for unit in range(step.shape[-1]):
            neuron = weighted_sum(network, forward, step=step, unit=unit)
            assert neuron.value == pytest.approx(neuron.keras, abs=2e-6)
            products = math.fsum(term.value * term.weight for term in neuron.terms)
            assert products + neuron.bias == pytest.approx(neuron.total, abs=1e-9)
            assert len(neuron.terms) == neuron.n_inputs
            n_checked += 1
    assert n_checked >= 3


@pytest.mark.parametrize("name", MODELS)
def test_contributions_and_bias_make_the_logit(name: str) -> None:
    network = Network(MODELS[name](), n_classes=3)
    forward = network.forward(PICTURE)
    for unit, logit in enumerate(forward.logits):
        total = weighted_sum(network, forward, step=network.output, unit=unit).total
        assert total == pytest.approx(float(logit), abs=1e-5)


def test_largest_products_come_first_and_the_rest_is_what_is_left() -> None:
    network = Network(dense(), n_classes=3)
    neuron = weighted_sum(network, network.forward(PICTURE), step=network.steps[2], unit=4)
    sizes = [abs(term.product) for term in neuron.terms]
    assert sizes == sorted(sizes, reverse=True)
    assert neuron.rest(5) == pytest.approx(sum(term.product for term in neuron.terms[5:]))


def test_inputs_are_named_by_where_they_come_from() -> None:
    network = Network(dense(), n_classes=3)
    forward = network.forward(PICTURE)
    first = weighted_sum(network, forward, step=network.steps[2], unit=0)
    for term in first.terms:
        row, column = map(int, term.source.removeprefix("pixel (").rstrip(")").split(", "))
        assert term.value == pytest.approx(PICTURE[row, column, 0] / 255, abs=1e-6)
    second = weighted_sum(network, forward, step=network.steps[5], unit=0)
    assert {term.source for term in second.terms} == {
        f"batch_normalization_3 unit {i}" for i in range(9)
    }
    output = weighted_sum(network, forward, step=network.output, unit=0)
    assert {term.source for term in output.terms} == {f"dense_4 unit {i}" for i in range(5)}


def test_black_border_of_a_picture_is_no_input() -> None:
    network = Network(convolutional(), n_classes=3)
    corner = np.zeros_like(PICTURE)
    corner[0, -1] = 255
    step = next(step for step in network.steps if step.kind == "Conv2D")
    forward = network.forward(corner)
    at_edge = [
        weighted_sum(network, forward, step=step, unit=k)
        for k in range(4)
        if weighted_sum(network, forward, step=step, unit=k).place[1] == 5
    ]
    assert at_edge
    for neuron in at_edge:
        assert neuron.n_inputs < 6
        assert "pixel (0, 5)" in {term.source for term in neuron.terms}


def choose(layer: str | None, unit: int | None) -> tuple[int, int]:
    network = Network(dense(), n_classes=3)
    forward = network.forward(PICTURE)
    views = layer_views(network, forward, contributions=np.zeros(5))
    return choose_neuron(network, views, layer=layer, unit=unit)


def test_neuron_left_out_is_the_strongest_of_the_first_dense_layer() -> None:
    network = Network(dense(), n_classes=3)
    activations = network.forward(PICTURE).outputs[2]
    assert choose(None, None) == (2, int(np.abs(activations).argmax()))


def test_layer_is_named_by_number_or_name() -> None:
    assert choose("6", 3) == choose("dense_4", 3) == (5, 3)


@pytest.mark.parametrize(
    ("layer", "unit", "told"),
    [
        ("dense_9", None, r"There are: 3 \(dense_1\), 6 \(dense_4\), 8 \(output\)"),
        ("0", None, "not a layer of weighted sums"),
        ("batch_normalization_3", 0, "not a layer of weighted sums"),
        ("dense_1", 9, "has the units 0 to 8"),
        (None, -1, "has the units 0 to 8"),
    ],
)
def test_neuron_that_is_none_is_refused(layer: str | None, unit: int | None, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        choose(layer, unit)
