"""Learning curves: loss and accuracy by epoch, of one training or of several."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from apple_clf.plots import svg
from apple_clf.plots.drawing import (
    COLORS,
    FAINT,
    house_style,
    name_lines,
    new_figure,
    png,
    readable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from apple_clf.arrays import FloatArray

    History = Mapping[str, Sequence[float]]  # by column of history.csv a number per epoch

LARGEST = 1e30  # losses near the largest float overflow in the layout of an axis
METRICS = ("loss", "accuracy")
COLUMNS = {
    "loss": "training loss",
    "accuracy": "training accuracy",
    "val_loss": "validation loss",
    "val_accuracy": "validation accuracy",
}
_STYLES = ("-", ":")
_LINE = 17  # pixels between the names of several trainings


class KeptEpoch(NamedTuple):
    """The epoch whose weights a training kept, and why that one."""

    number: int  # from 1
    monitor: str | None  # the column that early stopping found best there; None if unknown

    def label(self, axis: str) -> str:
        """The label of an axis of epochs, which says what the dotted line marks."""
        reason = f", best {self.monitor}" if self.monitor else ""
        return f"{axis} (dotted: {self.number}, weights kept{reason})"


class Curve(NamedTuple):
    """One column of a history."""

    name: str  # training or validation
    values: FloatArray  # (n_epochs,); NaN where there is nothing to draw
    style: int  # number of its colour


def learning_curves(history: History, *, kept: KeptEpoch | None) -> bytes:
    """PNG of loss and accuracy by epoch, of training and validation, 800 x 340 pixels.

    Args:
        history: `loss`, `accuracy` and, with a validation split, `val_loss` and `val_accuracy`;
            what is missing or not finite is left out.
        kept: drawn as a dotted line; None, or the last epoch: no line.
    """
    kept = _worth_a_line(kept, history)
    with house_style():
        figure = new_figure(height=340)
        for left, metric in zip((0.065, 0.56), METRICS, strict=True):
            axes = figure.add_axes((left, 0.15, 0.28, 0.72), title=metric.title())
            _count_epochs(axes, nbins=6)
            _draw_history(axes, history, metric=metric)
            if kept is not None:
                axes.set_xlabel(kept.label("Epoch"), fontsize=8)  # or it would leave the picture
                axes.axvline(kept.number, color=FAINT, linewidth=1, linestyle=":", zorder=0)
        return png(figure)


def learning_charts(history: History, *, kept: KeptEpoch | None) -> list[svg.Chart]:
    """Charts of loss and of accuracy by epoch.

    Args:
        history: as of `learning_curves`, one epoch or more.
        kept: as of `learning_curves`.
    """
    kept = _worth_a_line(kept, history)
    return [_chart(history, metric, kept) for metric in METRICS]


def overlaid_curves(names: Sequence[str], histories: Sequence[Sequence[History]]) -> bytes:
    """PNG of loss and accuracy by epoch, 800 pixels wide; a colour for each name.

    Lines are those of the validation images, where there are any; dotted lines are those of the
    training images.

    Args:
        names: one per group of trainings.
        histories: of each group's trainings; an empty history stands for one without curves.
    """
    height = 330 + _LINE * len(names)
    top = 1 - (_LINE * len(names) + 40) / height
    with house_style():
        figure = new_figure(height=height)
        for left, metric in zip((0.075, 0.565), METRICS, strict=True):
            axes = figure.add_axes((left, 50 / height, 0.415, top - 50 / height))
            axes.set_title(metric.title())
            _count_epochs(axes, nbins=8)
            for place, group in enumerate(histories):
                for history in group:
                    _overlay(axes, history, metric, color=COLORS[place % len(COLORS)])
            _cut_spikes(axes, metric)
        for place, (name, group) in enumerate(zip(names, histories, strict=True)):
            words = readable(name, 80) + ("" if any(group) else ": trained elsewhere")
            color = COLORS[place % len(COLORS)]
            figure.text(0.075, 1 - (_LINE * (place + 1) + 4) / height, words, color=color)
        words = "validation; dotted: training"
        figure.text(0.98, 1 - (_LINE + 4) / height, words, color=FAINT, ha="right")
        return png(figure)


def named_curves(histories: Mapping[str, History], *, columns: Sequence[str], title: str) -> bytes:
    """PNG with a line for each training and its name beside the line's end, 800 x 340 pixels.

    Args:
        histories: by name, at most 7.
        columns: one or two of `COLUMNS`, the second one dotted.
        title: of the picture.
    """
    with house_style():
        figure = new_figure(height=340)
        axes = figure.add_axes((0.09, 0.15, 0.7, 0.74), title=title)
        _count_epochs(axes, nbins=10)
        axes.set_ylabel("; dotted: ".join(COLUMNS[column] for column in columns).capitalize())
        for history, color in zip(histories.values(), COLORS, strict=False):
            for column, style in zip(columns, _STYLES, strict=False):
                _plot(axes, np.array(history[column], np.float64), style, color=color)
        name_lines(axes, {name: history[columns[0]][-1] for name, history in histories.items()})
        return png(figure)


def _worth_a_line(kept: KeptEpoch | None, history: History) -> KeptEpoch | None:
    """None also for the last epoch, which the frame's edge marks."""
    n_epochs = len(history.get("loss", ()))
    return kept if kept is not None and 1 <= kept.number < n_epochs else None


