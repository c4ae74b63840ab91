"""Every kind of layer, optimizer and schedule, from its YAML through training and resuming.

Layers are followed further: through answers, explanations and exports.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from apple_clf.config import parse_experiment
from apple_clf.config.schema import Experiment
from apple_clf.config.schema.model import KINDS
from apple_clf.config.schema.optimizers import Optimizer, Schedule
from apple_clf.explanation.attribution import attribute
from apple_clf.explanation.explaining import explain
from apple_clf.explanation.numpy_backend.loading import load_network
from apple_clf.exporting.writing import export
from apple_clf.images.loading import load
from apple_clf.io.progress import Silent
from apple_clf.model.keras_file.network import LAYERS
from apple_clf.pipeline import workflow
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run, list_runs

pytestmark = pytest.mark.slow

AFTER_FILTERS = "{type: conv2d, filters: 3, kernel_size: 2}, "
LAYER = {
    "activation": AFTER_FILTERS + "{type: activation, activation: tanh}",
    "average_pooling2d": "{type: average_pooling2d}",
    "batch_normalization": AFTER_FILTERS + "{type: batch_normalization, momentum: 0.5}",
    "conv2d": "{type: conv2d, filters: 3, kernel_size: 2, activation: relu}",
    "dense": "{type: dense, units: 4, activation: gelu}",
    "depthwise_conv2d": (
        "{type: depthwise_conv2d, kernel_size: 3, depth_multiplier: 3, padding: same}, "
        "{type: depthwise_conv2d, kernel_size: [2, 3], strides: 2, activation: tanh}"
    ),
    "dropout": "{type: dense, units: 4}, {type: dropout, rate: 0.3}",
    "flatten": AFTER_FILTERS + "{type: flatten}",
    "gaussian_noise": "{type: gaussian_noise, stddev: 0.1}, {type: dense, units: 4}",
    "global_average_pooling2d": AFTER_FILTERS + "{type: global_average_pooling2d}",
    "layer_normalization": AFTER_FILTERS + "{type: layer_normalization}",
    "max_pooling2d": "{type: max_pooling2d}",
    "prelu": (
        AFTER_FILTERS + "{type: prelu, alpha_initializer: random_normal, shared_axes: [1, 2]}, "
        "{type: dense, units: 4}, {type: prelu}"
    ),
    "random_contrast": "{type: random_contrast, factor: 0.3}",
    "random_flip": "{type: random_flip}",
    "random_invert": "{type: random_invert}",
    "random_rotation": "{type: random_rotation, factor: 0.1}",
    "random_translation": "{type: random_translation, height_factor: 0.1, width_factor: 0.1}",
    "random_zoom": "{type: random_zoom, height_factor: 0.2}",
    "residual": (
        "{type: residual, layers: [{type: conv2d, filters: 3, kernel_size: 2, padding: same}]}"
    ),
    "separable_conv2d": (
        "{type: separable_conv2d, filters: 4, kernel_size: 3, depth_multiplier: 2, padding: same}, "
        "{type: separable_conv2d, filters: 3, kernel_size: [2, 3], strides: 2, activation: relu}"
    ),
}


def nothing(*_arguments: object, **_keywords: object) -> None:
    """Draws no pictures and writes no page, which are not what is tested here."""


QUICK = workflow.Manner(checkpoint_seconds=0, draw=nothing, report=nothing)


class StoppedError(Exception):
    """A training that ends after its first epoch."""


class StopAfterOne(Silent):
    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        if epoch == 1:
            raise StoppedError


def experiment(layers: str, training: str = "") -> tuple[Experiment, bytes]:
    text = (
        "data: {source: simulated, train_samples: 40, validation_samples: 24, test_samples: 12}\n"
        "preprocessing: {image_size: [8, 8]}\n"
        f"training: {{epochs: 2, batch_size: 16{training}}}\n"
        f"model: {{layers: [{layers}]}}\n"
    )
    return parse_experiment(text, filename="e.yaml"), text.encode()


def test_each_kind_of_layer_has_an_example() -> None:
    assert set(LAYER) == {get_args(kind.model_fields["type"].annotation)[0] for kind in KINDS}


def test_a_file_may_hold_each_kind_of_layer() -> None:
    assert {kind.keras_class for kind in KINDS if hasattr(kind, "keras_class")} <= LAYERS


@pytest.fixture(scope="module", params=list(LAYER.values()), ids=list(LAYER))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    trained, source = experiment(request.param)
    return workflow.train(
        trained, source=source, folder=tmp_path_factory.mktemp("whole"), manner=QUICK
    )


def resumed(source: bytes, folder: Path) -> Run:
    """The run of an experiment that was stopped after its first epoch and resumed."""
    with pytest.raises(StoppedError):
        workflow.train(
            parse_experiment(source.decode(), filename="e.yaml"),
            source=source,
            folder=folder,
            reporter=StopAfterOne(),
            manner=QUICK,
        )
    (run,) = list_runs(folder)
    return workflow.resume(run, manner=QUICK)


def assert_same_bytes(one: Run, other: Run) -> None:
    for name in ("model.tflite", "model.keras", "history.csv", "predictions.csv", "metrics.json"):
        assert (one.path / name).read_bytes() == (other.path / name).read_bytes(), name


def test_a_resumed_training_gives_the_same_bytes(run: Run, tmp_path: Path) -> None:
    assert_same_bytes(resumed(run.config.read_bytes(), tmp_path), run)


def test_both_explanations_give_the_logits_of_the_predictor(run: Run, tmp_path: Path) -> None:
    predictor = Predictor.load(run)
    pixels = np.random.default_rng(0).integers(256, size=(8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    prepared = load(tmp_path / "picture.png", predictor.record.preprocessing).pixels[None]
    logits = predictor.outputs(prepared).logits[0]
    network = load_network(run.keras_model.read_bytes(), predictor)
    np.testing.assert_allclose(network.forward(prepared)[-1][0], logits, atol=1e-4)
    by_keras = explain(run, str(tmp_path / "picture.png")).attribution
    code = predictor.record.class_names.index(by_keras.class_name)
    assert by_keras.logit == pytest.approx(logits[code], abs=1e-4)
    ours = attribute(network, prepared[0], code=code, class_name=by_keras.class_name)
    np.testing.assert_allclose(ours.values, by_keras.values, atol=1e-3)


def test_an_onnx_file_answers_as_keras_does(run: Run, tmp_path: Path) -> None:
    exported = export(run, "onnx", target=tmp_path / "model.onnx")
    assert exported.agreement.largest_difference < 1e-4


def kinds_of(union: object) -> list[str]:
    """The names of the kinds in a union that is told apart by `type`."""
    records = get_args(get_args(union)[0])
    return [get_args(record.model_fields["type"].annotation)[0] for record in records]


@pytest.mark.parametrize("kind", kinds_of(Optimizer))
def test_with_each_optimizer_a_resumed_training_gives_the_same_bytes(
    kind: str, tmp_path: Path
) -> None:
    trained, source = experiment("{type: dense, units: 4}", f", optimizer: {kind}")
    whole = workflow.train(trained, source=source, folder=tmp_path / "whole", manner=QUICK)
    assert_same_bytes(resumed(source, tmp_path / "resumed"), whole)


SCHEDULE = {
    "cosine": "{type: cosine, warmup_epochs: 1}",
    "exponential": "{type: exponential}",
    "piecewise_constant": "{type: piecewise_constant, boundaries: [1], values: [1e-2, 1e-3]}",
    "polynomial": "{type: polynomial}",
}


def test_each_kind_of_schedule_has_an_example() -> None:
    assert set(SCHEDULE) == set(kinds_of(Schedule))


@pytest.mark.parametrize("schedule", SCHEDULE.values(), ids=SCHEDULE)
def test_with_each_schedule_a_resumed_training_gives_the_same_bytes(
    schedule: str, tmp_path: Path
) -> None:
    trained, source = experiment("{type: dense, units: 4}", f", learning_rate: {schedule}")
    whole = workflow.train(trained, source=source, folder=tmp_path / "whole", manner=QUICK)
    assert_same_bytes(resumed(source, tmp_path / "resumed"), whole)
