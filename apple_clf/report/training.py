"""How a training went: its curves, its gradients, its first layer's weights."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import FloatArray
from apple_clf.plots.curves import LARGEST, KeptEpoch, learning_charts
from apple_clf.plots.gradients import by_layer_chart
from apple_clf.plots.svg import Chart, number
from apple_clf.plots.weights import sheet_uris, thumbnails, unit_pictures
from apple_clf.report.reading import AbsentError, RunFiles

MAX_LAYERS = 8  # lines that can be told apart


def learning_curves(files: RunFiles) -> list[Chart]:
    """Loss and accuracy by epoch."""
    if not files.history["loss"]:
        raise AbsentError("The training diverged in its first epoch, so there is no curve.")
    return learning_charts(files.history, kept=None if files.diverged else _kept(files))


def _kept(files: RunFiles) -> KeptEpoch:
    """The epoch whose weights were kept; without resolved.yaml the reason is unknown."""
    try:
        stopping = files.experiment.training.early_stopping
    except AbsentError:
        stopping = None
    return KeptEpoch(
        files.metrics["training"]["best_epoch"], stopping.monitor if stopping else None
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
        by_layer_chart(
            "Gradient of each layer",
            names,
            gradients[:, drawn],
            unit="norm, log scale",
            summary="Before the training the first layer's is "
            f"{first / last:.2g} of the last layer's.",
        )
    ]
    steps = _positive(statistics.column("update_ratio"))[:, drawn]
    if np.isfinite(steps).any():
        charts.append(
            by_layer_chart(
                "Change of the weights",
                names,
                steps,
                unit="share, log scale",
                summary="How far each epoch moved the weights, as a share of them.",
            )
        )
    rows = [_row(files, i) for i in range(len(statistics.layers))]
    return Flow(charts, rows, len(learning) - len(drawn))


def _positive(values: NDArray[np.float32]) -> FloatArray:
    """Values that a log scale can show; others are gaps."""
    wide = values.astype(np.float64)
    return np.where((wide > 0) & (wide < LARGEST), wide, np.nan)


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
    pictures = [unit_pictures(weights, size) for weights in snapshots.weights]
    units = [
        thumbnails(picture)
        for picture in pictures
        if picture is not None and picture.shape[1:3] != (1, 1)
    ]
    if not units:
        raise AbsentError(
            f"The weights of {snapshots.layer} do not belong to single pixels, so they make no "
            "picture."
        )
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
