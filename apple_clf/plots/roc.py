"""ROC curves as a PNG; ROC and precision-recall curves as SVG geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from apple_clf.metrics import precision_recall_curve, roc_curve
from apple_clf.plots import svg
from apple_clf.plots.drawing import COLORS, FAINT, house_style, new_figure, png, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from apple_clf.arrays import FloatArray, IntArray

MAX_PNG_CURVES, MAX_SVG_CURVES = 10, 8
"""Classes with a curve of their own: those with the most images."""


class Roc(NamedTuple):
    """The ROC curve of one class against the others."""

    code: int
    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    area: float


def roc_plot(
    y_true: IntArray, y_prob: FloatArray, *, class_names: Sequence[str], positive: int
) -> bytes:
    """PNG of the ROC curve of the positive class or, with more than two, of each, 800 x 640.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        class_names: one per class.
        positive: class code, for two classes.
    """
    curves = _curves(y_true, y_prob, positive=positive, limit=MAX_PNG_CURVES)
    with house_style():
        figure = new_figure(height=640)
        axes = figure.add_axes((0.09, 0.1, 0.64, 0.82), title="ROC curve")
        axes.set(xlim=(-0.01, 1), ylim=(0, 1.01))
        axes.set(xlabel="False positive rate", ylabel="True positive rate")
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1, linestyle=":")
        axes.text(0.62, 0.56, "guessing", color=FAINT, rotation=45, rotation_mode="anchor")
        if curves:
            _draw(axes, curves, names=class_names)
        else:
            axes.text(0.05, 0.9, "Only one class is present: there is no curve.")
        return png(figure)


def roc_charts(
    y_true: IntArray, y_prob: FloatArray, *, class_names: Sequence[str], positive: int
) -> list[svg.Chart]:
    """Charts of ROC and of precision against recall; none if only one class is present.

    Args:
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        class_names: one per class.
        positive: class code, for two classes.
    """
    counts = np.bincount(y_true, minlength=len(class_names))
    roc, recall = [], []
    curves = _curves(y_true, y_prob, positive=positive, limit=MAX_SVG_CURVES)
    for style, (code, false_positives, true_positives, area) in enumerate(curves):
        across, up = _thinned(false_positives, true_positives)
        roc.append(svg.Line(class_names[code], across, up, f"area {area:.3f}", style))
        points = precision_recall_curve(y_true, y_prob, positive=code)
        across, up = _thinned(points.recall, points.precision)
        recall.append(svg.Line(class_names[code], across, up, f"{counts[code]:,} images", style))
    return [_roc_chart(roc), _recall_chart(recall)] if curves else []


def _curves(y_true: IntArray, y_prob: FloatArray, *, positive: int, limit: int) -> list[Roc]:
    """The positive class's curve or, with more than two, those of the classes with most images."""
    counts = np.bincount(y_true, minlength=y_prob.shape[1])
    present = [int(code) for code in np.argsort(-counts, kind="stable") if counts[code]]
    if len(present) < 2:
        return []
    codes = [positive] if y_prob.shape[1] == 2 else present[:limit]
    curves = [(code, roc_curve(y_true, y_prob, positive=code)) for code in codes]
    return [
        Roc(
            code,
            curve.false_positive_rate,
            curve.true_positive_rate,
            float(np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)),
        )
        for code, curve in curves
    ]


def _draw(axes: Axes, curves: Sequence[Roc], *, names: Sequence[str]) -> None:
    """Draws the curves and lists their areas beside them, the largest first."""
    axes.text(1.03, 0.97, "area under the curve", color=FAINT, transform=axes.transAxes)
    for place, curve in enumerate(sorted(curves, key=lambda curve: -curve.area)):
        color = COLORS[place % len(COLORS)]
        style = "-" if place < len(COLORS) else "--"
        axes.plot(curve.false_positive_rate, curve.true_positive_rate, style, color=color)
        words = f"{curve.area:.3f} {readable(names[curve.code], 16)}"
        axes.text(1.03, 0.92 - 0.05 * place, words, color=color, transform=axes.transAxes)


def _roc_chart(lines: Sequence[svg.Line]) -> svg.Chart:
    areas = "; ".join(f"{line.label} {line.value}" for line in lines)
    return svg.draw(
        "ROC curve",
        lines,
        x=svg.Axis("false positive rate", 0, 1),
        y=svg.Axis("true positive rate", 0, 1),
        summary=f"ROC curve: {areas}. The faint diagonal is guessing.",
        diagonal=True,
    )


def _recall_chart(lines: Sequence[svg.Line]) -> svg.Chart:
    sizes = "; ".join(f"{line.label}, {line.value}" for line in lines)
    return svg.draw(
        "Precision and recall",
        lines,
        x=svg.Axis("recall", 0, 1),
        y=svg.Axis("precision", 0, 1),
        summary=f"Precision against recall: {sizes}.",
    )


def _thinned(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The points of a curve in the unit square that can be told apart in a chart."""
    at = np.column_stack((np.rint(x * 200), np.rint(y * 200)))
    kept = np.append(True, np.any(np.diff(at, axis=0) != 0, axis=1))
    kept[-1] = True
    return x[kept], y[kept]
