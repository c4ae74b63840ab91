"""Somebody else's .keras file + labelled pictures -> a finished run, which then acts as any other.

The file is checked as `keras_file` says, its network is given this project's input and output,
and the pictures settle what a training would have: when to be unsure, and how good the answers
are. What only a training knows is left out of the run: no experiment, no history.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from apple_clf.config.schema import DecisionConfig, Experiment, FolderData
from apple_clf.data import Dataset, load_dataset
from apple_clf.data.folders import list_labelled_files
from apple_clf.images.preprocessing import Polarity, Preprocessing, Resize
from apple_clf.io.files import json_text, portable, write_whole
from apple_clf.io.progress import Reporter, Silent
from apple_clf.model.keras_file.loading import load_keras_bytes, naming, read_keras_file
from apple_clf.pipeline.saving import save_evaluation, save_model
from apple_clf.report import write_report
from apple_clf.runs import Run, create_run, locked
from apple_clf.runs.environment import inputs

if TYPE_CHECKING:
    from apple_clf.model.adapting import Adapted

_DECISION = DecisionConfig(calibration=None)
"""Its probabilities stay as they are: it may have learnt the pictures that would correct them."""


def import_model(
    file: Path,
    *,
    data: FolderData,
    folder: Path,
    name: str,
    resize: Resize = "stretch",
    polarity: Polarity = "as_is",
    scaling: tuple[float, float] | None = None,
    reporter: Reporter | None = None,
) -> Run:
    """The finished run of a model that was trained elsewhere.

    Args:
        file: a .keras file from anywhere.
        data: labelled pictures; the model's outputs are the classes in the order of their names.
        folder: where runs live.
        name: of the run, without its number.
        resize: how the model's pictures came to size; by default, as polarity, as Keras does.
        polarity: what its pictures held.
        scaling: factor and offset of their pixels; found out, or guessed and said, if left out.
        reporter: told how it goes.

    Raises:
        ArtifactError: the file holds what is not opened, or no classifier of these classes.
        DataError: the pictures cannot be used.
        FileSystemError: the folder cannot be written.
    """
    reporter = reporter or Silent()
    started = time.monotonic()
    content = read_keras_file(file)
    adapted = _adapted(file, content, Path(data.path), scaling)
    for note in adapted.notes:
        reporter.stage(f"{note}.")
    contract = _contract(adapted.input_shape, resize, polarity)
    seed = Experiment().seed
    dataset = load_dataset(data, contract, seed=seed, on_progress=reporter.decoding)
    run = create_run(folder, name)
    with locked(run), naming(file):
        write_whole(run.imported, json_text(_origin(file, content, data, adapted)))
        _finish(run, adapted, dataset, reporter, started)
    return run


def _adapted(
    file: Path, content: bytes, data: Path, scaling: tuple[float, float] | None
) -> "Adapted":
    n_classes = len(list_labelled_files(data).class_names)
    with naming(file):
        model = load_keras_bytes(content)
        from apple_clf.model.adapting import Scaling, adapt

        return adapt(model, n_classes=n_classes, scaling=scaling and Scaling(*scaling))


def _contract(shape: tuple[int, int, int], resize: Resize, polarity: Polarity) -> Preprocessing:
    height, width, channels = shape
    return Preprocessing(
        image_size=(height, width),
        color_mode="grayscale" if channels == 1 else "rgb",
        resize=resize,
        polarity=polarity,
    )


def _finish(
    run: Run,
    adapted: "Adapted",
    dataset: Dataset,
    reporter: Reporter,
    started: float,
) -> None:
    """Writes all but where the model is from."""
    write_whole(run.dataset, json_text(dataset.as_dict()))
    predictor, decision = save_model(run, adapted.model, dataset, dataset.preprocessing, _DECISION)
    for note in decision.notes:
        reporter.stage(note)
    reporter.stage("Evaluating and drawing.")
    summary = save_evaluation(run, predictor, dataset, None, decision)
    seconds = {"all": round(time.monotonic() - started, 3)}
    write_whole(run.environment, json_text({**inputs(), "duration_seconds": seconds}))
    metrics = json_text(summary)
    write_report(run, metrics=json.loads(metrics))
    write_whole(run.metrics, metrics)


def _origin(
    file: Path, content: bytes, data: FolderData, adapted: "Adapted"
) -> Mapping[str, object]:
    """The content of imported.json."""
    return {
        "file": portable(file),
        "sha256": hashlib.sha256(content).hexdigest(),
        "data": portable(data.path),
        "scaling": asdict(adapted.scaling),
        "notes": adapted.notes,
    }
