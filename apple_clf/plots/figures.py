"""PNG pictures of a run: learning curves, confusion, ROC, reliability, worst mistakes.

Each function returns the bytes of a PNG, 800 pixels wide; the same arguments give the same bytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.metrics import (
    expected_calibration_error,
    reliability_curve,
    roc_curve,
    wilson,
)
from apple_clf.plots.drawing import (
    COLORS,
    FAINT,
    INK,
    WIDTH,
    house_style,
    new_figure,
    png,
    readable,
    tile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from apple_clf.arrays import FloatArray, IntArray, UInt8Array

BLUES = ("#FFFFFF", "#0072B2", "#003A5C")  # from no image of a class to all
MAX_CURVES = 10
MAX_NUMBERED, MAX_NAMED = 12, 40  # classes, in a confusion matrix
MAX_DRAWN = 1e30  # losses near the largest float overflow in the layout of an axis
TILES_A_ROW, TILE, CAPTION, HEADING = 6, 118, 50, 44  # of the gallery; the last three in pixels


def learning_curves(history: Mapping[str, Sequence[float]], *, best_epoch: int | None) -> bytes:
    """PNG of loss and accuracy by epoch, of training and validation, 800 x 340 pixels.

    Args:
        history: one number an epoch under `loss`, `accuracy` and, if there was a validation
            split, `val_loss` and `val_accuracy`; what is missing or not finite is left out.
        best_epoch: epoch whose weights were kept, counted from 1.
    """
    from matplotlib.ticker import MaxNLocator

    with house_style():
        figure = new_figure(height=340)
        for left, metric in ((0.065, "loss"), (0.56, "accuracy")):
            axes = figure.add_axes((left, 0.15, 0.28, 0.72), title=metric.title())
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6, min_n_ticks=1))
            axes.set_xlabel("Epoch")
            _draw_history(axes, history, metric=metric)
            if best_epoch is not None:
                axes.set_xlabel(f"Epoch (dotted: {best_epoch}, the best)")
                axes.axvline(best_epoch, color=FAINT, linewidth=1, linestyle=":", zorder=0)
        return png(figure)


def confusion_matrix_plot(matrix: IntArray, class_names: Sequence[str]) -> bytes:
    """PNG of a confusion matrix, 800 x 640 pixels, coloured by the share of each true class.

    Args:
        matrix: counts by true class (rows) and predicted class (columns), (n_classes, n_classes).
        class_names: one a class; beyond 40 classes, codes stand in their place.
    """
    from matplotlib.colors import LinearSegmentedColormap

    counts = np.asarray(matrix)
    n_classes = len(counts)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
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


def roc_plot(
    y_true: IntArray, y_prob: FloatArray, *, class_names: Sequence[str], positive: int
) -> bytes:
    """PNG of the ROC curve of the positive class or, with more than two, one of each, 800 x 640.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        class_names: one a class.
        positive: class code, for two classes. Of more than 10, those with most images are drawn.
    """
    counts = np.bincount(y_true, minlength=y_prob.shape[1])
    present = [int(k) for k in np.argsort(-counts, kind="stable") if counts[k]]
    with house_style():
        figure = new_figure(height=640)
        axes = figure.add_axes((0.09, 0.1, 0.64, 0.82), title="ROC curve")
        axes.set(xlim=(-0.01, 1), ylim=(0, 1.01))
        axes.set(xlabel="False positive rate", ylabel="True positive rate")
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
        axes.text(0.62, 0.56, "guessing", color=FAINT, rotation=45, rotation_mode="anchor")
        if len(present) < 2:
            axes.text(0.05, 0.9, "Only one class is present: there is no curve.")
        else:
            drawn = [positive] if y_prob.shape[1] == 2 else present[:MAX_CURVES]
            _draw_roc_curves(axes, y_true, y_prob, names=class_names, drawn=drawn)
        return png(figure)


def reliability_plot(
    y_true: IntArray, y_prob: FloatArray, *, as_trained: FloatArray | None = None
) -> bytes:
    """PNG of accuracy against confidence, with 95 % intervals and image counts, 800 x 640 pixels.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        as_trained: the same before calibration, drawn paler; left out if there was none.

    Raises:
        ValueError: there are no images.
    """
    title = f"Expected calibration error {expected_calibration_error(y_true, y_prob):.3f}"
    curve = reliability_curve(y_true, y_prob)
    with house_style():
        figure = new_figure(height=640)
        axes = figure.add_axes((0.1, 0.33, 0.86, 0.59))
        axes.set(xlim=(0, 1.01), ylim=(0, 1.02), ylabel="Accuracy, 95 % interval", xticklabels=[])
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
        axes.text(0.16, 0.04, "dotted: right as often as it is sure", color=FAINT)
        below = figure.add_axes((0.1, 0.1, 0.86, 0.18))
        below.set(xlim=(0, 1.01), xlabel="Confidence: probability of the answer", ylabel="Images")
        if as_trained is not None:
            before = reliability_curve(y_true, as_trained)
            title += f"; {expected_calibration_error(y_true, as_trained):.3f} before calibration"
            axes.plot(before.confidence, before.accuracy, "s", color=COLORS[5], markersize=7)
            axes.text(0.16, 0.1, "squares: before calibration", color=FAINT)
            _draw_counts(below, before.counts, color=COLORS[5])
        axes.set_title(title)
        for confidence, accuracy, count in zip(*curve, strict=True):
            if count:
                interval = wilson(accuracy * count, count)
                ends = np.array([interval.low, interval.high], np.float64)
                axes.plot([confidence] * 2, ends, color=COLORS[0], linewidth=1.5)
        axes.plot(curve.confidence, curve.accuracy, "o", color=COLORS[0], markersize=7)
        _draw_counts(below, curve.counts, color=COLORS[0])
        return png(figure)


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


def _draw_history(axes: Axes, history: Mapping[str, Sequence[float]], *, metric: str) -> None:
    """Draw both lines and write their last value at their end, apart enough to read."""
    ends = []
    for key, label, color in (
        (metric, "training", COLORS[0]),
        (f"val_{metric}", "validation", COLORS[1]),
    ):
        values = np.array(history.get(key, ()), np.float64)
        values[~(np.abs(values) < MAX_DRAWN)] = np.nan
        known = values[~np.isnan(values)]
        if known.size:
            marker = "o" if known.size == 1 else None
            axes.plot(np.arange(1, values.size + 1), values, color=color, marker=marker)
            ends.append((float(known[-1]), label, color))
    axes.set_xlim(0.5, max(map(len, history.values()), default=1) + 0.5)
    bottom, top = axes.get_ylim()
    ends.sort()
    heights = [(value - bottom) / (top - bottom) for value, _, _ in ends]
    if len(heights) == 2 and heights[1] - heights[0] < 0.07:
        middle = sum(heights) / 2
        heights = [middle - 0.035, middle + 0.035]
    for at, (value, label, color) in zip(heights, ends, strict=True):
        words = f"{label} {value:.3g}"
        axes.text(1.03, at, words, color=color, fontsize=9, va="center", transform=axes.transAxes)


def _draw_numbers(axes: Axes, counts: IntArray, share: FloatArray) -> None:
    """Write each cell's count and its share of the true class."""
    size = max(7, 17 - len(counts))
    for (row, column), part in np.ndenumerate(share):
        words = f"{counts[row, column]:,}\n{part:.0%}"
        color = "white" if part > 0.45 else INK
        axes.text(column, row, words, ha="center", va="center", fontsize=size, color=color)


