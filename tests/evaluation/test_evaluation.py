import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, confusion_matrix, log_loss

from apple_clf.arrays import UInt8Array
from apple_clf.data import Split
from apple_clf.evaluation import Evaluation, draw, evaluate, evaluate_briefly
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.metrics.scores import predicted_classes
from apple_clf.prediction.inference import Outputs, Predictor
from apple_clf.runs.model_record import ModelRecord

NAMES = ("apple", "not, apple")
PNG = b"\x89PNG"


class Oracle(Predictor):
    """A predictor whose probability of the first class is the brightness of the first pixel.

    Its temperature is 2, and it is unsure of pictures whose second pixel is bright.
    """

    def __init__(self, *names: str, threshold: float | None = None) -> None:
        self.record = ModelRecord(
            class_names=names,
            positive_class=names[-1],
            preprocessing=Preprocessing(image_size=(4, 4)),
            threshold=threshold,
            temperature=2.0,
            novelty_threshold=200.0,
            keras_version="",
            keras_sha256="",
            litert_sha256="",
        )

    def outputs(self, pixels: UInt8Array) -> Outputs:
        first = pixels[:, 0, 0, 0] / 255
        n_others = len(self.record.class_names) - 1
        logits = 2 * np.log(np.column_stack([first, *[(1 - first) / n_others] * n_others]))
        return Outputs(logits, pixels[:, 0, 1, 0].astype(np.float64))


def make_split(n_classes: int, n: int = 40) -> Split:
    rng = np.random.default_rng(n_classes)
    pixels = rng.integers(1, 255, size=(n, 4, 4, 1), dtype=np.uint8)
    return Split(pixels, rng.integers(n_classes, size=n), [f"folder/{i}.png" for i in range(n)])


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(Oracle(*NAMES, threshold=0.3), make_split(2))


def test_answers_follow_the_threshold_of_the_positive_class(evaluation: Evaluation) -> None:
    expected = predicted_classes(evaluation.probabilities, positive=1, threshold=0.3)
    np.testing.assert_array_equal(evaluation.predicted, expected)
    assert not np.array_equal(expected, evaluation.probabilities.argmax(axis=1))


def test_metrics_agree_with_scikit_learn(evaluation: Evaluation) -> None:
    labels, predicted = evaluation.split.labels, evaluation.predicted
    value = evaluation.estimates["balanced_accuracy"].value
    assert value == pytest.approx(balanced_accuracy_score(labels, predicted))
    np.testing.assert_array_equal(evaluation.confusion, confusion_matrix(labels, predicted))


def test_brief_evaluation_agrees_with_the_full_one(evaluation: Evaluation) -> None:
    brief = evaluate_briefly(Oracle(*NAMES, threshold=0.3), evaluation.split)
    assert brief["balanced_accuracy"] == evaluation.estimates["balanced_accuracy"].value
    assert brief["accuracy"] == evaluation.estimates["accuracy"].value
    expected = log_loss(evaluation.split.labels, evaluation.probabilities)
    assert brief["log_loss"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("names", "threshold"), [(NAMES, 0.5), (("a", "b", "c"), None)], ids=["two", "three"]
)
def test_description_is_strict_json(names: tuple[str, ...], threshold: float | None) -> None:
    result = evaluate(Oracle(*names, threshold=threshold), make_split(len(names)))
    described = json.loads(json.dumps(result.as_dict(), allow_nan=False))
    assert described["n_images"] == 40
    assert described["positive_class"] == names[-1]
    assert np.sum(described["confusion_matrix"]["counts"]) == 40


def test_probabilities_are_those_of_the_temperature_and_the_ones_as_trained_of_none(
    evaluation: Evaluation,
) -> None:
    first = evaluation.split.images[:, 0, 0, 0] / 255
    np.testing.assert_allclose(evaluation.probabilities[:, 0], first, rtol=1e-6)
    sharper = first**2 / (first**2 + (1 - first) ** 2)
    np.testing.assert_allclose(evaluation.as_trained[:, 0], sharper, rtol=1e-5)
    errors = evaluation.calibration_error
    assert errors["as_trained"] != errors["calibrated"]
    assert errors["calibrated"] == evaluation.estimates["expected_calibration_error"].value


def test_unsure_images_are_counted_and_the_metrics_are_of_all(evaluation: Evaluation) -> None:
    unsure = evaluation.split.images[:, 0, 1, 0] > 200
    assert 0 < unsure.sum() < 40
    np.testing.assert_array_equal(evaluation.unsure, unsure)
    right = evaluation.predicted == evaluation.split.labels
    assert evaluation.unsure_as_dict() == {
        "images": unsure.sum(),
        "share": unsure.mean(),
        "accuracy_of_the_others": pytest.approx(right[~unsure].mean()),
    }
    assert evaluation.estimates["accuracy"].value == pytest.approx(right.mean())


def test_accuracy_of_the_others_is_none_if_all_are_unsure(evaluation: Evaluation) -> None:
    all_unsure = replace(evaluation, unsure=np.ones(40, np.bool_))
    assert all_unsure.unsure_as_dict() == {
        **{"images": 40, "share": 1.0, "accuracy_of_the_others": None}
    }


def test_predictions_have_a_row_per_image(evaluation: Evaluation) -> None:
    rows = list(csv.DictReader(io.StringIO(evaluation.predictions_csv())))
    assert [row["file"] for row in rows] == list(evaluation.split.names)
    for row, code, probabilities in zip(
        rows, evaluation.predicted, evaluation.probabilities, strict=True
    ):
        assert row["class"] == NAMES[code]
        assert row["unsure"] in {"true", "false"}
        assert float(row["probability"]) == probabilities[code]
        assert [float(row[f"probabilities.{name}"]) for name in NAMES] == list(probabilities)


def test_verdict_counts_only_the_classes_that_are_there() -> None:
    split = make_split(2)
    result = evaluate(Oracle("a", "b", "c"), split)
    assert "0.50" in result.verdict  # guessing among the two that are there
    assert result.verdict.startswith("no better than guessing")


def test_memorisation_is_told_when_training_images_are_known_far_better(
    evaluation: Evaluation,
) -> None:
    assert evaluation.memorisation(1.0) is not None
    assert evaluation.memorisation(0.5) is None


@pytest.mark.parametrize(
    ("names", "threshold"), [(NAMES, 0.5), (("a", "b", "c"), None)], ids=["two", "three"]
)
def test_pictures_are_drawn(names: tuple[str, ...], threshold: float | None) -> None:
    pictures = draw(evaluate(Oracle(*names, threshold=threshold), make_split(len(names))))
    assert sorted(pictures) == ["confusion_matrix", "mistakes", "reliability", "roc"]
    assert all(picture.startswith(PNG) for picture in pictures.values())
