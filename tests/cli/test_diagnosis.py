import csv
import io
import json
import re
import shlex
import shutil
from pathlib import Path

import pytest

from apple_clf.config import load_experiment
from apple_clf.runs import Run
from cli.conftest import Cli

pytestmark = pytest.mark.slow

NOISE = """\
name: noise
data: {source: noise, train_samples: 30, test_samples: 300}
preprocessing: {image_size: [6, 6]}
training: {epochs: 60}
"""


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    path = tmp_path / "noise.yaml"
    path.write_text(NOISE)
    return path


def test_train_tells_of_random_labels_once_with_a_command_that_can_be_pasted(
    cli: Cli, noise: Path, tmp_path: Path
) -> None:
    out = cli("train", noise, "--runs", tmp_path, "-q").out
    assert len(re.findall("random labels", out.partition("Problem: ")[2].splitlines()[0])) == 1
    assert "In short" not in out
    assert "The model is" not in out
    (command,) = re.findall(r"^  Try: (.*)$", out, re.MULTILINE)
    program, verb, path, option, edit = shlex.split(command)
    assert (program, verb, option) == ("apple-clf", "train", "--set")
    assert load_experiment(Path(path), [edit]).data.source == "simulated"
    (section,) = re.findall(r"^Problem: .*?(?=^Run: )", out, re.MULTILINE | re.DOTALL)
    assert cli("diagnose", "--runs", tmp_path).out.endswith(section)


def test_formats_of_diagnose_hold_the_same_findings(cli: Cli, noise: Path, tmp_path: Path) -> None:
    content = json.loads(cli("train", noise, "--runs", tmp_path, "-q", "--format", "json").out)
    (finding,) = content["findings"]
    assert finding["name"] == "random_labels"
    assert json.loads(cli("diagnose", "--runs", tmp_path, "--format", "json").out) == [finding]
    (row,) = csv.DictReader(io.StringIO(cli("diagnose", "--runs", tmp_path, "--format", "csv").out))
    assert (row["name"], row["edit"]) == ("random_labels", "data.source=simulated")
    assert row["evidence"].startswith("balanced accuracy on training images ")


def test_healthy_run_has_nothing_found(cli: Cli, run: Run, tmp_path: Path) -> None:
    copy = Run(shutil.copytree(run.path, tmp_path / "healthy-001"))
    metrics = json.loads(copy.metrics.read_bytes())
    metrics["training"]["metrics"] = {"accuracy": 0.95, "balanced_accuracy": 0.95}
    for name, value in (("balanced_accuracy", 0.93), ("expected_calibration_error", 0.02)):
        metrics["metrics"][name] |= {"value": value, "low": value - 0.02, "high": value + 0.02}
    metrics["confusion_matrix"]["counts"] = [[2, 0], [0, 2]]
    copy.metrics.write_text(json.dumps(metrics))
    outcome = cli("diagnose", copy.path)
    assert outcome.out.startswith(f"{copy.path}: nothing found.")
    assert outcome.code == 0
    assert cli("diagnose", copy.path, "--format", "json").out == "[]\n"


def test_unfinished_run_is_4_with_the_next_step(cli: Cli, run: Run, tmp_path: Path) -> None:
    copy = Run(shutil.copytree(run.path, tmp_path / "stopped-001"))
    copy.metrics.unlink()
    outcome = cli("diagnose", copy.path)
    assert (outcome.code, outcome.out) == (4, "")
    assert f"apple-clf resume {copy.path}" in outcome.err


def test_run_of_an_earlier_version_without_findings_is_told_as_before(
    cli: Cli, run: Run, tmp_path: Path
) -> None:
    copy = Run(shutil.copytree(run.path, tmp_path / "earlier-001"))
    copy.findings.unlink()
    out = cli("resume", copy.path, "-q").out
    assert re.search(r"^The model is ", out, re.MULTILINE)
