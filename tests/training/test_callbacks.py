from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from apple_clf.config import parse_experiment
from apple_clf.data import Split
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.runs.checkpoints import Checkpoints
from apple_clf.training import Training, fit

pytestmark = pytest.mark.slow

SHAPE = (4, 4, 1)
EPOCHS = 6
DENSE = "{type: dense, units: 5, activation: tanh}"
AUGMENTATION = (
    "{type: random_flip}, {type: random_rotation, factor: 0.1}, "
    "{type: random_zoom, height_factor: 0.2}, "
    "{type: random_translation, height_factor: 0.2, width_factor: 0.2}, "
    "{type: random_contrast, factor: 0.5}, {type: random_invert}"
)
CONV = "{type: conv2d, filters: 3, kernel_size: 3, padding: same}, {type: batch_normalization}"
CASES = {
    "adam": (DENSE, ""),
    "augmentation": (
        f"{AUGMENTATION}, {CONV}, {{type: residual, layers: [{CONV}]}}, {{type: max_pooling2d}}, "
        f"{DENSE}, {{type: dropout, rate: 0.5}}",
        "",
    ),
    "dropout": (f"{DENSE}, {{type: dropout, rate: 0.5}}", ""),
    "batch_normalization": (f"{DENSE}, {{type: batch_normalization}}", "optimizer: momentum"),
    "early_stopping": (DENSE, "learning_rate: 1.0, early_stopping: {patience: 1}"),
    "plateau": (DENSE, "learning_rate: 1.0, reduce_on_plateau: {patience: 1}"),
    "cosine": (DENSE, "learning_rate: {type: cosine, initial: 0.1, warmup_epochs: 1}"),
    "class_weight": (DENSE, "class_weight: balanced, optimizer: rmsprop"),
}


def make_split(n: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    labels = rng.choice(2, size=n, p=(0.7, 0.3)).astype(np.int32)
    pixels = (rng.integers(200, size=(n, *SHAPE)) + 50 * labels[:, None, None, None]).astype(
        np.uint8
    )
    return Split(pixels, labels, [str(i) for i in range(n)])


TRAIN, VALIDATION = make_split(21, 0), make_split(12, 1)


def train(
    case: tuple[str, str], folder: Path, *, stop_after: int = EPOCHS
) -> tuple[Training, bytes]:
    """A training as a new process would see it, and the bytes of its model's variables."""
    layers, settings = case
    text = (
        f"model: {{layers: [{layers}]}}\n"
        f"training: {{epochs: {EPOCHS}, batch_size: 8, {settings}}}\n"
    )
    experiment = parse_experiment(text, filename="test.yaml")
    keras.utils.set_random_seed(1)
    model = build_model(experiment.model, input_shape=SHAPE, n_classes=2)
    done: list[int] = []
    training = fit(
        model,
        experiment.training,
        train=TRAIN,
        validation=VALIDATION,
        class_names=("a", "b"),
        seed=3,
        on_epoch=lambda epoch, logs: done.append(epoch),
        checkpoints=Checkpoints(folder),
        should_stop=lambda: done[-1] == stop_after,
    )
    return training, b"".join(np.asarray(v.numpy()).tobytes() for v in model.variables)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_training_cut_early_and_late_equals_the_uninterrupted_one(
    case: tuple[str, str], tmp_path: Path
) -> None:
    whole, expected = train(case, tmp_path / "whole")
    n_epochs = len(whole.history["loss"])
    parts = tmp_path / "parts"
    for epoch in sorted({1, 2, n_epochs - 1}):
        part, _ = train(case, parts, stop_after=epoch)
        assert (part.interrupted, len(part.history["loss"])) == (True, epoch)
    for _ in range(2):  # the last part, and once more when there is nothing left to train
        last, variables = train(case, parts)
        np.testing.assert_equal(asdict(last), asdict(whole))
        assert variables == expected


def test_early_stopping_and_plateau_of_these_cases_do_fire(tmp_path: Path) -> None:
    stopped, _ = train(CASES["early_stopping"], tmp_path / "stopped")
    assert stopped.stopped_early
    assert 1 < stopped.best_epoch < len(stopped.history["loss"]) < EPOCHS
    reduced, _ = train(CASES["plateau"], tmp_path / "reduced")
    assert len(set(reduced.history["learning_rate"])) > 1
