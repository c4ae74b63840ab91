"""Thresholds and calibration as a report tells them."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score, precision_score, recall_score

from apple_clf.report.probabilities import calibration, sweep, threshold
from apple_clf.report.reading import RunFiles
from report.made_up import TEMPERATURE, make_run

RNG = np.random.default_rng(5)
TRUTH = RNG.random(200) < 0.4
SCORES = np.round(np.clip(0.3 * TRUTH + 0.7 * RNG.random(200), 0, 1), 2)  # with ties


@pytest.mark.parametrize("place", [0.0, 0.3, 0.55, 0.9])
def test_metrics_at_a_threshold_are_those_of_scikit_learn(place: float) -> None:
    table = sweep(SCORES, TRUTH, places=np.array([place]))
    called = place <= SCORES
    expected = {
        "balanced accuracy": balanced_accuracy_score(TRUTH, called),
        "precision": precision_score(TRUTH, called),
        "recall": recall_score(TRUTH, called),
        "F1": f1_score(TRUTH, called),
        "found": np.sum(TRUTH & called),
        "missed": np.sum(TRUTH & ~called),
        "false alarms": np.sum(~TRUTH & called),
        "left alone": np.sum(~TRUTH & ~called),
    }
    assert {name: values[0] for name, values in table.items()} == pytest.approx(expected)


def test_precision_without_a_positive_answer_is_undefined() -> None:
    assert np.isnan(sweep(SCORES, TRUTH, places=np.array([1.01]))["precision"][0])


def test_slider_starts_at_the_threshold_in_use(tmp_path: Path) -> None:
    shown = threshold(RunFiles(make_run(tmp_path / "a")))
    assert (shown.threshold, shown.start) == (0.4, 40)
    assert all(len(values) == 101 for values in shown.table.values())


def test_probabilities_before_calibration_are_those_recorded(tmp_path: Path) -> None:
    files = RunFiles(make_run(tmp_path / "a"))
    shown = calibration(files)
    assert shown.temperature == TEMPERATURE
    assert shown.before == files.metrics["calibration_error"]["as_trained"]
    before, after = (shape.dots for shape in shown.charts[0].shapes)
    assert before != after


def test_without_calibration_there_is_one_curve(tmp_path: Path) -> None:
    shown = calibration(RunFiles(make_run(tmp_path / "a", temperature=1.0)))
    assert shown.before is None
    assert len(shown.charts[0].shapes) == 1
