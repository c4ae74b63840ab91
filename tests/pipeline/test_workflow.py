import csv
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from conftest import ImageFolder, InChild

from apple_clf.config import parse_experiment
from apple_clf.data import load_dataset
from apple_clf.errors import ConfigError, DivergedError, FileSystemError
from apple_clf.pipeline.workflow import train
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run, find_run, list_runs
from apple_clf.runs.model_record import read_model_record

pytestmark = pytest.mark.slow

TINY = """\
name: tiny
data: {source: simulated, train_samples: 45, validation_samples: 50, test_samples: 24}
preprocessing: {image_size: [10, 10]}
model:
  layers:
    - {type: dense, units: 8, activation: relu}
    - {type: batch_normalization}
    - {type: dropout, rate: 0.2}
training: {epochs: 3, batch_size: 16, class_weight: balanced}
"""


class Listener:
    """A reporter that remembers."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.epochs: list[tuple[int, int]] = []

    def stage(self, text: str) -> None:
        self.stages.append(text)

    def fetching(self, name: str, done: int, total: int) -> None:
        raise AssertionError("simulated images are not fetched")

    def decoding(self, done: int, total: int) -> None:
        raise AssertionError("simulated images are not decoded")

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        self.epochs.append((epoch, epochs))


def run_experiment(folder: Path, *overrides: str, reporter: Listener | None = None) -> Run:
    experiment = parse_experiment(TINY, filename="tiny.yaml", overrides=overrides)
    return train(experiment, source=TINY.encode(), folder=folder, reporter=reporter)


@pytest.fixture(scope="module")
def listener() -> Listener:
    return Listener()


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, listener: Listener) -> Run:
    return run_experiment(tmp_path_factory.mktemp("runs"), reporter=listener)


def contents(run: Run) -> dict[str, str]:
    """The hash of each file, but for what tells of the machine and the clock."""
    return {
        str(path.relative_to(run.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(run.path.rglob("*"))
        if path.is_file() and path not in {run.environment, run.report, run.lock}
    }


def test_run_directory_is_complete(run: Run) -> None:
    assert run.is_finished
    assert sorted(contents(run)) == [
        "checkpoints/epoch-000003.checkpoint",
        "config.yaml",
        "dataset.json",
        "findings.json",
        "gallery.npz",
        "history.csv",
        "metrics.json",
        "model.json",
        "model.keras",
        "model.tflite",
        "plots/confusion_matrix.png",
        "plots/learning_curves.png",
        "plots/mistakes.png",
        "plots/reliability.png",
        "plots/roc.png",
        "predictions.csv",
        "resolved.yaml",
        "statistics.csv",
        "weights.npz",
    ]
    assert run.config.read_text() == TINY
    assert "test images answered right" in run.report.read_text(encoding="utf-8")
    json.loads(run.environment.read_bytes())


def test_resolved_experiment_is_the_one_that_was_trained(run: Run) -> None:
    again = parse_experiment(run.resolved.read_text(), filename="resolved.yaml")
    assert again == parse_experiment(TINY, filename="tiny.yaml")


def test_listener_hears_stages_and_epochs(run: Run, listener: Listener) -> None:
    assert listener.epochs == [(1, 3), (2, 3), (3, 3)]
    first_words = [text.split()[0] for text in listener.stages]
    assert first_words == ["Data:", "Training", "No", "Evaluating"]  # "No picture is answered ..."


def test_training_again_gives_the_same_bytes_whatever_the_process(run: Run, tmp_path: Path) -> None:
    config = tmp_path / "tiny.yaml"
    config.write_text(TINY)
    settings = {"floatx": "float16", "backend": "jax", "image_data_format": "channels_first"}
    (tmp_path / "keras.json").write_text(json.dumps({**settings, "epsilon": 1e-7}))
    surroundings = {
        **{"PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2", "TZ": "Asia/Tokyo"},
        **{"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": "jax"},
    }
    result = subprocess.run(
        [sys.executable, "-m", "apple_clf", "train", config, "--runs", tmp_path / "runs"],
        env={**os.environ, **surroundings},
        check=True,
        capture_output=True,
        text=True,
    )
    narration = {line.split()[0] for line in result.stderr.splitlines()}
    assert narration == {"Data:", "Training", "Epoch", "No", "Evaluating"}
    assert contents(find_run(None, folder=tmp_path / "runs")) == contents(run)


def test_another_seed_gives_another_model(run: Run, tmp_path: Path) -> None:
    other, same = contents(run_experiment(tmp_path, "seed=1")), contents(run)
    differ = {name for name in same if same[name] != other[name]}
    assert differ >= {"model.keras", "model.tflite", "history.csv", "metrics.json"}


def test_history_has_a_row_per_epoch(run: Run) -> None:
    with run.history.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        *("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
    ]
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]


def test_keras_and_litert_files_give_the_same_answers(run: Run) -> None:
    from apple_clf.model.backend import keras

    experiment = parse_experiment(TINY, filename="tiny.yaml")
    dataset = load_dataset(experiment.data, experiment.preprocessing, seed=experiment.seed)
    as_trained = keras.models.load_model(run.keras_model, compile=False).predict(
        dataset.test.images, verbose=0
    )
    temperature = read_model_record(run.model_record).temperature
    assert temperature != 1
    expected = keras.ops.softmax(np.log(as_trained) / temperature)
    answers = Predictor.load(run).predict(dataset.test.images)
    np.testing.assert_allclose(answers, expected, atol=1e-5)
    with run.predictions.open(newline="") as file:
        written = [
            [float(row["probabilities.apple"]), float(row["probabilities.not_apple"])]
            for row in csv.DictReader(file)
        ]
    np.testing.assert_allclose(written, expected, atol=1e-5)


def test_record_holds_the_hashes_of_both_models(run: Run) -> None:
    record, hashes = read_model_record(run.model_record), contents(run)
    assert record.keras_sha256 == hashes["model.keras"]
    assert record.litert_sha256 == hashes["model.tflite"]


def test_metrics_tell_of_images_and_training(run: Run) -> None:
    metrics = json.loads(run.metrics.read_bytes())
    assert (metrics["split"], metrics["n_images"]) == ("test", 24)
    assert metrics["training"]["epochs"] == metrics["training"]["best_epoch"] == 3
    assert metrics["data"]["images"] == {"train": 45, "validation": 50, "test": 24}


FEW = ("data.validation_samples=0", "training.epochs=1", "data.train_samples=12")
DEEP = "model.layers=[" + ", ".join(["{type: dense, units: 8}"] * 6) + "]"


def test_class_weight_of_an_unknown_class_is_refused_before_a_run_is_made(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        run_experiment(tmp_path, "training.class_weight={pear: 2}")
    assert "'pear', which is not a class of the data. Its classes: apple, not_apple." in str(
        error.value
    )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("key", ["early_stopping", "reduce_on_plateau"])
def test_watching_validation_images_that_are_not_there_is_refused_before_a_run_is_made(
    tmp_path: Path, image_folder: ImageFolder, key: str
) -> None:
    folder = image_folder({"train/a": 2, "train/b": 2})
    overrides = (
        f"data={{source: folder, path: '{folder}', validation_split: 0}}",
        f"training.{key}={{patience: 1}}",
    )
    with pytest.raises(ConfigError, match="validation images") as error:
        run_experiment(tmp_path / "runs", *overrides)
    assert key in str(error.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("folders", "threshold", "words"),
    [
        pytest.param({"train/a": 2, "train/b": 2}, "f1", "but there are none", id="none"),
        pytest.param(
            {"train/a": 2, "train/b": 2, "validation/b": 3}, "f1", "but all are b", id="one_class"
        ),
        pytest.param({"a": 9, "b": 9, "c": 9}, "0.4", "the data have 3", id="three_classes"),
        pytest.param({"a": 9, "b": 9, "c": 9}, "recall>=0.9", "the data have 3", id="three_goal"),
    ],
)
def test_threshold_that_the_data_leave_without_a_meaning_is_refused_before_a_run_is_made(
    tmp_path: Path,
    image_folder: ImageFolder,
    folders: dict[str, int],
    threshold: str,
    words: str,
) -> None:
    path = image_folder(folders)
    overrides = (
        f"data={{source: folder, path: '{path}', validation_split: 0}}",
        f"decision.threshold={threshold}",
    )
    with pytest.raises(ConfigError, match=r"decision\.threshold") as error:
        run_experiment(tmp_path / "runs", *overrides)
    assert words in str(error.value)
    assert not (tmp_path / "runs").exists()


def test_threshold_and_unsure_stand_in_the_metrics_and_what_failed_is_narrated(
    tmp_path: Path,
) -> None:
    listener = Listener()
    goal = "decision.threshold=precision>=1"
    run = run_experiment(tmp_path, goal, "training.epochs=1", reporter=listener)
    decision = json.loads(run.metrics.read_bytes())["decision"]
    assert decision["threshold_goal"] == "precision>=1"
    assert decision["threshold"] == read_model_record(run.model_record).threshold
    assert decision["threshold_goal_reached"] is (decision["notes"] == [])
    assert set(decision["notes"]) <= set(listener.stages)


def test_monitors_of_the_training_images_need_no_validation(tmp_path: Path) -> None:
    stopping = "training.early_stopping={monitor: accuracy}"
    assert run_experiment(tmp_path, *FEW, stopping).is_finished


def finite_json(path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{path.name} holds {constant}")

    json.loads(path.read_bytes(), parse_constant=refuse)


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param([], id="adam"),
        pytest.param(["training.optimizer=sgd", "training.early_stopping={}"], id="early_stopping"),
    ],
)
def test_fault_46_diverged_run_keeps_its_last_finite_state(
    tmp_path: Path, overrides: list[str]
) -> None:
    with pytest.raises(DivergedError, match="NaN or infinity") as error:
        run_experiment(tmp_path, DEEP, "training.learning_rate=1e12", *overrides)
    assert "epoch 1 of 3" in str(error.value)
    assert "--set training.learning_rate=1e+11" in str(error.value)
    (run,) = list_runs(tmp_path)
    assert not run.is_finished
    for path in run.path.glob("*.json"):
        finite_json(path)
    assert "The training diverged" in run.report.read_text(encoding="utf-8")
    assert len(run.history.read_text().splitlines()) == 1
    black = np.zeros((1, 10, 10, 1), np.uint8)
    assert np.isfinite(Predictor.load(run).predict(black)).all()


def test_fault_46_finite_weights_with_infinite_answers_count_as_diverged(tmp_path: Path) -> None:
    overrides = (*FEW, DEEP, "training.learning_rate=1e12")
    with pytest.raises(DivergedError, match="answers overflow"):
        run_experiment(tmp_path, *overrides)
    (run,) = list_runs(tmp_path)
    assert not run.is_finished
    assert len(run.history.read_text().splitlines()) == 2


def test_fault_46_loss_that_explodes_but_stays_finite_is_measured_and_judged(
    tmp_path: Path,
) -> None:
    run = run_experiment(tmp_path, *FEW, "training.learning_rate=1e6", "training.epochs=2")
    metrics = json.loads(run.metrics.read_bytes())
    assert metrics["training"]["last_epoch"]["loss"] > 1e6
    finite_json(run.metrics)


def test_fault_31_read_only_folder_is_told_before_training(
    open_folder: Path, as_nobody: InChild
) -> None:
    def attempt() -> str:
        listener = Listener()
        try:
            run_experiment(open_folder / "runs", reporter=listener)
        except FileSystemError as error:
            return f"{error} {listener.epochs}"
        return "trained"

    said = as_nobody(attempt)
    assert said.startswith(f"{open_folder / 'runs'}: cannot be written: Permission denied")
    assert said.endswith("[]")


def test_fault_31_folder_that_is_a_file_is_told_before_training(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    listener = Listener()
    with pytest.raises(FileSystemError):
        run_experiment(tmp_path / "runs", reporter=listener)
    assert not listener.epochs
