"""What is tracked, and that a training does not depend on it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

from apple_clf import tracking
from apple_clf.config import load_experiment, parse_experiment
from apple_clf.config.differences import values
from apple_clf.errors import DivergedError, MissingExtraError
from apple_clf.io.interruption import InterruptedTrainingError
from apple_clf.io.progress import Silent
from apple_clf.pipeline import workflow
from apple_clf.pipeline.verification import verify
from apple_clf.runs import Run, list_runs

from .conftest import EPOCHS, EXPERIMENT, Train, columns
from .readers import Board, Curve, mlflow_artefacts, mlflow_curve, mlflow_runs

pytestmark = pytest.mark.slow

ALL_EPOCHS = list(range(1, EPOCHS + 1))
TENSORBOARD = "tracking.tensorboard={folder: board}"


def to_mlflow(database: str, experiment: str) -> str:
    return f"tracking.mlflow={{uri: '{database}', experiment: {experiment}}}"


def board_of(run: Run) -> Board:
    (folder,) = (run.path.parents[1] / "board").glob(f"{run.name}-*")
    return Board(folder)


def final(run: Run) -> dict[str, float]:
    content = json.loads(run.metrics.read_bytes())
    return {
        f"test_{name}": estimate["value"]
        for name, estimate in content["metrics"].items()
        if estimate["value"] is not None
    }


def single(curve: Curve) -> Curve:
    """The curve in single precision, which is that of event files."""
    return [(step, float(np.float32(value))) for step, value in curve]


def artefacts(run: Run) -> list[bytes]:
    files = (run.history, run.statistics, run.keras_model, run.litert_model, run.metrics)
    return [path.read_bytes() for path in files]


def test_mlflow_reads_all_of_a_run(train: Train, database: str) -> None:
    run = train(to_mlflow(database, "all"), "training.learning_rate=1e-9")
    (found,) = mlflow_runs(database, "all")

    assert (found.info.run_name, found.info.status) == (run.name, "FINISHED")
    expected = values(load_experiment(run.resolved))
    assert found.data.params == {key: str(value) for key, value in expected.items()}
    assert found.data.params["model.layers.0.units"] == "8"
    for name, curve in columns(run).items():
        assert mlflow_curve(database, found, name) == list(zip(ALL_EPOCHS, curve, strict=True))
    measured = {name: found.data.metrics[name] for name in final(run)}
    assert measured == final(run)
    assert found.data.tags["run_path"] == str(run.path)
    findings = json.loads(run.findings.read_bytes())["findings"]
    assert findings
    for finding in findings:
        tag = found.data.tags[f"finding.{finding['name']}"]
        assert tag == f"{finding['severity']}: {finding['meaning']}"
    pictures = sorted(path.name for path in run.plots.iterdir())
    assert mlflow_artefacts(database, found) == sorted([*pictures, "report.html"])


def test_tensorboard_reads_all_of_a_run(train: Train) -> None:
    run = train(TENSORBOARD, "training.learning_rate=1e-9")
    board = board_of(run)

    expected = {name: list(zip(ALL_EPOCHS, c, strict=True)) for name, c in columns(run).items()}
    expected |= {name: [(EPOCHS, value)] for name, value in final(run).items()}
    assert board.curves == {name: single(curve) for name, curve in expected.items()}
    (text,) = board.texts["experiment"]
    assert "| model.layers.0.units | 8 |" in text
    assert str(run.path) in text
    for finding in json.loads(run.findings.read_bytes())["findings"]:
        (text,) = board.texts[f"finding/{finding['name']}"]
        assert finding["meaning"] in text


def test_training_comes_to_the_same_bytes_where_it_is_tracked(train: Train, database: str) -> None:
    tracked = train(to_mlflow(database, "bytes"), TENSORBOARD)
    assert tracked.tracking.exists()
    untracked = train()
    assert not untracked.tracking.exists()
    assert artefacts(tracked) == artefacts(untracked)


def begin(folder: Path, override: str) -> Run:
    """Tracks a run that does nothing, as no place needs a network."""
    run = Run(folder / "runs" / "tiny-001")
    run.path.mkdir(parents=True)
    experiment = parse_experiment(EXPERIMENT, filename="e.yaml", overrides=[override])
    with tracking.tracked(run, experiment, Silent()) as tracker:
        tracker.epoch(1, EPOCHS, {"loss": 0.5})
    return run


def test_runs_of_one_name_have_a_folder_each(tmp_path: Path) -> None:
    override = f"tracking.tensorboard={{folder: '{tmp_path / 'board'}'}}"
    for place in ("here", "there"):
        begin(tmp_path / place, override)
    folders = list((tmp_path / "board").iterdir())
    assert len(folders) == 2
    for folder in folders:
        assert Board(folder).curves == {"loss": [(1, 0.5)]}


KILLED = """\
import os, signal, sys
from pathlib import Path
from apple_clf.tracking import tracker
from apple_clf.pipeline import workflow
from apple_clf.config import parse_experiment
from apple_clf.io.progress import Silent

