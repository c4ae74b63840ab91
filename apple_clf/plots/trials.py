"""The trials of a sweep as PNG: the best, what mattered, and which values went together."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from apple_clf.plots.drawing import COLORS, FAINT, house_style, new_figure, png, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from apple_clf.arrays import FloatArray

_ROW, _ENDS = 28, 90  # pixels


def best_trials_plot(
    names: Sequence[str], values: Sequence[float], spreads: Sequence[float], *, metric: str
) -> bytes:
    """PNG with a dot for each trial and the spread of its seeds, 800 pixels wide.

    Args:
        names: one per trial, the best first.
        values: of the metric.
        spreads: of the values over seeds; 0 for a single seed.
        metric: a column of the history.
    """
    with house_style():
        figure = new_figure(height=_ENDS + _ROW * len(names))
        axes = figure.subplots()
        places = np.arange(len(names))
        axes.errorbar(values, places, xerr=spreads, fmt="o", color=COLORS[0])
        axes.set_yticks(places, [readable(name, 60) for name in names], fontsize=8)
        axes.invert_yaxis()
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(metric.replace("val_", "validation "))
        axes.set_title("The best trials")
        axes.grid(axis="x", color=FAINT, alpha=0.3, linewidth=0.5)
        figure.tight_layout()
        return png(figure)


def importance_plot(importance: Mapping[str, float]) -> bytes:
    """PNG with a bar for each parameter, 800 pixels wide.

    Args:
        importance: by parameter its share in the value of trials, from 0 to 1.
    """
    with house_style():
        figure = new_figure(height=_ENDS + _ROW * len(importance))
        axes = figure.subplots()
        names = sorted(importance, key=lambda name: importance[name])
        shares = [importance[name] for name in names]
        axes.barh([readable(name, 40) for name in names], shares, color=COLORS[0])
        axes.set_xlim(0, 1)
        axes.set_xlabel("share (PED-ANOVA, Watanabe et al. 2023)")
        axes.set_title("Which values told the good trials from the others")
        figure.tight_layout()
        return png(figure)


def parallel_coordinates_plot(names: Sequence[str], columns: Sequence[Sequence[Any]]) -> bytes:
    """PNG with a line for each trial through its values, the better the darker, 800 x 420 pixels.

    Args:
        names: one per column.
        columns: a value per trial each, the best trial first; the last column is the metric.
    """
    import matplotlib as mpl

    with house_style():
        figure = new_figure(height=420)
        axes = figure.subplots()
        scales = [_axis(values) for values in columns]
        lines = np.stack([places for places, _ in scales], axis=1)  # (n_trials, n_axes)
        shades = mpl.colormaps["viridis_r"](np.linspace(0.95, 0.1, len(lines)))
        for line, shade in zip(lines[::-1], shades[::-1], strict=True):
            axes.plot(line, color=shade, linewidth=1.2)
        for place, (_, ticks) in enumerate(scales):
            axes.axvline(place, color=FAINT, linewidth=0.8)
            for height, text in ticks:
                axes.text(place + 0.02, height, readable(text, 18), fontsize=7)
        axes.set_xticks(range(len(names)), [readable(name, 24) for name in names], fontsize=8)
        axes.set_xlim(-0.1, len(names) - 0.6)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_title("Which values went together; darker is better")
        figure.tight_layout()
        return png(figure)


def _axis(values: Sequence[Any]) -> tuple[FloatArray, list[tuple[float, str]]]:
    """Heights from 0 to 1 of values on one axis, and what to write at which height.

    Numbers lie by size, or by their logarithm if they spread over more than a factor of 50; other
    values lie at equal distances.
    """
    numbers = [value for value in values if type(value) in (int, float)]
    if len(numbers) < len(values) or len(set(numbers)) < 2:
        names = sorted({json.dumps(value) for value in values})
        step = 1 / max(1, len(names) - 1)
        heights = np.array([names.index(json.dumps(value)) * step for value in values])
        return heights, [(i * step, name.strip('"')) for i, name in enumerate(names)]
    x = np.array(numbers, float)
    low, high = x.min(), x.max()
    spread = np.log(x) if low > 0 and high / low > 50 else x
    heights = (spread - spread.min()) / np.ptp(spread)
    return heights, [(0.0, f"{low:.3g}"), (1.0, f"{high:.3g}")]
