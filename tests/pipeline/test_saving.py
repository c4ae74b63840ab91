import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from apple_clf.config.schema import DecisionConfig, ModelConfig
from apple_clf.data import Dataset, Split
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.pipeline.saving import save_evaluation, save_model
from apple_clf.prediction.decision.novelty import MIN_TO_JUDGE
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run, create_run
from apple_clf.runs.model_record import read_model_record

pytestmark = pytest.mark.slow

SIZE = (8, 8)


def make_split(n: int, n_classes: int, *, seed: int) -> Split:
    """Pictures whose brightness tells the class, most of the time."""
    rng = np.random.default_rng([seed, n])
    labels = np.arange(n) % n_classes
    noise = rng.normal(scale=60, size=(n, *SIZE, 1))
    shade = 80 * labels + rng.normal(scale=60, size=n)
    pixels = np.clip(shade[:, None, None, None] + noise, 0, 255)
    return Split(pixels.astype(np.uint8), labels, [f"{i}.png" for i in range(n)])


def make_dataset(*, n_classes: int = 2, n_validation: int = 60, n_test: int = 30) -> Dataset:
    names = ("apple", "pear", "plum")[:n_classes]
    sizes = (120, n_validation, n_test)
    train, validation, test = (make_split(n, n_classes, seed=i) for i, n in enumerate(sizes))
    return Dataset("test", names, "apple", train, validation, test, preprocessing=Preprocessing())


def make_model(n_classes: int = 2) -> keras.Model:
    """A network that looks at brightness."""
    keras.utils.set_random_seed(0)
    model = build_model(ModelConfig(layers=()), input_shape=(*SIZE, 1), n_classes=n_classes)
    slope = np.linspace(-3, 3, n_classes) / 64
    model.set_weights([np.tile(slope, (64, 1)), -32 * slope])
    return model


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return create_run(tmp_path, "saved")


def test_run_answers_as_the_predictor_that_was_returned(run: Run) -> None:
    dataset = make_dataset()
    config = DecisionConfig(threshold="f1", false_alarm_rate=0.1)
    predictor, decision = save_model(
        run, make_model(), dataset, Preprocessing(image_size=SIZE), config
    )
    record = read_model_record(run.model_record)
    assert record == predictor.record
    assert record.threshold == decision.threshold not in (None, 0.5)
    assert record.threshold_goal == "f1"
    assert record.temperature == decision.temperature != 1
    assert record.novelty_threshold == decision.novelty_threshold
    again = Predictor.load(run)
    outputs = predictor.outputs(dataset.test.images)
    np.testing.assert_array_equal(
        again.predict(dataset.test.images), predictor.probabilities(outputs.logits)
    )
    shown = np.concatenate([dataset.train.images, dataset.validation.images])
    assert again.unsure(again.outputs(shown).novelty).mean() == pytest.approx(0.1, abs=0.07)
    blank = np.zeros((1, *SIZE, 1), np.uint8)
    assert again.unsure(again.outputs(blank).novelty).all()


def test_without_validation_images_nothing_is_fitted(run: Run) -> None:
    dataset = make_dataset(n_validation=0)
    predictor, decision = save_model(
        run, make_model(), dataset, Preprocessing(image_size=SIZE), DecisionConfig()
    )
    assert (predictor.record.temperature, predictor.record.threshold) == (1.0, 0.5)
    assert "Without validation images" in decision.notes[0]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(
    ("n_validation", "n_test", "split"), [(30, 30, "test"), (30, 0, "validation"), (0, 0, "train")]
)
def test_metrics_tell_how_answers_are_made(
    run: Run, n_classes: int, n_validation: int, n_test: int, split: str
) -> None:
    dataset = make_dataset(n_classes=n_classes, n_validation=n_validation, n_test=n_test)
    predictor, decision = save_model(
        run, make_model(n_classes), dataset, Preprocessing(image_size=SIZE), DecisionConfig()
    )
    content = save_evaluation(run, predictor, dataset, None, decision)
    described = json.loads(json.dumps(content, allow_nan=False))
    assert described["split"] == split
    assert described["decision"]["fitted_to_images"] == n_validation
    assert described["decision"]["temperature"] == predictor.record.temperature
    assert set(described["calibration_error"]) == {"as_trained", "calibrated"}
    assert 0 <= described["unsure"]["share"] < 0.2
    assert len(run.predictions.read_text().splitlines()) == 1 + len(getattr(dataset, split))


def test_answers_that_overflow_are_saved_as_they_are_and_not_calibrated(run: Run) -> None:
    model = make_model()
    model.set_weights([np.full((64, 2), 3e38), np.zeros(2)])
    predictor, decision = save_model(
        run, model, make_dataset(), Preprocessing(image_size=SIZE), DecisionConfig()
    )
    assert (decision.n_images, predictor.record.temperature) == (0, 1.0)
    assert run.keras_model.exists()


def test_too_few_pictures_are_never_unsure_with_a_note(run: Run) -> None:
    dataset = make_dataset(n_validation=3)
    few = replace(dataset, train=dataset.train.take(np.arange(MIN_TO_JUDGE - 4)))
    predictor, decision = save_model(
        run, make_model(), few, Preprocessing(image_size=SIZE), DecisionConfig()
    )
    assert predictor.record.novelty_threshold is None
    assert f"{MIN_TO_JUDGE - 1} images are too few" in decision.notes[-1]
    assert b"novelty" not in run.litert_model.read_bytes()


def test_copies_by_other_pens_count_as_ordinary(run: Run) -> None:
    dataset = make_dataset()
    faint = Split(dataset.train.images // 3, dataset.train.labels, dataset.train.names)
    contract, config = Preprocessing(image_size=SIZE), DecisionConfig(false_alarm_rate=0.05)
    unaware, _ = save_model(run, make_model(), dataset, contract, config)
    assert unaware.unsure(unaware.outputs(faint.images).novelty).mean() > 0.9
    aware, _ = save_model(run, make_model(), dataset, contract, config, copies=faint)
    assert aware.unsure(aware.outputs(faint.images).novelty).mean() < 0.2
