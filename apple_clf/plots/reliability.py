"""Reliability: accuracy against confidence, as a PNG and as SVG geometry."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from apple_clf.metrics import expected_calibration_error, reliability_curve, wilson
from apple_clf.plots import svg
from apple_clf.plots.drawing import COLORS, FAINT, house_style, new_figure, png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from apple_clf.arrays import FloatArray, IntArray
    from apple_clf.metrics.curves import ReliabilityCurve


def reliability_plot(
    y_true: IntArray, y_prob: FloatArray, *, as_trained: FloatArray | None = None
) -> bytes:
    """PNG of accuracy against confidence, with 95 % intervals and image counts, 800 x 640 pixels.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        as_trained: the same before calibration, drawn paler; None if there was no calibration.

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
        for confidence, low, high in zip(curve.confidence, *_intervals(curve), strict=True):
            if np.isfinite(low):
                axes.plot([confidence] * 2, [low, high], color=COLORS[0], linewidth=1.5)
        axes.plot(curve.confidence, curve.accuracy, "o", color=COLORS[0], markersize=7)
        _draw_counts(below, curve.counts, color=COLORS[0])
        return png(figure)


def reliability_charts(
    y_true: IntArray, y_probs: Mapping[str, FloatArray], *, error: float
) -> list[svg.Chart]:
    """Charts of accuracy by confidence, and of the number of images by confidence.

    Args:
        y_true: class codes, int, (n,).
        y_probs: by name the probabilities to draw, float, (n, n_classes); those in use last.
        error: expected calibration error of those in use.
    """
    curves = {name: reliability_curve(y_true, y_prob) for name, y_prob in y_probs.items()}
    (*_, (label, curve)) = curves.items()
    styles = range(len(curves) - 1, -1, -1)
    lines = [
        svg.Line(name, each.confidence, each.accuracy, style=style, dots=True)
        for style, (name, each) in zip(styles, curves.items(), strict=True)
    ]
    lines[-1] = replace(lines[-1], spread=_intervals(curve))
    counts = [each.counts.astype(np.float64) for each in curves.values()]
    bars = [svg.Bars(each, style) for style, each in zip(styles, counts, strict=True)]
    return [_accuracy_chart(lines, error=error, label=label), _count_chart(bars, curve.counts)]


def _accuracy_chart(lines: Sequence[svg.Line], *, error: float, label: str) -> svg.Chart:
    return svg.draw(
        "Right as often as it is sure?",
        lines,
        x=svg.Axis("confidence: probability of the answer", 0, 1),
        y=svg.Axis("accuracy, 95 % interval", 0, 1),
        summary=f"Accuracy by confidence. Expected calibration error {error:.3f} {label}. "
        "On the faint diagonal, answers are right as often as they say.",
        diagonal=True,
    )


def _count_chart(bars: Sequence[svg.Bars], counts: IntArray) -> svg.Chart:
    highest = 1.05 * max(float(each.heights.max()) for each in bars)
    return svg.draw(
        "How sure it is",
        [],
        x=svg.Axis("confidence: probability of the answer", 0, 1),
        y=svg.Axis("images", 0, highest, whole=True),
        summary=f"Images by confidence, in {len(counts)} bins; "
        f"{counts[-1]:,} of {counts.sum():,} in the surest.",
        bars=bars,
    )


def _intervals(curve: ReliabilityCurve) -> tuple[FloatArray, FloatArray]:
    """Both ends of each bin's 95 % interval of the accuracy; NaN if it is empty."""
    low, high = np.full((2, len(curve.counts)), np.nan)
    for i in np.flatnonzero(curve.counts):
        interval = wilson(round(curve.accuracy[i] * curve.counts[i]), int(curve.counts[i]))
        low[i], high[i] = interval.low, interval.high
    return low, high


def _draw_counts(axes: Axes, counts: IntArray, *, color: str) -> None:
    """Draws the number of images in each bin of confidence as an outline."""
    axes.stairs(counts, np.arange(len(counts) + 1) / len(counts), color=color, linewidth=1.5)
