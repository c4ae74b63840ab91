import math
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from diagnosis.records import make_record, make_statistics

from apple_clf.diagnosis import Record
from apple_clf.lessons.measures import MeasureName, measure, start_gradients

NAN = float("nan")


def with_history(record: Record, **columns: list[float]) -> Record:
    return replace(record, history={**record.history, **columns})


def test_measures_are_those_of_the_run() -> None:
    record = make_record(
        loss=[0.7, 0.3, 0.1],
        training=0.97,
        accuracy=0.9,
        statistics=make_statistics(epochs=3, gradient_norm=[0.01, 0.1, 0.2]),
    )
    values = measure(with_history(record, val_loss=[0.7, 0.4, 0.5]))
    assert tuple(values) == get_args(MeasureName)
    expected = {
        "train_accuracy": 0.97,
        "test_accuracy": 0.9,
        "gap": 0.07,
        "train_loss": 0.1,
        "val_loss": 0.5,
        "best_val_loss": 0.4,
        "val_loss_rises": 1,
        "epochs": 3,
        "steps": 3 * 25,
        "first_gradient": 0.01,
        "last_gradient": 0.2,
        "gradient_share": 0.05,
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected)


def test_what_a_run_does_not_have_is_nan() -> None:
    values = measure(make_record())
    assert {name for name, value in values.items() if math.isnan(value)} == {
        "recall",
        "val_loss",
        "best_val_loss",
    }
    still = make_record(statistics=make_statistics(gradient_norm=[0.0, 0.0, 0.0]))
    assert math.isnan(measure(still)["gradient_share"])


def test_layers_without_weights_have_no_gradient() -> None:
    record = make_record(statistics=make_statistics(gradient_norm=[0.1, NAN, 0.4]))
    np.testing.assert_allclose(start_gradients(record), [0.1, 0.4])
    assert measure(record)["gradient_share"] == pytest.approx(0.25)
