"""One database for all tests, since MLflow takes seconds to make one."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from apple_clf.config import parse_experiment
from apple_clf.io.progress import Reporter
from apple_clf.pipeline import workflow
from apple_clf.runs import Run
from apple_clf.tracking import tracker

EPOCHS = 4

EXPERIMENT = f"""\
name: tiny
data: {{source: simulated, train_samples: 45, validation_samples: 20, test_samples: 24}}
preprocessing: {{image_size: [10, 10]}}
model: {{units: [8]}}
training: {{epochs: {EPOCHS}, batch_size: 16}}
"""

Train = Callable[..., Run]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """Trains in a folder of its own, where relative paths of trackers lead."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tracker, "SECONDS_BETWEEN", 0.0)

    def train(*overrides: str, reporter: Reporter | None = None) -> Run:
        experiment = parse_experiment(EXPERIMENT, filename="e.yaml", overrides=overrides)
        return workflow.train(
            experiment,
            source=EXPERIMENT.encode(),
            folder=tmp_path / "runs",
            reporter=reporter,
            manner=workflow.Manner(checkpoint_seconds=0),
        )

    return train


def columns(run: Run) -> Mapping[str, list[float]]:
    """What history.csv holds."""
    header, *rows = [line.split(",") for line in run.history.read_text().splitlines()]
    return {
        name: [float(row[place]) for row in rows]
        for place, name in enumerate(header)
        if name != "epoch"
    }
