"""How a training went: its curves, its gradients, its first layer's weights."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import FloatArray
from apple_clf.report.charts import Axis, Chart, Line, draw, number
from apple_clf.report.pictures import as_pictures, sheet_uris
from apple_clf.report.reading import AbsentError, RunFiles

LARGEST = 1e30  # losses beyond it, near the largest float, are left out
MAX_LAYERS = 8  # lines that can be told apart


def learning_curves(files: RunFiles) -> list[Chart]:
    """Loss and accuracy by epoch."""
    history = {name: _drawable(values) for name, values in files.history.items()}
    if not len(history["loss"]):
        raise AbsentError("The training diverged in its first epoch, so there is no curve.")
    best = None if files.diverged else files.metrics["training"]["best_epoch"]
    return [_curves(history, metric, best) for metric in ("loss", "accuracy")]


def _drawable(values: Sequence[float]) -> FloatArray:
    numbers = np.array(values, np.float64)
    numbers[~(np.abs(numbers) < LARGEST)] = np.nan
    return numbers


def _curves(history: dict[str, FloatArray], metric: str, best: int | None) -> Chart:
    lines = []
    for style, (key, label) in enumerate(((metric, "training"), (f"val_{metric}", "validation"))):
        if key in history and np.isfinite(history[key]).any():
            y = history[key]
            last = f"{y[-1]:.3g}" if np.isfinite(y[-1]) else "none"
            lines.append(Line(label, np.arange(1.0, len(y) + 1), y, last, style))
    n_epochs = len(history["loss"])
    values = np.concatenate([line.y for line in lines] or [np.zeros(1)])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if metric == "loss":
        low = min(0.0, low)
    pad = (high - low) * 0.05 or 0.05
    told = "; ".join(f"{line.label} ends at {line.value}" for line in lines) or "no finite value"
    return draw(
        metric.capitalize(),
        lines,
        x=Axis("epoch", min(1, n_epochs - 1), n_epochs, whole=True),
        y=Axis(metric, low if metric == "loss" else max(0.0, low - pad), high + pad),
        summary=f"{metric.capitalize()} over {n_epochs} epochs: {told}.",
        marker=best if best is not None and 1 <= best < n_epochs else None,
        marker_label=f"epoch {best}, the best",
    )


@dataclass(frozen=True)
class Flow:
    """What happens inside the layers."""

    charts: list[Chart]
    rows: list[dict[str, str]]  # a layer each, at the end
    n_left_out: int


COLUMNS = {
    "weight_norm": "weights",
    "gradient_norm": "gradient",
    "update_ratio": "change",
    "dead": "dead units",
    "saturated": "saturated",
}


def gradient_flow(files: RunFiles) -> Flow:
    """Gradients and steps by layer and epoch, and each layer's numbers after the last epoch."""
    statistics = files.statistics
    gradients = _positive(statistics.column("gradient_norm"))  # (n_epochs + 1, n_layers)
    learning = np.flatnonzero(np.isfinite(gradients).any(axis=0)).tolist()
    if not learning:
        raise AbsentError("No layer had a finite gradient above 0.")
    step = -(-len(learning) // MAX_LAYERS)
    drawn = sorted({*learning[::step][: MAX_LAYERS - 1], learning[-1]})
    names = [statistics.layers[i] for i in drawn]
    first, last = gradients[0, learning[0]], gradients[0, learning[-1]]
    charts = [
        _by_layer(
            "Gradient of each layer",
            names,
            gradients[:, drawn],
            "norm, log scale",
            f"Before the training the first layer's is {first / last:.2g} of the last layer's.",
        )
    ]
    steps = _positive(statistics.column("update_ratio"))[:, drawn]
    if np.isfinite(steps).any():
        words = "How far each epoch moved the weights, as a share of them."
        charts.append(_by_layer("Change of the weights", names, steps, "share, log scale", words))
    rows = [_row(files, i) for i in range(len(statistics.layers))]
    return Flow(charts, rows, len(learning) - len(drawn))


def _positive(values: NDArray[np.float32]) -> FloatArray:
    """Values that a log scale can show; others are gaps."""
    wide = values.astype(np.float64)
    return np.where((wide > 0) & (wide < LARGEST), wide, np.nan)


def _by_layer(
    title: str, names: Sequence[str], values: FloatArray, unit: str, summary: str
) -> Chart:
    epochs = np.arange(len(values), dtype=np.float64)
    low = math.floor(np.log10(np.nanmin(values)))
    high = max(math.ceil(np.log10(np.nanmax(values))), low + 1)
    return draw(
        title,
        [Line(name, epochs, values[:, i], style=i) for i, name in enumerate(names)],
        x=Axis("epoch, 0 before the training", 0, max(1, len(epochs) - 1), whole=True),
        y=Axis(unit, 10.0**low, 10.0**high, log=True),
        summary=f"{title}, by epoch. {summary}",
    )


def _row(files: RunFiles, layer: int) -> dict[str, str]:
    statistics = files.statistics
    row = {"layer": statistics.layers[layer]}
    for column, label in COLUMNS.items():
        value = float(statistics.column(column)[-1, layer])
        share = column in {"dead", "saturated"}
        row[label] = "" if np.isnan(value) else f"{value:.0%}" if share else number(value)
    return row


@dataclass(frozen=True)
class Weights:
    """Sheets of the first layer's weights, one an epoch."""

    layer: str
    epochs: tuple[int, ...]
    sheets: list[str]  # data URIs
    width: int
    height: int
    n_units: int
    in_colour: bool


def first_weights(files: RunFiles) -> Weights:
    """The first layer's weights as pictures, at a few epochs."""
    snapshots = files.weights
    size = files.experiment.preprocessing.shape
    pictures = [as_pictures(weights, size) for weights in snapshots.weights]
    if not pictures or pictures[0] is None:
        raise AbsentError(
            f"The weights of {snapshots.layer} do not belong to single pixels, so they make no "
            "picture."
        )
    units = [picture for picture in pictures if picture is not None]
    n_units, height, width, channels = units[0].shape
    columns, rows = min(8, n_units), -(-n_units // 8)
    return Weights(
        layer=snapshots.layer,
        epochs=snapshots.epochs,
        sheets=sheet_uris(units),
        width=columns * (width + 1) - 1,
        height=rows * (height + 1) - 1,
        n_units=n_units,
        in_colour=channels == 3,
    )
