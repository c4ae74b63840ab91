"""Leaderboard -> pictures: the best trials, what mattered, and which values went together."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.plots.drawing import COLORS, FAINT, house_style, new_figure, png, readable
from apple_clf.sweeping.progress import in_words

if TYPE_CHECKING:
    from apple_clf.sweeping.leaderboard import TrialRecord

MOST_SHOWN = 15
"""Trials in the picture of the best."""
FEWEST = 2
"""Finished trials without which there is nothing to compare."""
_ROW, _ENDS = 28, 90  # pixels


def draw(
    records: "Sequence[TrialRecord]", *, metric: str, importance: Mapping[str, float]
) -> dict[str, bytes]:
    """PNG pictures by name; none where fewer than two trials finished.

    Args:
        records: the leaderboard.
        metric: what its values are.
        importance: share of each parameter in them, from 0 to 1; may be empty.
    """
    finished = [record for record in records if record["rank"] is not None]
    if len(finished) < FEWEST:
        return {}
    pictures = {
        "leaderboard": _best(finished[:MOST_SHOWN], metric),
        "parallel_coordinates": _parallel(finished, metric),
    }
    return pictures | ({"importance": _importance(importance)} if importance else {})


def _best(records: "Sequence[TrialRecord]", metric: str) -> bytes:
    """A dot for each trial, with the spread of its seeds."""
    with house_style():
        figure = new_figure(height=_ENDS + _ROW * len(records))
        axes = figure.subplots()
        places = np.arange(len(records))
        axes.errorbar(
            [record["value"] for record in records],
            places,
            xerr=[record["spread"] or 0.0 for record in records],
            fmt="o",
            color=COLORS[0],
        )
        axes.set_yticks(places, [_label(record) for record in records], fontsize=8)
        axes.invert_yaxis()
        axes.locator_params(axis="x", nbins=5)
        axes.set_xlabel(metric.replace("val_", "validation "))
        axes.set_title("The best trials")
        axes.grid(axis="x", color=FAINT, alpha=0.3, linewidth=0.5)
        figure.tight_layout()
        return png(figure)


def _label(record: "TrialRecord") -> str:
    short = {key.rpartition(".")[2]: value for key, value in record["parameters"].items()}
    return readable(f"{record['trial']}: {in_words(short)}", 60)


def _importance(importance: Mapping[str, float]) -> bytes:
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


def _parallel(records: "Sequence[TrialRecord]", metric: str) -> bytes:
    """A line for each trial through its values, the better the darker."""
    keys = list(records[0]["parameters"])
    with house_style():
        import matplotlib as mpl

        figure = new_figure(height=420)
        axes = figure.subplots()
        columns = [_axis([record["parameters"][key] for record in records]) for key in keys]
        columns.append(_axis([record["value"] for record in records]))
        lines = np.stack([places for places, _ in columns], axis=1)  # (n_trials, n_axes)
        shades = mpl.colormaps["viridis_r"](np.linspace(0.95, 0.1, len(records)))
        for line, shade in zip(lines[::-1], shades[::-1], strict=True):
            axes.plot(line, color=shade, linewidth=1.2)
        for place, (_, ticks) in enumerate(columns):
            axes.axvline(place, color=FAINT, linewidth=0.8)
            for height, text in ticks:
                axes.text(place + 0.02, height, readable(text, 18), fontsize=7)
        names = [readable(key.rpartition("training.")[2], 24) for key in (*keys, metric)]
        axes.set_xticks(range(len(names)), names, fontsize=8)
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
