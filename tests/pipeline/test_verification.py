import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import write_image

from apple_clf.config import parse_experiment
from apple_clf.errors import ArtifactError
from apple_clf.pipeline.verification import verify
from apple_clf.pipeline.workflow import train
from apple_clf.runs import Run

pytestmark = pytest.mark.slow

TEXT = """\
name: tiny
data: {{source: folder, path: '{path}'}}
preprocessing: {{image_size: [8, 8], resize: stretch}}
model: {{layers: [{{type: dense, units: 4}}, {{type: dropout, rate: 0.5}}]}}
training: {{epochs: 2}}
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Path]:
    """A finished run and its pictures, not to be changed."""
    pictures = tmp_path_factory.mktemp("pictures")
    for seed in range(24):
        write_image(pictures / "ab"[seed % 2] / f"{seed:02d}.png", seed)
    text = TEXT.format(path=pictures)
    folder = tmp_path_factory.mktemp("runs")
    experiment = parse_experiment(text, filename="tiny")
    return train(experiment, source=text.encode(), folder=folder), pictures


@pytest.fixture
def run(original: tuple[Run, Path], tmp_path: Path) -> Run:
    """A copy to meddle with."""
    return Run(shutil.copytree(original[0].path, tmp_path / "tiny-001"))


def test_fresh_run_is_identical(run: Run) -> None:
    outcome = verify(run)
    assert outcome.as_dict() == {
        "run": str(run.path),
        "identical": True,
        "inputs": (),
        "artefacts": (),
    }


def edit_key(run: Run) -> None:
    text = run.resolved.read_text()
    assert "epochs: 2" in text
    run.resolved.write_text(text.replace("epochs: 2", "epochs: 3"))


def edit_version(run: Run) -> None:
    content = json.loads(run.environment.read_bytes())
    content["packages"]["numpy"] = "1.0"
    run.environment.write_text(json.dumps(content))


def flip_byte(run: Run) -> None:
    content = bytearray(run.litert_model.read_bytes())
    content[len(content) // 2] ^= 1
    run.litert_model.write_bytes(content)


def lower_preprocessing_version(run: Run) -> None:
    content = json.loads(run.model_record.read_bytes())
    run.model_record.write_text(json.dumps({**content, "preprocessing_version": 1}))


@pytest.mark.parametrize(
    ("meddle", "reason", "artefact"),
    [
        (edit_key, "experiment: training.epochs was 2 and is now 3", "history.csv"),
        (edit_version, "numpy was 1.0 and is now ", None),
        (lower_preprocessing_version, "preprocessing_version was 1 and is now 2", None),
        (flip_byte, None, "model.tflite"),
    ],
    ids=["config_key", "version", "preprocessing_version", "flipped_byte"],
)
def test_what_was_changed_is_named(
    run: Run, meddle: Callable[[Run], None], reason: str | None, artefact: str | None
) -> None:
    meddle(run)
    outcome = verify(run)
    assert outcome.identical == (artefact is None)
    assert outcome.artefacts[:1] == ((artefact,) if artefact else ())
    assert len(outcome.inputs) == (reason is not None)
    assert "".join(outcome.inputs).startswith(reason or "")


def test_changed_image_is_named(run: Run, original: tuple[Run, Path], tmp_path: Path) -> None:
    picture = next(original[1].rglob("*.png"))
    before = picture.read_bytes()
    write_image(picture, 99)
    try:
        outcome = verify(run)
    finally:
        picture.write_bytes(before)
    assert not outcome.identical
    assert len(outcome.inputs) == 1
    assert outcome.inputs[0].startswith("data: as many images, but other pixels or labels")


def test_unfinished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="is not finished"):
        verify(Run(tmp_path))
