"""`sweep`, with one real sweep of two trials that all look at."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from _pytest.monkeypatch import MonkeyPatch

from apple_clf.config import load_experiment
from apple_clf.sweeping.folder import SweepFolder

from .conftest import Cli

pytestmark = pytest.mark.slow

SOURCE = """\
name: tiny
data: {source: noise, train_samples: 40, validation_samples: 20, test_samples: 20}
model: {units: [4]}
training: {epochs: 2}
sweep: {parameters: {training.learning_rate: [1e-3, 1e-1]}, workers: 1}
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "tiny.yaml"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def swept(config: Path, tmp_path_factory: pytest.TempPathFactory) -> SweepFolder:
    """A finished sweep, not to be changed but by going on with it."""
    import subprocess

    sweeps = tmp_path_factory.mktemp("sweeps")
    command = [sys.executable, "-m", "apple_clf", "sweep", str(config), "--sweeps", str(sweeps)]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert finished.returncode == 0, finished.stderr
    (sweeps / "out.txt").write_text(finished.stdout)
    (sweeps / "err.txt").write_text(finished.stderr)
    return SweepFolder(sweeps / "tiny-001")


def test_sweep_ends_with_the_leaderboard_and_the_next_command(swept: SweepFolder) -> None:
    out = (swept.path.parent / "out.txt").read_text()

    lines = out.splitlines()
    assert lines[0].split() == ["rank", "trial", "val_accuracy", "training.learning_rate", "run"]
    assert lines[1].split()[0] == "1"
    assert "this number flatters it" in out
    assert f"apple-clf train {swept.best}" in out


def test_narration_is_on_stderr_and_free_of_warnings(swept: SweepFolder) -> None:
    err = (swept.path.parent / "err.txt").read_text()

    assert "2 trials, compared by val_accuracy, 1 at a time." in err
    assert "Trial 0 of 2, training.learning_rate 0.001: val_accuracy" in err
    assert "WARNING" not in err
    assert "retracing" not in err


def test_the_folder_holds_all_of_it(swept: SweepFolder) -> None:
    assert swept.config.read_text() == SOURCE
    assert load_experiment(swept.best).training.epochs == 2
    assert swept.plot("leaderboard").exists()
    assert swept.plot("parallel_coordinates").exists()
    assert sorted(path.name for path in swept.runs.glob("tiny-*")) == ["tiny-001", "tiny-002"]


@pytest.mark.parametrize("format_", ["json", "jsonl", "csv", "text"])
def test_resuming_a_finished_sweep_tells_it_again(
    cli: Cli, swept: SweepFolder, format_: str
) -> None:
    outcome = cli("sweep", "--resume", swept.path, "--format", format_, "--quiet")

    assert (outcome.code, outcome.err) == (0, "")
    if format_ == "json":
        assert [record["rank"] for record in json.loads(outcome.out)] == [1, 2]
    elif format_ == "jsonl":
        first = json.loads(outcome.out.splitlines()[0])
        assert set(first["parameters"]) == {"training.learning_rate"}
    elif format_ == "csv":
        rows = list(csv.DictReader(io.StringIO(outcome.out)))
        assert {row["parameters.training.learning_rate"] for row in rows} == {"0.001", "0.1"}
        assert outcome.out == swept.leaderboard.read_text()
    else:
        assert outcome.out == (swept.path.parent / "out.txt").read_text()


def test_report_draws_what_a_trial_left_out(cli: Cli, swept: SweepFolder) -> None:
    run = swept.runs / "tiny-001"
    assert not list((run / "plots").iterdir())
    assert not (run / "report.html").exists()

    outcome = cli("report", run)

    assert (outcome.code, outcome.err) == (0, "")
    assert (run / "report.html").exists()
    drawn = {path.stem for path in (run / "plots").iterdir()}
    assert drawn == {"learning_curves", "confusion_matrix", "roc", "reliability", "mistakes"}


def test_train_takes_the_experiment_of_the_same_file(
    cli: Cli, config: Path, tmp_path: Path
) -> None:
    outcome = cli("train", config, "--runs", tmp_path, "--quiet")

    assert outcome.code == 0
    assert "sweep" not in (tmp_path / "tiny-001" / "resolved.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--set", "training.epochs=3"], "there is nothing to try"),
        (["--set", "training.learing_rate=1,2"], "Did you mean learning_rate?"),
        (["--set", "training.epochs=1,0"], "must be a whole number from 1"),
        (["--set", "training.epochs=1,2", "--sampler", "best"], "'best' is not one of"),
        (["--resume", "gone"], "gone: no such sweep"),
        (["--resume", "gone", "--seeds", "2"], "--resume goes on with what was asked"),
        (["--resume", "gone", "--set", "seed=1"], "--resume goes on with what was asked"),
        (["--set", "training.epochs=1,2", "--storage", "nonsense"], "no database can be opened"),
    ],
    ids=["nothing", "no key", "no value", "sampler", "gone", "seeds", "set", "storage"],
)
def test_what_cannot_be_is_told_before_anything_is_trained(
    cli: Cli, tmp_path: Path, arguments: list[str], told: str
) -> None:
    outcome = cli("sweep", *arguments, "--sweeps", tmp_path, "--quiet")

    assert outcome.code in {2, 4}
    assert told in outcome.err
    assert not list(tmp_path.iterdir())


def test_without_optuna_one_line_says_what_to_install(cli: Cli, monkeypatch: MonkeyPatch) -> None:
    from apple_clf.cli import sweeping

    monkeypatch.setattr(sweeping, "find_spec", lambda name: None)
    outcome = cli("sweep", "--set", "training.epochs=1,2")

    assert outcome.code == 2
    assert outcome.err == (
        "Error: sweeps need Optuna, which is not installed: pip install 'apple-clf[sweep]'\n"
    )


def test_check_knows_the_section(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("sweep:\n  parameters:\n    training.epochs: [3, 0]\n")

    outcome = cli("config", "check", path)

    assert outcome.code == 2
    assert f"{path}:3:26: training.epochs must be a whole number" in outcome.err
    shown = cli("config", "show", path).out
    assert "parameters: {training.epochs: [3, 0]}" in shown


def test_a_password_is_not_kept() -> None:
    from apple_clf.cli.sweeping import _without_password

    assert _without_password("mysql://me:secret@host/db") == "mysql://me:***@host/db"
    assert _without_password("sqlite:///a.db") == "sqlite:///a.db"
