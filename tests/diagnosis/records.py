"""Records made up for tests: a healthy training, and what to change about it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from apple_clf.config import parse_experiment
from apple_clf.diagnosis import Record
from apple_clf.runs.layer_statistics import COLUMNS, LayerStatistics

EPOCHS = 20
HALVES = {"apple": 400, "not_apple": 400}

Columns = Mapping[str, Sequence[float]]  # by column a number per layer


def estimate(value: float, margin: float = 0.03) -> dict[str, float]:
    return {"value": value, "low": value - margin, "high": value + margin}


def make_statistics(
    layers: Sequence[str] = ("dense_1", "dense_2", "output"),
    *,
    epochs: int = EPOCHS,
    **columns: Sequence[float],
) -> LayerStatistics:
    """The same numbers in every epoch, those of a healthy training unless given."""
    n = len(layers)
    usual = {
        "weight_norm": 5.0,
        "gradient_norm": 0.5,
        "update_norm": 0.5,
        "update_ratio": 0.1,
        "dead": 0.05,
        "saturated": float("nan"),
    }
    rows = np.zeros((epochs + 1, n, len(COLUMNS)), np.float32)
    for name, value in usual.items():
        rows[:, :, COLUMNS.index(name)] = columns.get(name, [value] * n)
    return LayerStatistics(tuple(layers), rows)


def make_record(
    *overrides: str,
    training: float = 0.97,
    held_out: float = 0.93,
    margin: float = 0.03,
    accuracy: float | None = None,
    calibration_error: float = 0.03,
    counts: Sequence[Sequence[int]] = ((185, 15), (14, 186)),
    train: Mapping[str, int] = HALVES,
    validation: int = 300,
    split: str = "test",
    loss: Sequence[float] | None = None,
    stopped_early: bool = False,
    statistics: LayerStatistics | None = None,
    appearance: Mapping[str, Any] | None = None,
) -> Record:
    """A healthy training but for what is given; 800 images in batches of 32, 20 epochs."""
    history = {"loss": list(loss or np.geomspace(0.65, 0.1, EPOCHS))}
    metrics: dict[str, Any] = {
        "split": split,
        "metrics": {
            "accuracy": estimate(held_out if accuracy is None else accuracy, margin),
            "balanced_accuracy": estimate(held_out, margin),
            "expected_calibration_error": estimate(calibration_error, 0.01),
        },
        "confusion_matrix": {"class_names": list(train), "counts": counts},
        "training": {
            "metrics": {"accuracy": training, "balanced_accuracy": training},
            "stopped_early": stopped_early,
        },
    }
    return Record(
        parse_experiment("{}", filename="test", overrides=overrides),
        history,
        statistics or make_statistics(epochs=len(history["loss"])),
        {"train": train, "validation": {"apple": validation, "not_apple": 0}, "test": {}},
        metrics,
        appearance,
    )


def make_diverged(*overrides: str, gradient: float = 1.0, epochs: int = 0) -> Record:
    """A training that ended in NaN after some epochs."""
    layers = ("dense_1", "output")
    return Record(
        parse_experiment("{}", filename="test", overrides=overrides),
        {"loss": [0.6] * epochs},
        make_statistics(layers, epochs=epochs, gradient_norm=[gradient, gradient]),
        {"train": HALVES, "validation": {"apple": 300}, "test": {}},
        None,
        None,
    )
