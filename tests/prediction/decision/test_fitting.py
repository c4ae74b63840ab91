import json

import numpy as np
import pytest

from apple_clf.config.schema import DecisionConfig
from apple_clf.prediction.decision.calibration import fit_temperature
from apple_clf.prediction.decision.fitting import MIN_TO_CALIBRATE, fit_decision, given_decision

RNG = np.random.default_rng(3)
LABELS = np.arange(200) % 2
LOGITS = 4 * RNG.normal(size=(200, 2)) + 3 * np.eye(2)[LABELS]


def test_everything_asked_for_is_fitted() -> None:
    config = DecisionConfig(threshold="f1")
    decision = fit_decision(config, LOGITS, LABELS, positive=1)
    assert decision.n_images == 200
    assert decision.temperature == fit_temperature(LOGITS, LABELS) != 1
    assert decision.choice is not None
    assert decision.threshold == decision.choice.threshold != 0.5
    assert decision.notes == ()


def test_what_was_not_asked_for_is_left_as_it_is() -> None:
    config = DecisionConfig(threshold=0.3, calibration=None, false_alarm_rate=None)
    decision = fit_decision(config, LOGITS, LABELS, positive=1)
    assert (decision.temperature, decision.threshold) == (1.0, 0.3)
    assert decision.choice is None


def test_more_than_two_classes_have_no_threshold() -> None:
    three = np.column_stack([LOGITS, LOGITS[:, 0]])
    assert fit_decision(DecisionConfig(), three, LABELS, positive=0).threshold is None
    assert given_decision(DecisionConfig(), n_classes=3).threshold is None


def test_goal_out_of_reach_is_noted() -> None:
    decision = fit_decision(DecisionConfig(threshold="precision>=1"), -LOGITS, LABELS, positive=1)
    assert decision.choice is not None
    assert not decision.choice.reached
    (note,) = decision.notes
    assert note.startswith("No threshold reaches precision>=1 on the validation images;")


@pytest.mark.parametrize(("n", "fitted"), [(MIN_TO_CALIBRATE - 1, False), (MIN_TO_CALIBRATE, True)])
def test_few_images_leave_the_temperature_alone_with_a_note(n: int, fitted: bool) -> None:
    decision = fit_decision(DecisionConfig(), LOGITS[:n], LABELS[:n], positive=1)
    assert (decision.temperature != 1) is fitted
    assert [f"{n} validation images are too few" in note for note in decision.notes] == [True] * (
        not fitted
    )


@pytest.mark.parametrize(
    ("config", "n_notes"),
    [
        pytest.param(DecisionConfig(), 1, id="asked_for"),
        pytest.param(DecisionConfig(calibration=None, false_alarm_rate=None), 0, id="not_asked"),
    ],
)
def test_without_images_nothing_is_fitted_and_what_was_asked_for_is_noted(
    config: DecisionConfig, n_notes: int
) -> None:
    decision = given_decision(config, n_classes=2)
    assert (decision.temperature, decision.threshold) == (1.0, 0.5)
    assert decision.novelty_threshold is None
    assert len(decision.notes) == n_notes


def test_description_is_strict_json() -> None:
    config = DecisionConfig(threshold="recall>=0.9")
    decision = fit_decision(config, LOGITS, LABELS, positive=1)
    described = json.loads(json.dumps(decision.as_dict(), allow_nan=False))
    assert described["threshold_goal"] == "recall>=0.9"
    assert described["threshold_goal_reached"] is True
    assert described["fitted_to_images"] == 200
