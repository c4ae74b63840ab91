"""A run that knows drawn apples, and a server of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra [serve] is not installed")

from apple_clf.config import parse_experiment
from apple_clf.pipeline.workflow import train
from apple_clf.runs import Run
from web.serving import Server, serving

EXPERIMENT = "name: apples\ntraining: {epochs: 8}\n"


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The embedded experiment, shorter; not to be changed."""
    folder = tmp_path_factory.mktemp("runs")
    experiment = parse_experiment(EXPERIMENT, filename="apples")
    return train(experiment, source=EXPERIMENT.encode(), folder=folder)


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("collected") / "drawings"


@pytest.fixture(scope="module")
def server(run: Run, collected: Path) -> Iterator[Server]:
    """A server that collects."""
    with serving(run.path, options=["--collect", collected]) as started:
        yield started


@pytest.fixture(scope="session")
def apple() -> Path:
    return Path(__file__).parents[2] / "data" / "apple.png"
