"""What a lesson compares: numbers of one run, by name."""

import math
from collections.abc import Callable, Mapping
from typing import Final, Literal, get_args

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.diagnosis import Record

MeasureName = Literal[
    "train_accuracy",
    "test_accuracy",
    "gap",
    "recall",
    "train_loss",
    "val_loss",
    "best_val_loss",
    "val_loss_rises",
    "epochs",
    "steps",
    "first_gradient",
    "last_gradient",
    "gradient_share",
]


def measure(record: Record) -> dict[str, float]:
    """Every measure of a finished run, counts as int; NaN where there is none.

    Args:
        record: of a run that was trained here and did not diverge.
    """
    return {name: _MEASURES[name](record) for name in get_args(MeasureName)}


def start_gradients(record: Record) -> FloatArray:
    """Norm of the loss gradient in each layer before the training, from input to output."""
    norms = record.statistics.column("gradient_norm")[0].astype(np.float64)
    learnt: FloatArray = norms[~np.isnan(norms)]  # an activation layer has no weights
    return learnt


def _test(record: Record, name: str) -> float:
    estimate = record.measured(name)
    return estimate.value if estimate else math.nan


def _history(record: Record, name: str) -> FloatArray:
    values: FloatArray = np.array(record.history.get(name, [math.nan]), np.float64)
    return values


def _share(record: Record) -> float:
    first, last = start_gradients(record)[[0, -1]]
    return float(first / last) if last else math.nan


_MEASURES: Final[Mapping[str, Callable[[Record], float]]] = {
    # of the weights that were kept, on the images they learnt from and on those of the test
    "train_accuracy": lambda record: record.on_training("accuracy"),
    "test_accuracy": lambda record: _test(record, "accuracy"),
    "gap": lambda record: record.on_training("accuracy") - _test(record, "accuracy"),
    "recall": lambda record: _test(record, "recall"),
    # of the last epoch, of the best one, and the epochs in which it rose
    "train_loss": lambda record: float(_history(record, "loss")[-1]),
    "val_loss": lambda record: float(_history(record, "val_loss")[-1]),
    "best_val_loss": lambda record: float(_history(record, "val_loss").min()),
    "val_loss_rises": lambda record: int(np.sum(np.diff(_history(record, "val_loss")) > 0)),
    "epochs": lambda record: record.n_epochs,
    "steps": lambda record: record.n_epochs * record.steps_per_epoch,
    # before the training
    "first_gradient": lambda record: float(start_gradients(record)[0]),
    "last_gradient": lambda record: float(start_gradients(record)[-1]),
    "gradient_share": _share,
}
