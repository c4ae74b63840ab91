"""Gradients by layer, drawn on a logarithmic axis."""

import io

import numpy as np
import pytest
from PIL import Image

from apple_clf.plots.gradients import by_layer_chart, start_gradients_plot


@pytest.mark.slow
def test_gradient_of_zero_is_drawn_too() -> None:
    norms = {"vanishing": np.array([0.0, 1e-5, 0.1]), "healthy": np.array([0.1, 0.1, 0.2])}
    shown = [start_gradients_plot({name: norms[name]}, title="T") for name in norms]
    both = start_gradients_plot(norms, title="T")
    assert Image.open(io.BytesIO(both)).size == (800, 340)
    assert len({both, *shown}) == 3


def test_axis_reaches_the_powers_of_ten_around_the_values() -> None:
    values = np.array([[0.02, np.nan], [0.5, 3.0]])
    chart = by_layer_chart("Gradient", ["a", "b"], values, unit="norm", summary="Falls.")
    assert [label for _, label in chart.y_ticks] == ["0.01", "0.1", "1", "10"]
    assert chart.summary == "Gradient, by epoch. Falls."
