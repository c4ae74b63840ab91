"""Fixtures of the command line's tests: a finished run, and ways to call `apple-clf`."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import write_image

from apple_clf.cli import main
from apple_clf.config import parse_experiment
from apple_clf.pipeline.workflow import train
from apple_clf.runs import Run

PROGRAM = [sys.executable, "-m", "apple_clf"]
CLASSES = ("=pear", "äpfel")
EXPERIMENT = """\
name: tiny
data: {{source: folder, path: '{path}', positive_class: äpfel}}
preprocessing: {{image_size: [8, 8], resize: stretch}}
training: {{epochs: 2}}
"""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]
Shell = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each class with twelve pictures in it."""
    folder = tmp_path_factory.mktemp("pictures")
    for seed in range(24):
        write_image(folder / CLASSES[seed % 2] / f"{seed:02d}.png", seed)
    return folder


@pytest.fixture(scope="session")
def experiment(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("experiment") / "tiny.yaml"
    path.write_text(EXPERIMENT.format(path=pictures), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def run(experiment: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run, not to be changed."""
    text = experiment.read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("runs")
    return train(parse_experiment(text, filename="tiny"), source=text.encode(), folder=folder)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Cli:
    """Calls the command line in this process."""

    def call(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["apple-clf", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return Outcome(ended.value.code, *capfd.readouterr())

    return call


@pytest.fixture
def shell() -> Shell:
    """Runs a shell command in which "$@" is the command line with the arguments given."""

    def call(
        command: str, *arguments: str | Path, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command, "bash", *PROGRAM, *arguments],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    return call