def _draw_counts(axes: Axes, counts: IntArray, *, color: str) -> None:
    """Draw the number of images in each bin of confidence as an outline."""
    axes.stairs(counts, np.arange(len(counts) + 1) / len(counts), color=color, linewidth=1.5)


def _draw_roc_curves(
    axes: Axes, y_true: IntArray, y_prob: FloatArray, *, names: Sequence[str], drawn: Sequence[int]
) -> None:
    """Draw the curves and list their areas beside them, the largest first."""
    curves = {k: roc_curve(y_true, y_prob, positive=k) for k in drawn}
    areas = {
        k: float(np.trapezoid(curve.true_positive_rate, curve.false_positive_rate))
        for k, curve in curves.items()
    }
    axes.text(1.03, 0.97, "area under the curve", color=FAINT, transform=axes.transAxes)
    for place, k in enumerate(sorted(drawn, key=lambda k: -areas[k])):
        color = COLORS[place % len(COLORS)]
        style = "-" if place < len(COLORS) else "--"
        axes.plot(*curves[k][:2], style, color=color)
        words = f"{areas[k]:.3f} {readable(names[k], 16)}"
        axes.text(1.03, 0.92 - 0.05 * place, words, color=color, transform=axes.transAxes)


def _write(figure: Figure, words: str, *, x: int, y: int, size: int, color: str) -> None:
    """Write at a pixel counted from the upper left corner."""
    height = figure.bbox.height
    figure.text(x / WIDTH, 1 - y / height, words, fontsize=size, color=color)