def _drawable(values: Sequence[float]) -> FloatArray:
    """The values, (n_epochs,), NaN where one is not finite or too large for an axis."""
    numbers = np.array(values, np.float64)
    numbers[~(np.abs(numbers) < LARGEST)] = np.nan
    return numbers


def _curves(history: History, metric: str) -> list[Curve]:
    """Those of training and validation that have anything to draw."""
    columns = ((metric, "training"), (f"val_{metric}", "validation"))
    curves = [
        Curve(name, _drawable(history.get(column, ())), style)
        for style, (column, name) in enumerate(columns)
    ]
    return [curve for curve in curves if np.isfinite(curve.values).any()]


def _count_epochs(axes: Axes, *, nbins: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=nbins, min_n_ticks=1))
    axes.set_xlabel("Epoch")


def _plot(
    axes: Axes, values: FloatArray, style: str, *, color: str, width: float | None = None
) -> None:
    """Draws values by epoch; a single one is a dot."""
    marker = "o" if len(values) == 1 else None
    epochs = np.arange(1, len(values) + 1)
    axes.plot(epochs, values, style, color=color, linewidth=width, marker=marker)


def _draw_history(axes: Axes, history: History, *, metric: str) -> None:
    """Draws both lines and writes their last value at their end, apart enough to read."""
    ends = []
    for name, values, style in _curves(history, metric):
        known = values[~np.isnan(values)]
        marker = "o" if known.size == 1 else None
        axes.plot(np.arange(1, values.size + 1), values, color=COLORS[style], marker=marker)
        ends.append((float(known[-1]), name, COLORS[style]))
    axes.set_xlim(0.5, max(map(len, history.values()), default=1) + 0.5)
    bottom, top = axes.get_ylim()
    ends.sort()
    heights = [(value - bottom) / (top - bottom) for value, _, _ in ends]
    if len(heights) == 2 and heights[1] - heights[0] < 0.07:
        middle = sum(heights) / 2
        heights = [middle - 0.035, middle + 0.035]
    for at, (value, name, color) in zip(heights, ends, strict=True):
        words = f"{name} {value:.3g}"
        axes.text(1.03, at, words, color=color, fontsize=9, va="center", transform=axes.transAxes)


def _overlay(axes: Axes, history: History, metric: str, *, color: str) -> None:
    for column, style, width in ((metric, ":", 1.2), (f"val_{metric}", "-", 1.8)):
        _plot(axes, _drawable(history.get(column, ())), style, color=color, width=width)


def _cut_spikes(axes: Axes, metric: str) -> None:
    """Leaves out what only one in twenty epochs of a line reaches, so that the rest is seen."""
    lines = [np.asarray(line.get_ydata(), np.float64) for line in axes.get_lines()]
    lines = [values[~np.isnan(values)] for values in lines]
    known = [values for values in lines if values.size]
    if not known:
        return
    low, high = min(map(np.min, known)), max(map(np.max, known))
    if metric == "loss":
        high = max(np.quantile(values, 0.95) for values in known)
    else:
        low = min(np.quantile(values, 0.05) for values in known)
    margin = 0.06 * (high - low) or 0.01
    axes.set_ylim(low - margin, high + margin)


def _chart(history: History, metric: str, kept: KeptEpoch | None) -> svg.Chart:
    curves = _curves(history, metric)
    lines = [
        svg.Line(name, np.arange(1.0, len(y) + 1), y, _last(y), style) for name, y, style in curves
    ]
    n_epochs = len(history["loss"])
    values = np.concatenate([curve.values for curve in curves] or [np.zeros(1)])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if metric == "loss":
        low = min(0.0, low)
    pad = (high - low) * 0.05 or 0.05
    ends = "; ".join(f"{line.label} ends at {line.value}" for line in lines) or "no finite value"
    axis = "epoch" if kept is None else kept.label("epoch")
    return svg.draw(
        metric.capitalize(),
        lines,
        x=svg.Axis(axis, min(1, n_epochs - 1), n_epochs, whole=True),
        y=svg.Axis(metric, low if metric == "loss" else max(0.0, low - pad), high + pad),
        summary=f"{metric.capitalize()} over {n_epochs} epochs: {ends}.",
        marker=kept and kept.number,
        marker_label=f"epoch {kept.number}" if kept else "",
    )


def _last(values: FloatArray) -> str:
    return f"{values[-1]:.3g}" if np.isfinite(values[-1]) else "none"