tracker.SECONDS_BETWEEN = float(sys.argv[2])

class Killing(Silent):
    def epoch(self, epoch, epochs, logs):
        if epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)

text = sys.stdin.read()
workflow.train(
    parse_experiment(text, filename="e.yaml", overrides=sys.argv[3:]), source=text.encode(),
    folder=Path("runs"), reporter=Killing(),
    manner=workflow.Manner(checkpoint_seconds=float(sys.argv[1])),
)
"""


@pytest.mark.parametrize(
    ("checkpoints", "writes", "known"),
    [("0", "0", [1, 2]), ("1000", "0", [1, 2]), ("0", "1000", [])],
    ids=["both up to date", "no checkpoint", "nothing written"],
)
def test_killed_run_goes_on_without_doubled_points(
    checkpoints: str,
    writes: str,
    known: list[int],
    tmp_path: Path,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    name = f"killed-{checkpoints}-{writes}"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, checkpoints, writes, to_mlflow(database, name), TENSORBOARD],
        input=EXPERIMENT.encode(),
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    (before,) = mlflow_runs(database, name)
    assert before.info.status == "RUNNING"
    assert [step for step, _ in mlflow_curve(database, before, "loss")] == known
    (run,) = list_runs(Path("runs").absolute())
    (events,) = Path("board").glob("*/*")
    with events.open("ab") as file:  # a record that was not written to its end
        file.write(b"\x18\x00\x00\x00\x00")

    workflow.resume(run)

    (after,) = mlflow_runs(database, name)
    assert (after.info.run_id, after.info.status) == (before.info.run_id, "FINISHED")
    board = board_of(run)
    for metric, curve in columns(run).items():
        expected = list(zip(ALL_EPOCHS, curve, strict=True))
        assert mlflow_curve(database, after, metric) == expected
        assert board.curves[metric] == single(expected)
    assert {len(texts) for texts in board.texts.values()} == {1}
    assert {len(board.curves[metric]) for metric in final(run)} == {1}
    assert {len(mlflow_curve(database, after, metric)) for metric in final(run)} == {1}


class AtEpoch(Silent):
    """A reporter that does something after the second epoch."""

    def __init__(self, action: object) -> None:
        self.action = action

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        if epoch == 2:
            assert callable(self.action)
            self.action()


def test_interrupted_run_is_killed_and_then_finished(train: Train, database: str) -> None:
    overrides = [to_mlflow(database, "interrupted"), "training.epochs=20"]
    reporter = AtEpoch(lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(InterruptedTrainingError):
        train(*overrides, reporter=reporter)
    (found,) = mlflow_runs(database, "interrupted")
    assert found.info.status == "KILLED"
    (run,) = list_runs(Path("runs").absolute())
    done = len(mlflow_curve(database, found, "loss"))
    assert 2 <= done < 20

    workflow.resume(run)

    (found,) = mlflow_runs(database, "interrupted")
    assert found.info.status == "FINISHED"
    assert [step for step, _ in mlflow_curve(database, found, "loss")] == list(range(1, 21))


def test_diverged_run_is_failed_and_says_why(train: Train, database: str) -> None:
    with pytest.raises(DivergedError):
        train(
            to_mlflow(database, "diverged"),
            "model.layers=[{type: dense, units: 8}, {type: dense, units: 8}]",
            "training.optimizer={type: sgd}",
            "training.learning_rate=1e12",
        )
    (found,) = mlflow_runs(database, "diverged")
    assert found.info.status == "FAILED"
    assert any(tag.startswith("finding.") for tag in found.data.tags)


@pytest.mark.parametrize(
    ("override", "name"),
    [
        (to_mlflow("sqlite:///file/mlflow.db", "x"), "MLflow"),
        (to_mlflow("http://127.0.0.1:9", "x"), "MLflow"),
        ("tracking.tensorboard={folder: file}", "TensorBoard"),
    ],
    ids=["no folder for a database", "no server", "no folder for event files"],
)
def test_place_that_cannot_be_reached_costs_one_warning(
    override: str,
    name: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    run = begin(tmp_path, override)
    (told,) = [record.message for record in caplog.records if "tracked" in record.message]
    assert told.startswith(f"{run.path}: not tracked in {name} any more: ")


def test_place_that_breaks_on_the_way_costs_one_warning(
    train: Train, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    mine = Path("broken.db")
    mine.write_bytes(Path(database.removeprefix("sqlite:///")).read_bytes())
    run = train(
        to_mlflow(f"sqlite:///{mine.absolute()}", "broken"),
        TENSORBOARD,
        reporter=AtEpoch(lambda: mine.write_bytes(b"no database" * 1000)),
    )
    assert run.is_finished
    (told,) = [record.message for record in caplog.records if "tracked" in record.message]
    assert "not tracked in MLflow any more" in told
    assert [step for step, _ in board_of(run).curves["loss"]] == ALL_EPOCHS


@pytest.mark.parametrize("package", tracking.MLFLOW_PACKAGES)
def test_missing_package_is_told_before_a_run_is_made(
    package: str, train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'apple-clf\[tracking\]'"):
        train("tracking.mlflow={}")
    assert not Path("runs").exists()


def test_verify_neither_tracks_nor_cares_where_a_run_is_tracked(train: Train) -> None:
    run = train(TENSORBOARD)
    moved = run.resolved.read_text().replace("folder: board", "folder: another")
    assert "another" in moved
    run.resolved.write_text(moved)
    outcome = verify(run)
    assert (outcome.identical, outcome.inputs) == (True, ())
    assert len(list(Path("board").iterdir())) == 1
    assert not Path("another").exists()


def test_resumed_run_may_be_tracked_elsewhere(train: Train) -> None:
    with pytest.raises(InterruptedTrainingError):
        train(TENSORBOARD, reporter=AtEpoch(lambda: os.kill(os.getpid(), signal.SIGTERM)))
    (run,) = list_runs(Path("runs").absolute())
    content = yaml.safe_load(run.resolved.read_text())
    content["tracking"] = {"tensorboard": {"folder": "moved"}}
    run.resolved.write_text(yaml.safe_dump(content))

    workflow.resume(run)

    (folder,) = Path("moved").iterdir()
    assert [step for step, _ in Board(folder).curves["loss"]] == ALL_EPOCHS


def test_mlflow_is_kept_from_telling_its_makers() -> None:
    code = """\
import apple_clf.tracking.mlflow_run
from mlflow.telemetry import get_telemetry_client
from mlflow.telemetry.utils import is_telemetry_disabled
print(is_telemetry_disabled(), get_telemetry_client())
"""
    # Variables of a test or of continuous integration would switch it off, too.
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    result = subprocess.run(
        [sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["True", "None"]


def test_untracked_training_imports_no_tracker() -> None:
    code = """\
import sys, apple_clf.pipeline.workflow
print([name for name in ("mlflow", "sqlalchemy", "tensorboard") if name in sys.modules])
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
