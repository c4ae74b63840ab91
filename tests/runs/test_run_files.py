"""Each file of a run: read back as it was written, or refused with its name and what to do."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from report.made_up import CLASSES, EPOCHS, FINDING, N_IMAGES, make_run

from apple_clf.errors import ArtifactError
from apple_clf.runs import Run
from apple_clf.runs.files import (
    UnreadableFileError,
    read_dataset,
    read_environment,
    read_findings,
    read_history,
    read_metrics,
    read_origin,
    read_predictions,
)

PACKAGE = Path(__file__).parents[2] / "apple_clf"

READERS: dict[str, Callable[[Run], object]] = {
    "metrics.json": read_metrics,
    "dataset.json": read_dataset,
    "findings.json": read_findings,
    "environment.json": read_environment,
    "history.csv": read_history,
    "predictions.csv": lambda run: read_predictions(run, CLASSES),
}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path / "a-001")


def test_json_files_are_read_as_they_are(run: Run) -> None:
    for read, path in (
        (read_metrics, run.metrics),
        (read_dataset, run.dataset),
        (read_environment, run.environment),
        (read_findings, run.findings),
    ):
        assert read(run) == json.loads(path.read_bytes())
    assert [each["name"] for each in read_findings(run)["findings"]] == [FINDING.name]


def test_a_history_is_a_list_for_each_column(run: Run) -> None:
    history = read_history(run)
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert history["loss"] == [0.7, 0.5, 0.4, 0.3]
    assert len(history["val_accuracy"]) == EPOCHS


def test_a_history_without_epochs_has_empty_columns(run: Run) -> None:
    run.history.write_text("epoch,loss\n")
    assert read_history(run) == {"loss": []}


def test_predictions_are_read_as_codes_and_probabilities(run: Run) -> None:
    found = read_predictions(run, CLASSES)
    assert len(found.files) == len(found.labels) == len(found.predicted) == N_IMAGES
    assert found.y_prob.shape == (N_IMAGES, len(CLASSES))
    np.testing.assert_allclose(found.y_prob.sum(axis=1), 1, atol=1e-6)
    metrics = read_metrics(run)["metrics"]
    assert (found.labels == found.predicted).mean() == pytest.approx(metrics["accuracy"]["value"])


def test_predictions_of_earlier_runs_are_never_unsure(run: Run) -> None:
    rows = run.predictions.read_text().splitlines()
    assert rows[0].endswith(",unsure")
    run.predictions.write_text("\n".join(row.rpartition(",")[0] for row in rows))
    found = read_predictions(run, CLASSES)
    assert not found.unsure.any()
    assert found.y_prob.shape == (N_IMAGES, len(CLASSES))


@pytest.mark.parametrize("name", READERS)
def test_a_missing_file_is_named_with_the_next_step(name: str, run: Run) -> None:
    (run.path / name).unlink()
    with pytest.raises(UnreadableFileError, match=r"it is missing\. Restore it") as caught:
        READERS[name](run)
    assert str(caught.value).startswith(f"{run.path / name}: cannot be read")
    assert caught.value.is_missing
    assert isinstance(caught.value, ArtifactError)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"[1, 2]", b"{", b"[" * 100_000, b"a,b\n1\n", b"epoch,loss\n1,much\n"],
    ids=["empty", "not UTF-8", "a list", "cut off", "deep", "a short row", "words"],
)
def test_a_damaged_file_is_refused(name: str, content: bytes, run: Run) -> None:
    (run.path / name).write_bytes(content)
    with pytest.raises(UnreadableFileError, match="it is damaged") as caught:
        READERS[name](run)
    assert not caught.value.is_missing


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("apple", "pear"),
        lambda text: re.sub(r"[\d.e-]+,(true|false)", r"much,\1", text, count=1),
        lambda text: text.splitlines()[0],
    ],
    ids=["other classes", "no number", "no rows"],
)
def test_predictions_that_do_not_fit_are_refused(change: Callable[[str], str], run: Run) -> None:
    run.predictions.write_text(change(run.predictions.read_text()))
    with pytest.raises(UnreadableFileError, match=r"predictions\.csv: .* it is damaged"):
        read_predictions(run, CLASSES)


@pytest.mark.parametrize(
    "content", ['{"findings": 3}', '{"findings": [3], "diverged": false}', "{}"]
)
def test_findings_of_another_form_are_refused(content: str, run: Run) -> None:
    run.findings.write_text(content)
    with pytest.raises(UnreadableFileError, match="it is damaged"):
        read_findings(run)


def test_an_origin_is_read_as_it_is(run: Run) -> None:
    run.imported.write_text('{"file": "model.keras"}')
    assert read_origin(run) == {"file": "model.keras"}


PARSERS = {
    "cluster/plan.py": "lists of files and manifests of a cluster",
    "data/decode_cache.py": "its own index",
    "data/fetching/fetched.py": "its own manifest",
    "data/fetching/quickdraw.py": "drawings as they are published",
    "data/fetching/transfer.py": "its own notes on a download",
    "exporting/keras_archive.py": "a .keras file that it writes",
    "model/files.py": "a .keras file that it writes",
    "model/keras_file/archive.py": "a .keras file",
    "model/keras_file/network.py": "a .keras file",
    "pipeline/importing.py": "what it has just written as JSON, as a reader will see it",
    "pipeline/workflow.py": "what it has just written as JSON, as a reader will see it",
    "sweeping/folder.py": "the record of a sweep",
}
"""Modules outside of runs/ that parse JSON or CSV, and what."""


def test_no_other_module_parses_the_files_of_a_run() -> None:
    parsing = re.compile(r"json\.loads?\(|csv\.(reader|DictReader)\(")
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if parsing.search(path.read_text(encoding="utf-8"))
    }
    assert {name for name in found if not name.startswith("runs/")} == set(PARSERS)
