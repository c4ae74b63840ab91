"""Trainings with a known fault, two recipes for each finding, and healthy ones of ten kinds.

A recipe is a list of overrides of `BASE`. Those whose data are no simulated pictures name an
archive, which is written anew for each seed.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from apple_clf.data.simulation import CLASS_NAMES, simulate

Recipe = tuple[str, ...]

BASE = """\
name: diagnosis
data: {source: simulated, train_samples: 800, validation_samples: 300, test_samples: 400}
preprocessing: {image_size: [16, 16]}
training: {epochs: 25}
decision: {false_alarm_rate: null}
"""

MORE = "data.train_samples=1200"

HEALTHY: dict[str, Recipe] = {
    "as built in, fewer images": (
        *("data.train_samples=1500", "preprocessing.image_size=[28, 28]", "training.epochs=20"),
    ),
    "adam": (MORE,),
    "sgd": (MORE, "training.optimizer=sgd", "training.learning_rate=0.1"),
    "momentum": (MORE, "training.optimizer=momentum", "training.learning_rate=0.02"),
    "rmsprop, early stopping": (
        *(MORE, "training.optimizer=rmsprop", "training.early_stopping={patience: 5}"),
    ),
    "adamw, cosine": (
        *(MORE, "training.optimizer=adamw"),
        "training.learning_rate={type: cosine, initial: 0.003}",
    ),
    "four layers": (MORE, "model.units=[64, 32, 16, 8]"),
    "tanh": (MORE, "model.units=[32, 16]", "model.activation=tanh"),
    "batch normalization, dropout": (
        MORE,
        "model.layers=[{type: dense, units: 32}, {type: batch_normalization}, "
        "{type: activation, activation: relu}, {type: dropout, rate: 0.2}]",
    ),
    "conv2d": (
        *(MORE, "training.epochs=15"),
        "model.layers=[{type: conv2d, filters: 8, kernel_size: 3, activation: relu}, "
        "{type: max_pooling2d}, {type: dense, units: 16, activation: relu}]",
    ),
}


def stack(n: int, units: int, activation: str, initializer: str = "glorot_uniform") -> str:
    """An override: n dense layers alike."""
    layer = (
        f"{{type: dense, units: {units}, activation: {activation}, "
        f"kernel_initializer: {initializer}}}"
    )
    return f"model.layers=[{', '.join([layer] * n)}]"


FAULTS: dict[str, tuple[Recipe, Recipe]] = {
    "overfitting": (
        ("data.train_samples=80", "model.units=[64, 32]", "training.epochs=60"),
        ("archive=few", "model.units=[64]", "training.epochs=60"),
    ),
    "underfitting": (
        ("model.layers=[]",),
        ("model.layers=[{type: dense, units: 4, activation: relu}, {type: dropout, rate: 0.9}]",),
    ),
    "learning_rate_too_high": (
        ("training.learning_rate=0.3",),
        ("training.optimizer=sgd", "training.learning_rate=1e7"),
    ),
    "learning_rate_too_low": (
        ("training.learning_rate=3e-6",),
        ("training.optimizer=sgd", "training.learning_rate=1e-4"),
    ),
    "vanishing_gradients": (
        (stack(8, 16, "sigmoid"),),
        (stack(10, 16, "tanh", "random_normal"),),
    ),
    "exploding_gradients": (
        (stack(3, 16, "relu", "ones"),),
        (
            *(stack(6, 16, "linear", "ones"), "training.optimizer=sgd"),
            "training.learning_rate=0.01",
        ),
    ),
    "dead_relus": (
        ("training.learning_rate=0.025",),
        (stack(16, 4, "relu"),),
    ),
    "saturated_units": (
        (stack(2, 32, "sigmoid", "ones"),),
        (stack(2, 32, "tanh", "ones"),),
    ),
    "random_labels": (
        ("data={source: noise, train_samples: 60, test_samples: 500}", "training.epochs=60"),
        ("archive=shuffled", "training.epochs=60"),
    ),
    "class_collapse": (
        ("data.apple_fraction=0.03", "data.test_samples=800", "training.epochs=5"),
        ("data.apple_fraction=0.02", "data.test_samples=1000", "model.units=[8]"),
    ),
    "no_better_than_guessing": (
        (
            "data={source: noise, train_samples: 4000, validation_samples: 300}",
            *("model.units=[4]", "training.epochs=2"),
        ),
        (
            "data={source: noise, train_samples: 2000, validation_samples: 300}",
            *("preprocessing.image_size=[4, 4]", "training.epochs=6"),
        ),
    ),
    "imbalance_hidden_in_accuracy": (
        ("data.apple_fraction=0.05", "data.test_samples=1000", "training.epochs=12"),
        (MORE, "data.apple_fraction=0.04", "data.test_samples=1000", "training.epochs=10"),
    ),
    "stopped_too_early": (
        ("training.epochs=2",),
        ("training.optimizer=sgd", "training.learning_rate=0.05", "training.epochs=5"),
    ),
    "batch_too_large": (
        ("training.batch_size=800", "training.epochs=10"),
        ("training.batch_size=512", "training.epochs=8"),
    ),
    "network_for_drawings": (
        ("archive=photos", "preprocessing.image_size=[28, 28]"),
        ("archive=photos", "model.units=[128, 64]", "training.early_stopping={patience: 8}"),
    ),
    "leak_suspected": (
        ("archive=mislabelled", "model.units=[8]", "training.epochs=8"),
        ("archive=mislabelled", "training.optimizer=rmsprop", "training.epochs=5"),
    ),
    "uncalibrated": (
        (
            "training.loss={type: categorical_crossentropy, label_smoothing: 0.6}",
            "data.validation_samples=0",
        ),
        (
            "training.loss={type: categorical_focal_crossentropy, gamma: 8}",
            "data.validation_samples=0",
        ),
    ),
}


def prepared(recipe: Recipe, *, seed: int, folder: Path) -> Recipe:
    """The overrides of a recipe, once its archive, if it names one, is written into a folder."""
    overrides = [f"seed={seed}"]
    for override in recipe:
        key, _, name = override.partition("=")
        if key == "archive":
            path = folder / f"{name}.npz"
            ARCHIVES[name](path, seed)
            override = f"data={{source: npz, path: '{path}', validation_split: 0.2}}"
        overrides.append(override)
    return tuple(overrides)


def _few(path: Path, seed: int) -> None:
    """150 pictures to learn from, 400 to be judged by."""
    _write(path, seed, n=150, wrong=0.0)


def _shuffled(path: Path, seed: int) -> None:
    """Labels of other pictures, all of them."""
    drawn = simulate(700, image_size=(16, 16), seed=[seed, 0], line_drawings=0.6)
    labels = np.random.default_rng(seed).permutation(drawn.labels)
    _save(path, drawn.images, labels, 200)


def _mislabelled(path: Path, seed: int) -> None:
    """Three in ten training labels wrong, those of the test right."""
    _write(path, seed, n=2000, wrong=0.3)


def _photos(path: Path, seed: int) -> None:
    """Clutter in all colours, and in it somewhere a red or a green disc of the same lightness."""
    rng = np.random.default_rng(seed)
    labels = np.arange(500, dtype=np.int32) % 2
    _save(path, np.stack([_photo(rng, CLASS_COLOURS[label]) for label in labels]), labels, 300)


CLASS_COLOURS = ((200, 60, 60), (60, 135, 40))
"""Of CLASS_NAMES; both have a luma of 102 to 103."""


def _photo(rng: np.random.Generator, colour: tuple[int, int, int]) -> np.ndarray:
    """uint8, (32, 32, 3)."""
    coarse = Image.fromarray(rng.integers(40, 216, size=(6, 6, 3), dtype=np.uint8))
    picture = coarse.resize((32, 32), Image.Resampling.BICUBIC)
    x, y, radius = rng.integers(6, 26), rng.integers(6, 26), rng.integers(5, 8)
    box = (int(x - radius), int(y - radius), int(x + radius), int(y + radius))
    ImageDraw.Draw(picture).ellipse(box, fill=colour)
    return np.asarray(picture)


def _write(path: Path, seed: int, *, n: int, wrong: float) -> None:
    drawn = simulate(n + 400, image_size=(16, 16), seed=[seed, 0], line_drawings=0.6)
    flipped = np.random.default_rng(seed).random(n) < wrong
    labels = drawn.labels.copy()
    labels[:n] ^= flipped
    _save(path, drawn.images, labels, n)


def _save(path: Path, images: np.ndarray, labels: np.ndarray, n_train: int) -> None:
    np.savez(
        path,
        x_train=images[:n_train],
        y_train=labels[:n_train],
        x_test=images[n_train:],
        y_test=labels[n_train:],
        class_names=np.array(CLASS_NAMES),
    )


ARCHIVES: dict[str, Callable[[Path, int], None]] = {
    "few": _few,
    "photos": _photos,
    "shuffled": _shuffled,
    "mislabelled": _mislabelled,
}
