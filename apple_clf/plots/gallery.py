"""The mistakes that a classifier was surest of, as a PNG."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.plots.drawing import (
    COLORS,
    FAINT,
    INK,
    WIDTH,
    house_style,
    new_figure,
    png,
    readable,
)
from apple_clf.plots.pixels import tile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from apple_clf.arrays import FloatArray, IntArray, UInt8Array

TILES_A_ROW, TILE, CAPTION, HEADING = 6, 118, 50, 44  # the last three in pixels


def mistakes_gallery(
    images: UInt8Array,
    y_true: IntArray,
    y_prob: FloatArray,
    *,
    y_pred: IntArray,
    names: Sequence[str],
    class_names: Sequence[str],
    count: int = 24,
) -> bytes:
    """PNG of the mistakes a classifier was surest of, six a row, or of the news that it made none.

    Args:
        images: pixels, uint8, (n, height, width, channels), 1 or 3 channels.
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        y_pred: class codes answered, int, (n,).
        names: one an image, such as its file's name.
        class_names: one a class.
        count: number of mistakes shown at most.
    """
    confidence = y_prob[np.arange(len(y_pred)), y_pred]
    wrong = np.flatnonzero(y_pred != y_true)
    surest = wrong[np.argsort(-confidence[wrong], kind="stable")][:count]
    rows = math.ceil(len(surest) / TILES_A_ROW)
    canvas = np.full((HEADING + rows * (TILE + CAPTION), WIDTH, 3), 255, np.uint8)
    with house_style():
        figure = new_figure(height=len(canvas))
        title = _gallery_title(len(surest), n_wrong=len(wrong), n_images=len(y_true))
        _write(figure, title, x=14, y=26, size=12, color=INK)
        for place, i in enumerate(surest):
            x = 10 + place % TILES_A_ROW * 132
            y = HEADING + place // TILES_A_ROW * (TILE + CAPTION)
            picture = tile(images[i], TILE)
            canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
            answer, truth = (readable(class_names[int(k)], 11) for k in (y_pred[i], y_true[i]))
            said = f"said {answer} {confidence[i]:.0%}"
            _write(figure, said, x=x, y=y + TILE + 12, size=8, color=COLORS[1])
            _write(figure, f"is {truth}", x=x, y=y + TILE + 25, size=8, color=INK)
            _write(figure, readable(names[i], 20), x=x, y=y + TILE + 37, size=7, color=FAINT)
        figure.figimage(canvas, zorder=-1)
        return png(figure)


def _gallery_title(n_shown: int, *, n_wrong: int, n_images: int) -> str:
    if n_wrong == 0:
        return f"No mistakes among {n_images:,} images"
    title = f"{n_wrong:,} of {n_images:,} images wrong"
    return title if n_shown == n_wrong else f"{title}; the {n_shown} it was surest of"


def _write(figure: Figure, words: str, *, x: int, y: int, size: int, color: str) -> None:
    """Writes at a pixel counted from the upper left corner."""
    height = figure.bbox.height
    figure.text(x / WIDTH, 1 - y / height, words, fontsize=size, color=color)
