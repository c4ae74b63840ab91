"""The gradients of a network's layers, as a PNG and as SVG geometry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.plots import svg
from apple_clf.plots.drawing import COLORS, house_style, name_lines, new_figure, png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apple_clf.arrays import FloatArray

LOWEST = 1e-9  # a gradient of 0 has no place on a logarithmic axis


def start_gradients_plot(norms: Mapping[str, FloatArray], *, title: str) -> bytes:
    """PNG of the gradient of each layer before the training, a line per network, 800 x 340 pixels.

    Args:
        norms: by the network's name, at most 7, from input to output, (n_layers,).
        title: of the picture.
    """
    from matplotlib.ticker import MaxNLocator

    with house_style():
        figure = new_figure(height=340)
        axes = figure.add_axes((0.09, 0.15, 0.7, 0.74), title=title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10, min_n_ticks=1))
        axes.set(yscale="log", xlabel="Layer, from input to output", ylabel="Gradient at the start")
        ends = {}
        for (name, values), color in zip(norms.items(), COLORS, strict=False):
            drawn = np.maximum(values, LOWEST)
            axes.plot(np.arange(1, len(drawn) + 1), drawn, "o-", color=color, markersize=5)
            ends[name] = float(np.log10(drawn[-1]))
        name_lines(axes, ends)
        return png(figure)


def by_layer_chart(
    title: str, names: Sequence[str], values: FloatArray, *, unit: str, summary: str
) -> svg.Chart:
    """A chart of a number of each layer by epoch, on a logarithmic axis.

    Args:
        title: of the chart.
        names: of the layers.
        values: above 0, or NaN for a gap, (n_epochs + 1, n_layers); the first row is from before
            the training. At least one is not NaN.
        unit: label of the vertical axis.
        summary: what the chart shows besides, in words.
    """
    epochs = np.arange(len(values), dtype=np.float64)
    low = math.floor(np.log10(np.nanmin(values)))
    high = max(math.ceil(np.log10(np.nanmax(values))), low + 1)
    return svg.draw(
        title,
        [svg.Line(name, epochs, values[:, i], style=i) for i, name in enumerate(names)],
        x=svg.Axis("epoch, 0 before the training", 0, max(1, len(epochs) - 1), whole=True),
        y=svg.Axis(unit, 10.0**low, 10.0**high, log=True),
        summary=f"{title}, by epoch. {summary}",
    )
