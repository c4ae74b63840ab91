import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apple_clf.config import parse_experiment
from apple_clf.diagnosis import diagnose, read_record
from apple_clf.errors import ArtifactError, DivergedError
from apple_clf.pipeline.workflow import train
from apple_clf.runs import Run, list_runs
from diagnosis.records import make_record, make_statistics

pytestmark = pytest.mark.slow

TINY = """\
name: tiny
data: {source: noise, train_samples: 30, test_samples: 300}
preprocessing: {image_size: [6, 6]}
training: {epochs: 60}
"""


def trained(folder: Path, *overrides: str) -> Run:
    experiment = parse_experiment(TINY, filename="tiny", overrides=overrides)
    return train(experiment, source=TINY.encode(), folder=folder)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run of random labels, not to be changed."""
    return trained(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(noise: Run, tmp_path: Path) -> Run:
    """A copy to meddle with."""
    return Run(shutil.copytree(noise.path, tmp_path / "tiny-001"))


def test_random_labels_are_found_once_and_written_beside_the_metrics(noise: Run) -> None:
    findings = diagnose(read_record(noise))
    assert [finding.name for finding in findings] == ["random_labels"]
    content = json.loads(noise.findings.read_bytes())
    assert content == {"diverged": False, "findings": [each.as_dict() for each in findings]}


def test_training_on_photos_in_colour_finds_its_network_for_drawings(tmp_path: Path) -> None:
    coarse = np.random.default_rng(0).integers(256, size=(60, 5, 5, 3), dtype=np.uint8)
    photos = coarse.repeat(4, axis=1).repeat(4, axis=2)
    np.savez(tmp_path / "photos.npz", x=photos, y=np.arange(60) % 2)
    data = f"data={{source: npz, path: '{tmp_path / 'photos.npz'}'}}"
    run = trained(tmp_path / "runs", data, "training.epochs=2")
    findings = diagnose(read_record(run))
    assert [finding.name for finding in findings] == ["network_for_drawings"]
    content = json.loads(run.findings.read_bytes())
    assert content["findings"] == [finding.as_dict() for finding in findings]


def test_learning_rate_too_high_is_found_in_a_diverged_run_and_its_cure_cures(
    tmp_path: Path,
) -> None:
    fault = ("training.optimizer=sgd", "training.learning_rate=1e12")
    with pytest.raises(DivergedError):
        trained(tmp_path, *fault)
    (run,) = list_runs(tmp_path)
    record = read_record(run)
    assert record.diverged
    (finding,) = diagnose(record)
    assert finding.name == "learning_rate_too_high"
    cured = trained(tmp_path, *fault, *finding.edit)
    assert "learning_rate_too_high" not in [each.name for each in diagnose(read_record(cured))]


def test_unfinished_run_is_refused_with_the_command_to_go_on(run: Run) -> None:
    run.metrics.unlink()
    with pytest.raises(ArtifactError, match=r"is not over\. Go on with it: apple-clf resume"):
        read_record(run)


def remove_history(run: Run) -> None:
    run.history.unlink()


def cut_statistics(run: Run) -> None:
    run.statistics.write_text(run.statistics.read_text()[:300])


def empty_metrics(run: Run) -> None:
    run.metrics.write_text("")


def words_in_history(run: Run) -> None:
    run.history.write_text("epoch,loss\n1,low\n")


@pytest.mark.parametrize(
    "damage", [remove_history, cut_statistics, empty_metrics, words_in_history]
)
def test_damaged_run_is_refused(run: Run, damage: Callable[[Run], None]) -> None:
    damage(run)
    with pytest.raises(ArtifactError, match=r"cannot be (diagnosed|read)"):
        read_record(run)


def test_imported_run_is_refused(run: Run) -> None:
    metrics = json.loads(run.metrics.read_bytes())
    run.metrics.write_text(json.dumps({**metrics, "training": None}))
    with pytest.raises(ArtifactError, match="trained elsewhere"):
        read_record(run)


def test_stride_is_the_way_of_the_first_epoch_over_the_root_of_its_steps() -> None:
    statistics = make_statistics(weight_norm=[0.0, 4.0, 8.0], update_norm=[1.0, 2.0, 2.0])
    record = make_record(statistics=statistics)
    assert record.steps_per_epoch == 25
    assert record.stride == pytest.approx(2 / 4 / 5)  # not of the layer that started from zero


def test_total_gradient_is_that_of_all_layers_together() -> None:
    statistics = make_statistics(gradient_norm=[3.0, np.nan, 4.0])
    np.testing.assert_allclose(make_record(statistics=statistics).total_gradients, 5)
