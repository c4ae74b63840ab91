import ast
import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from apple_clf.runs import Run
from cli.conftest import Cli


def test_runs_lists_the_newest_last_and_what_became_of_each(
    cli: Cli, run: Run, tmp_path: Path
) -> None:
    for number, metrics in enumerate([None, "", "[1]", "{}", b"\xff"], start=2):
        (tmp_path / f"tiny-{number:03d}").mkdir()
        if metrics is not None:
            content = metrics if isinstance(metrics, bytes) else metrics.encode()
            Run(tmp_path / f"tiny-{number:03d}").metrics.write_bytes(content)
    shutil.copytree(run.path, tmp_path / "tiny-010")
    outcome = cli("runs", "--runs", tmp_path, "--format", "json")
    assert outcome.code == 0
    listed = {record["run"]: record["status"] for record in json.loads(outcome.out)}
    assert list(listed) == [*(f"tiny-{number:03d}" for number in range(2, 7)), "tiny-010"]
    assert list(listed.values()) == ["unfinished", *["damaged"] * 4, "finished"]
    text = cli("runs", "--runs", tmp_path).out.splitlines()
    assert [line.split()[1] for line in text[1:]] == list(listed.values())
    rows = list(csv.DictReader(io.StringIO(cli("runs", "--runs", tmp_path, "--format=csv").out)))
    assert [row["status"] for row in rows] == list(listed.values())


@pytest.mark.parametrize(("format_", "expected"), [("json", "[]\n"), ("jsonl", "")])
def test_no_runs_is_an_empty_list(cli: Cli, tmp_path: Path, format_: str, expected: str) -> None:
    outcome = cli("runs", "--runs", tmp_path, "--format", format_)
    assert (outcome.code, outcome.out) == (0, expected)


def test_no_runs_tells_the_next_step(cli: Cli, tmp_path: Path) -> None:
    assert "Train one: apple-clf train" in cli("runs", "--runs", tmp_path / "none").out


@pytest.fixture
def folder(run: Run, tmp_path: Path) -> Path:
    """Three finished runs of growing accuracy and learning rate, and one that is not finished."""
    for number in (1, 2, 3):
        copy = tmp_path / f"tiny-{number:03d}"
        copy.mkdir()
        metrics = json.loads(run.metrics.read_bytes())
        metrics["metrics"]["accuracy"]["value"] = number / 4
        metrics["metrics"]["roc_auc"]["value"] = 1 - number / 4
        Run(copy).metrics.write_text(json.dumps(metrics))
        text = run.resolved.read_text(encoding="utf-8")
        assert "learning_rate: 0.001" in text
        rate = "{type: cosine, initial: 0.5}" if number == 3 else f"0.{number:02d}"
        text = text.replace("learning_rate: 0.001", f"learning_rate: {rate}")
        Run(copy).resolved.write_text(text, encoding="utf-8")
    (tmp_path / "tiny-004").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param("--sort accuracy", [4, 1, 2, 3], id="rising"),
        pytest.param("--sort roc_auc", [4, 3, 2, 1], id="the_best_last"),
        pytest.param("--sort accuracy --reverse", [3, 2, 1, 4], id="falling"),
        pytest.param("--reverse", [4, 3, 2, 1], id="newest_first"),
        pytest.param("--sort training.learning_rate", [3, 4, 1, 2], id="key_of_the_experiment"),
        pytest.param("--sort status", [1, 2, 3, 4], id="words"),
        pytest.param("--where accuracy>0.3", [2, 3], id="column"),
        pytest.param("--where status=unfinished", [4], id="word"),
        pytest.param("--where accuracy>0.3 --where accuracy<0.7", [2], id="both"),
        pytest.param("--where training.learning_rate=1e-2", [1], id="number_written_otherwise"),
        pytest.param("--where training.optimizer.type=adam", [1, 2, 3], id="inner_key"),
        pytest.param("--where log_loss>0 --sort log_loss", [1, 2, 3], id="any_metric"),
        pytest.param("--where run!=tiny-002", [1, 3, 4], id="not"),
    ],
)
def test_runs_are_sorted_and_picked(
    cli: Cli, folder: Path, options: str, expected: list[int]
) -> None:
    outcome = cli("runs", "--runs", folder, "--format", "csv", *options.split())
    assert outcome.code == 0
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert [row["run"] for row in rows] == [f"tiny-{number:03d}" for number in expected]


def test_keys_that_were_asked_for_are_shown(cli: Cli, folder: Path) -> None:
    options = ("--runs", folder, "--sort", "training.learning_rate", "--where", "brier_score<1")
    text = cli("runs", *options).out.splitlines()
    assert text[0].endswith("roc auc  training.learning_rate  brier score")
    records = json.loads(cli("runs", *options, "--format", "json").out)
    assert [record["training.learning_rate"] for record in records] == [None, 0.01, 0.02]


def test_nothing_found_says_so(cli: Cli, folder: Path) -> None:
    outcome = cli("runs", "--runs", folder, "--where", "accuracy>2")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out == f"None of 4 runs in {folder} is like that.\n"


def test_sorting_and_picking_import_nothing_heavy(folder: Path) -> None:
    program = (
        "import atexit, sys; from apple_clf.cli import main\n"
        "atexit.register(lambda: print({name.partition('.')[0] for name in sys.modules}))\n"
        "main()"
    )
    options = [*("--runs", folder, "--sort", "training.learning_rate"), "--where", "epochs>0"]
    result = subprocess.run(
        [sys.executable, "-c", program, "runs", *map(str, options)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = ast.literal_eval(result.stdout.splitlines()[-1])
    assert "yaml" in loaded
    assert not loaded & {"tensorflow", "pandas", "matplotlib", "scipy", "pydantic", "numpy"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sort", "acuracy"], "Did you mean accuracy?"),
        (["--sort", "learning_rate"], "Did you mean training.learning_rate?"),
        (["--where", "training.optimiser.type=adam"], "Did you mean training.optimizer.type?"),
        (["--where", "accuracy"], "is not a comparison"),
        (["--where", "status<finished"], "only a number can be compared by <"),
    ],
)
def test_wrong_key_or_comparison_is_2_and_names_what_was_meant(
    cli: Cli, folder: Path, options: list[str], message: str
) -> None:
    outcome = cli("runs", "--runs", folder, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_without_runs_no_key_is_wrong(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("runs", "--runs", tmp_path, "--sort", "training.learning_rate")
    assert (outcome.code, outcome.err) == (0, "")
    assert "Train one" in outcome.out
