from pathlib import Path

import numpy as np
import pytest

from apple_clf.arrays import FloatArray, IntArray
from apple_clf.checks.label_suspects import cross_validated_probabilities, label_suspects
from apple_clf.config import parse_experiment
from apple_clf.config.schema import Experiment
from apple_clf.data import Split, load_labelled_folder, simulation
from apple_clf.data.duplicates import first_equal
from apple_clf.errors import DivergedError

pytestmark = pytest.mark.slow

TINY = """\
data: {source: noise, validation_samples: 5}
preprocessing: {image_size: [12, 12]}
model: {units: [16]}
training: {epochs: 20, batch_size: 8, learning_rate: 3e-3, early_stopping: {patience: 5}}
"""


def experiment(*overrides: str) -> Experiment:
    return parse_experiment(TINY, filename="tiny", overrides=overrides)


def suspects_by_the_book(labels: IntArray, probabilities: FloatArray) -> set[tuple[int, int]]:
    """Image and class off the diagonal of the confident joint, spelt out element by element."""
    classes = range(probabilities.shape[1])
    thresholds = {
        j: np.mean([p[j] for p, label in zip(probabilities, labels, strict=True) if label == j])
        for j in classes
        if j in labels
    }
    found = set()
    for i, (p, label) in enumerate(zip(probabilities, labels, strict=True)):
        confident = [j for j in thresholds if p[j] >= thresholds[j]]
        if confident and (best := max(confident, key=lambda j: p[j])) != label:
            found.add((i, best))
    return found


@pytest.mark.parametrize("n_classes", [2, 4])
def test_suspects_are_those_of_the_confident_joint(n_classes: int) -> None:
    rng = np.random.default_rng(n_classes)
    probabilities = rng.dirichlet(np.ones(n_classes), 300)
    labels = rng.integers(0, max(2, n_classes - 1), 300)  # of four classes one has no image
    suspects = label_suspects(labels, probabilities)
    found = set(zip(suspects.indices.tolist(), suspects.predicted.tolist(), strict=True))
    assert found == suspects_by_the_book(labels, probabilities)
    assert np.all(np.diff(suspects.margins) <= 0)


def test_labels_that_fit_are_not_suspect() -> None:
    labels = np.arange(30) % 3
    assert len(label_suspects(labels, np.eye(3)[labels]).indices) == 0


@pytest.fixture(scope="module")
def drawn() -> Split:
    drawn = simulation.simulate(240, image_size=(12, 12), seed=3)
    return Split(drawn.images.reshape(-1, 12, 12, 1), drawn.labels, list(drawn.kinds))


def test_networks_never_saw_the_images_they_answer(drawn: Split) -> None:
    """Random labels cannot be learnt but by heart, so answers to unseen images are guesses."""
    labels = np.random.default_rng(0).integers(0, 2, len(drawn)).astype(np.int32)
    stages: list[int] = []
    probabilities = cross_validated_probabilities(
        experiment("training.early_stopping=null"),
        Split(drawn.images, labels, drawn.names),
        first=first_equal(drawn.images),
        class_names=("apple", "not_apple"),
        n_folds=3,
        on_fold=stages.append,
    )
    assert stages == [1, 2, 3]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert abs(np.mean(probabilities.argmax(axis=1) == labels) - 0.5) < 0.15


def test_training_that_diverges_is_told(drawn: Split) -> None:
    with pytest.raises(DivergedError, match="--folds 0"):
        cross_validated_probabilities(
            experiment(
                "training.learning_rate=1e12", "training.optimizer=sgd", "model.units=[64,64,64,64]"
            ),
            drawn,
            first=first_equal(drawn.images),
            class_names=("apple", "not_apple"),
            n_folds=3,
        )


def suspects_of_flipped(experiment: Experiment, images: Split) -> tuple[float, float]:
    """Recall and precision of the suspects after one label in ten was flipped."""
    n = len(images)
    flipped = np.zeros(n, np.bool_)
    flipped[np.random.default_rng(0).choice(n, n // 10, replace=False)] = True
    labels = np.where(flipped, 1 - images.labels, images.labels).astype(np.int32)
    probabilities = cross_validated_probabilities(
        experiment,
        Split(images.images, labels, images.names),
        first=first_equal(images.images),
        class_names=("apple", "not_apple"),
        n_folds=3,
    )
    hits = flipped[label_suspects(labels, probabilities).indices]
    return float(hits.sum() / flipped.sum()), float(hits.mean())


def test_fault_26_flipped_labels_of_real_drawings_are_suspected(shared_data: Path) -> None:
    contract = experiment("preprocessing.image_size=[28,28]")
    images, _ = load_labelled_folder(
        shared_data / "quickdraw" / "train",
        contract.preprocessing,
        class_names=("apple", "not_apple"),
    )
    recall, precision = suspects_of_flipped(contract, images.take(np.arange(0, len(images), 3)))
    assert recall > 0.6
    assert precision > 0.6


def test_fault_26_flipped_labels_are_suspected() -> None:
    """Bright and dark pictures, so that a tiny network can tell them apart."""
    labels = (np.arange(200) % 2).astype(np.int32)
    pixels = (
        np.random.default_rng(0).integers(0, 140, (200, 12, 12, 1))
        + 100 * labels[:, None, None, None]
    )
    recall, precision = suspects_of_flipped(
        experiment(), Split(pixels.astype(np.uint8), labels, [""] * 200)
    )
    assert recall > 0.7
    assert precision > 0.8
