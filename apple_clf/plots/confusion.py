"""Confusion matrices: the share of each true class, as numbers and as a PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apple_clf.plots.drawing import INK, house_style, new_figure, png, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from apple_clf.arrays import FloatArray, IntArray

BLUES = ("#FFFFFF", "#0072B2", "#003A5C")  # from no image of a class to all
MAX_NUMBERED, MAX_NAMED = 12, 40
"""Classes up to which cells show numbers, and up to which rows and columns show names."""


def confusion_matrix_plot(matrix: IntArray, class_names: Sequence[str]) -> bytes:
    """PNG of a confusion matrix, 800 x 640 pixels, coloured by the share of each true class.

    Args:
        matrix: counts by true class (rows) and predicted class (columns), (n_classes, n_classes).
        class_names: one per class; not shown for more than 40 classes.
    """
    from matplotlib.colors import LinearSegmentedColormap

    counts = np.asarray(matrix)
    n_classes = len(counts)
    share = shares(counts)
    with house_style():
        figure = new_figure(height=640)
        axes = figure.add_axes(
            (0.18, 0.18, 0.79, 0.75), title="True class (rows) and predicted class (columns)"
        )
        blues = LinearSegmentedColormap.from_list("blues", BLUES)
        axes.imshow(share, cmap=blues, vmin=0, vmax=1, aspect="auto")
        axes.spines[:].set_visible(False)
        axes.tick_params(length=0, pad=6)
        if n_classes <= MAX_NAMED:
            names = [readable(name, 13) for name in class_names]
            size = min(10, 300 / n_classes)
            axes.set_xticks(
                range(n_classes), names, fontsize=size, rotation=0 if n_classes <= 5 else 90
            )
            axes.set_yticks(range(n_classes), names, fontsize=size)
        if n_classes <= MAX_NUMBERED:
            _draw_numbers(axes, counts, share)
        return png(figure)


def shares(matrix: IntArray) -> FloatArray:
    """Share of each true class that got each answer, (n_classes, n_classes); 0 without images.

    Args:
        matrix: counts by true class (rows) and predicted class (columns), (n_classes, n_classes).
    """
    share: FloatArray = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    return share


def most_frequent_mistakes(matrix: IntArray, *, limit: int) -> list[tuple[int, int]]:
    """Pairs of true and predicted class code that differ and occur, the most frequent first.

    Args:
        matrix: counts by true class (rows) and predicted class (columns), (n_classes, n_classes).
        limit: maximum number of pairs.
    """
    off = matrix.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(-off, axis=None, kind="stable")[:limit]
    pairs = [divmod(int(at), len(matrix)) for at in order]
    return [(true, predicted) for true, predicted in pairs if off[true, predicted]]


def _draw_numbers(axes: Axes, counts: IntArray, share: FloatArray) -> None:
    """Writes each cell's count and its share of the true class."""
    size = max(7, 17 - len(counts))
    for (row, column), part in np.ndenumerate(share):
        words = f"{counts[row, column]:,}\n{part:.0%}"
        color = "white" if part > 0.45 else INK
        axes.text(column, row, words, ha="center", va="center", fontsize=size, color=color)
