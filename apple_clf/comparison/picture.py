"""The learning curves of several runs, laid over each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apple_clf.diagnosis.record import read_history
from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.plots.drawing import COLORS, FAINT, house_style, new_figure, png, readable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from apple_clf.comparison.groups import Group
    from apple_clf.comparison.reading import Judged

    History = Mapping[str, Sequence[float]]

PANELS = (("val_loss", "loss"), ("val_accuracy", "accuracy"))
LINE = 17  # pixels between the names
LARGEST = 1e30  # losses near the largest float overflow in the layout of an axis


def draw_curves(groups: Sequence[Group]) -> bytes:
    """PNG of loss and accuracy by epoch, 800 pixels wide; a colour for each group.

    Lines are those of the validation images, where there are any, and dotted ones of the training
    images. Models that were trained elsewhere have no curves.

    Args:
        groups: as of a comparison.

    Raises:
        ArtifactError: a history is missing or damaged.
    """
    from matplotlib.ticker import MaxNLocator

    histories = [[_history(run) for run in group.runs] for group in groups]
    height = 330 + LINE * len(groups)
    top = 1 - (LINE * len(groups) + 40) / height
    with house_style():
        figure = new_figure(height=height)
        for left, columns in zip((0.075, 0.565), PANELS, strict=True):
            axes = figure.add_axes(
                (left, 50 / height, 0.415, top - 50 / height), title=columns[1].title()
            )
            axes.set_xlabel("Epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
            for place, runs in enumerate(histories):
                for history in runs:
                    _draw(axes, history, columns, color=COLORS[place % len(COLORS)])
            _cut_spikes(axes, columns[1])
        for place, (group, runs) in enumerate(zip(groups, histories, strict=True)):
            words = readable(group.label, 80) + ("" if any(runs) else ": trained elsewhere")
            color = COLORS[place % len(COLORS)]
            figure.text(0.075, 1 - (LINE * (place + 1) + 4) / height, words, color=color)
        figure.text(
            *(0.98, 1 - (LINE + 4) / height, "validation; dotted: training"),
            color=FAINT,
            ha="right",
        )
        return png(figure)


def _draw(axes: Axes, history: History, columns: tuple[str, str], *, color: str) -> None:
    validation, training = columns
    for name, style, width in ((training, ":", 1.2), (validation, "-", 1.8)):
        values = np.array(history.get(name, []), np.float64)
        values[~(np.abs(values) < LARGEST)] = np.nan
        marker = "o" if len(values) == 1 else None
        epochs = np.arange(1, len(values) + 1)
        axes.plot(epochs, values, style, color=color, linewidth=width, marker=marker)


def _cut_spikes(axes: Axes, metric: str) -> None:
    """Leaves out what only one in twenty epochs of a line come to, so that the rest is seen."""
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


def _history(run: Judged) -> History:
    if run.experiment is None:
        return {}
    try:
        return read_history(run.run.history.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"{printable(run.run.path)}: its curves cannot be drawn, as history.csv is missing or "
            "damaged. Leave out --plot, or the run."
        ) from error
