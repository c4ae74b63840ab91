import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from apple_clf.config.schema import Dense, ModelConfig, TrainingConfig
from apple_clf.data import Split
from apple_clf.model.backend import keras, tf
from apple_clf.model.building import build_model
from apple_clf.model.files import keras_bytes
from apple_clf.training import fit
from apple_clf.training.fused_adam import FusedAdam, FusedAdamW
from apple_clf.training.optimizers import build_optimizer

pytestmark = pytest.mark.slow

START = [1.0, -2.0, 0.5]
GRADIENTS = np.random.default_rng(0).normal(size=(20, 3)) * [1.0, 1e-3, 1e3]


def walk(optimizer: Any) -> NDArray[np.float64]:
    """Where twenty gradients lead, and the means that were kept of them, (3, 3)."""
    variable = tf.Variable(START)
    optimizer.build([variable])
    for gradient in GRADIENTS:
        optimizer.apply([tf.constant(gradient, tf.float32)], [variable])
    kept = [optimizer._momentums[0], optimizer._velocities[0]]
    return np.array([np.asarray(part.numpy(), np.float64) for part in (variable, *kept)])


def by_the_paper(rate: float, beta_1: float, beta_2: float, epsilon: float) -> NDArray[np.float64]:
    theta, m, v = np.array(START), np.zeros(3), np.zeros(3)
    for t, g in enumerate(GRADIENTS, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g**2
        alpha = rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        theta = theta - alpha * m / (np.sqrt(v) + epsilon)
    return np.array([theta, m, v])


@pytest.mark.parametrize(
    "settings", [(0.1, 0.9, 0.999, 1e-7), (0.01, 0.5, 0.6, 0.1)], ids=["default", "others"]
)
def test_step_follows_its_formula(settings: tuple[float, float, float, float]) -> None:
    rate, beta_1, beta_2, epsilon = settings
    ours = walk(FusedAdam(rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon))
    np.testing.assert_allclose(ours, by_the_paper(*settings), rtol=2e-5)


PAIRS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "adam": (lambda: FusedAdam(0.1), lambda: keras.optimizers.Adam(0.1)),
    "clipped": (
        lambda: FusedAdam(0.1, clipnorm=0.5),
        lambda: keras.optimizers.Adam(0.1, clipnorm=0.5),
    ),
    "decaying": (
        lambda: FusedAdamW(0.1, weight_decay=0.3),
        lambda: keras.optimizers.AdamW(0.1, weight_decay=0.3),
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_state_is_that_of_keras(pair: tuple[Callable[[], Any], Callable[[], Any]]) -> None:
    fused, plain = (build() for build in pair)
    (ours, *our_means), (theirs, *their_means) = walk(fused), walk(plain)
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    np.testing.assert_allclose(our_means, their_means, rtol=5e-5)
    assert [v.path.partition("/")[2] for v in fused.variables] == [
        v.path.partition("/")[2] for v in plain.variables
    ]


@pytest.mark.parametrize(
    ("optimizer", "fused"),
    [
        ({"type": "adam"}, FusedAdam),
        ({"type": "adamw"}, FusedAdamW),
        ({"type": "adam", "amsgrad": True}, keras.optimizers.Adam),
        ({"type": "adamw", "amsgrad": True}, keras.optimizers.AdamW),
    ],
    ids=str,
)
def test_only_amsgrad_is_left_to_keras(optimizer: dict[str, Any], fused: type) -> None:
    config = TrainingConfig.model_validate({"optimizer": optimizer})
    assert type(build_optimizer(config, steps_per_epoch=1)) is fused


def trained_file() -> bytes:
    model = build_model(ModelConfig(layers=(Dense(units=3),)), input_shape=(2, 2, 1), n_classes=2)
    images = np.arange(16, dtype=np.uint8).reshape(4, 2, 2, 1)
    split = Split(images, np.array([0, 1, 0, 1], np.int32), list("abcd"))
    empty = split.take(np.array([], np.int64))
    config = TrainingConfig(epochs=1)
    fit(model, config, train=split, validation=empty, class_names=("a", "b"), seed=0)
    return keras_bytes(model)


def modules(part: Any) -> set[str]:
    """Every module that a model's JSON names."""
    if isinstance(part, list):
        return {module for each in part for module in modules(each)}
    if isinstance(part, dict):
        own = {part["module"]} if part.get("module") else set()
        return own.union(*map(modules, part.values()))
    return set()


def test_trained_model_loads_where_this_package_was_never_imported(tmp_path: Path) -> None:
    content = trained_file()
    with zipfile.ZipFile(BytesIO(content)) as archive:
        named = modules(json.loads(archive.read("config.json")))
    assert named
    assert all(name.partition(".")[0] == "keras" for name in named)
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    program = (
        "import sys, keras, numpy; model = keras.models.load_model(sys.argv[1]);"
        "assert 'apple_clf' not in sys.modules;"
        "print(model(numpy.zeros((1, 2, 2, 1), numpy.uint8)).shape)"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "(1, 2)"
