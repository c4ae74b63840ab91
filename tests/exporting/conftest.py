"""A finished run on simulated pictures with a convolution, not to be changed; and copies of it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from apple_clf.config import parse_experiment
from apple_clf.pipeline.workflow import train
from apple_clf.runs import Run

EXPERIMENT = """\
name: tiny
data: {source: simulated, train_samples: 120, validation_samples: 60, test_samples: 60}
preprocessing: {image_size: [12, 12]}
model:
  layers:
    - {type: random_flip}
    - {type: conv2d, filters: 4, kernel_size: 3, padding: same, activation: relu}
    - {type: max_pooling2d}
    - {type: dense, units: 8, activation: relu}
training: {epochs: 4, learning_rate: 5e-3}
"""

Changed = Callable[..., Run]


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    experiment = parse_experiment(EXPERIMENT, filename="tiny")
    return train(experiment, source=b"", folder=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def changed(run: Run, tmp_path: Path) -> Changed:
    """Copies the run and replaces keys of one of its JSON files."""

    def change(name: str, **keys: object) -> Run:
        copy = Run(tmp_path / "changed-001")
        shutil.copytree(run.path, copy.path, dirs_exist_ok=True)
        path = copy.path / name
        path.write_text(json.dumps(json.loads(path.read_bytes()) | keys), encoding="utf-8")
        return copy

    return change
