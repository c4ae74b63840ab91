from pathlib import Path

import numpy as np
import pytest

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.errors import ArtifactError
from apple_clf.exporting.agreement import (
    Answers,
    Sample,
    compare,
    keras_answers,
    too_different,
    too_inaccurate,
)
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.runs import Run
from apple_clf.runs.model_record import ModelRecord

N = 400
IMAGES = np.zeros((N, 2, 2, 1), np.uint8)
LABELS = np.arange(N) % 2
RIGHT = np.where((LABELS == 0)[:, None], [0.9, 0.1], [0.1, 0.9])
RECORD = ModelRecord(
    class_names=("a", "b"),
    positive_class="a",
    preprocessing=Preprocessing(image_size=(2, 2)),
    threshold=0.5,
    temperature=2.0,
    keras_version="3",
    keras_sha256="",
    litert_sha256="",
)


def saying(probabilities: FloatArray) -> Answers:
    return lambda pixels: probabilities


def wrong_about(n: int) -> FloatArray:
    probabilities = RIGHT.copy()
    probabilities[:n] = probabilities[:n, ::-1]
    return probabilities


@pytest.mark.parametrize(
    ("change", "kept"), [(0.0, True), (9e-5, True), (2e-4, False), (np.nan, False)]
)
def test_floats_are_kept_up_to_a_difference(change: float, kept: bool) -> None:
    sample = Sample(IMAGES, "test images", LABELS)
    found = compare(saying(RIGHT + change), saying(RIGHT), sample=sample, record=RECORD)
    assert (too_different(found) is None) == kept


@pytest.mark.parametrize(
    ("n_wrong", "n_images", "kept"),
    [(0, N, True), (4, N, True), (5, N, False), (1, 20, True), (2, 20, False)],
    ids=["none", "a_hundredth", "more", "one_of_few", "two_of_few"],
)
def test_integers_are_kept_up_to_a_loss_of_accuracy_or_one_image(
    n_wrong: int, n_images: int, kept: bool
) -> None:
    sample = Sample(IMAGES[:n_images], "test images", LABELS[:n_images])
    found = compare(
        saying(wrong_about(n_wrong)[:n_images]),
        saying(RIGHT[:n_images]),
        sample=sample,
        record=RECORD,
    )
    assert found.same_answers == n_images - n_wrong
    assert found.balanced_accuracy == pytest.approx(1 - n_wrong / n_images)
    assert (too_inaccurate(found) is None) == kept


def test_better_than_keras_is_no_loss() -> None:
    sample = Sample(IMAGES, "test images", LABELS)
    found = compare(saying(RIGHT), saying(wrong_about(50)), sample=sample, record=RECORD)
    assert too_inaccurate(found) is None


def test_without_labels_the_answers_count() -> None:
    found = compare(
        saying(wrong_about(40)), saying(RIGHT), sample=Sample(IMAGES, "noise"), record=RECORD
    )
    assert found.balanced_accuracy is None
    assert found.loss == pytest.approx(0.1)


def test_keras_gets_the_temperature_of_the_run() -> None:
    answer = keras_answers(Run(Path("x")), RECORD, saying(RIGHT))(IMAGES)
    np.testing.assert_allclose(answer, RIGHT**0.5 / np.sum(RIGHT**0.5, axis=1, keepdims=True))


def test_answers_that_are_no_numbers_are_told() -> None:
    def broken(pixels: UInt8Array) -> FloatArray:
        return np.full((len(pixels), 2), np.nan)

    with pytest.raises(ArtifactError, match="not finite"):
        keras_answers(Run(Path("x")), RECORD, broken)(IMAGES)
