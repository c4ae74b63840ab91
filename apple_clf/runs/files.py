"""What the files of a run say: each is parsed here and nowhere else.

`statistics.csv`, `weights.npz`, `gallery.npz`, `model.json` and checkpoints have their own modules
in this package; `config.yaml` and `resolved.yaml` are read by `config`.
"""

import csv
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict, TypeVar

from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.runs.folder import Run

if TYPE_CHECKING:
    from apple_clf.arrays import BoolArray, FloatArray, IntArray

T = TypeVar("T")


class UnreadableFileError(ArtifactError):
    """A file of a run is missing or damaged.

    Attributes:
        path: the file.
        reason: what is wrong with it, in a few words.
        is_missing: whether there is no such file.
    """

    def __init__(self, path: Path, reason: str, *, is_missing: bool) -> None:
        """An error that says which file it is and what can be done."""
        super().__init__(
            f"{printable(path)}: cannot be read: {reason}. "
            "Restore it from a copy of the run, or train the run again."
        )
        self.path, self.reason, self.is_missing = path, reason, is_missing


class ConfusionMatrix(TypedDict):
    """Counts by true class (row) and predicted class (column)."""

    class_names: list[str]
    counts: list[list[int]]


class Metrics(TypedDict):
    """metrics.json of a finished run."""

    split: str  # the images that the model was evaluated on
    n_images: int
    positive_class: str
    metrics: dict[str, dict[str, Any]]  # by name: value, low, high, method, reason
    confusion_matrix: ConfusionMatrix
    verdict: str
    training: dict[str, Any] | None  # None: trained elsewhere
    data: dict[str, Any]
    decision: NotRequired[dict[str, Any]]  # runs of an earlier version have none
    memorisation: NotRequired[Any]


class DatasetRecord(TypedDict):
    """dataset.json."""

    source: str
    class_names: list[str]
    fingerprint: str  # SHA-256 over pixels and labels
    images: dict[str, dict[str, int]]  # by split and class
    appearance: NotRequired[dict[str, Any] | None]


class Findings(TypedDict):
    """findings.json."""

    diverged: bool
    findings: list[dict[str, Any]]


@dataclass(frozen=True)
class Predictions:
    """predictions.csv: one row for each image that the model was evaluated on."""

    files: tuple[str, ...]
    labels: "IntArray"  # class codes, (n,)
    predicted: "IntArray"  # class codes, (n,)
    y_prob: "FloatArray"  # (n, n_classes)
    unsure: "BoolArray"  # (n,)


def read_metrics(run: Run) -> Metrics:
    """The content of metrics.json.

    Raises:
        UnreadableFileError: it is missing, or not a JSON object.
    """
    content: Metrics = read_object(run.metrics)  # type: ignore[assignment]
    return content


def read_dataset(run: Run) -> DatasetRecord:
    """The content of dataset.json.

    Raises:
        UnreadableFileError: it is missing, or not a JSON object.
    """
    content: DatasetRecord = read_object(run.dataset)  # type: ignore[assignment]
    return content


def read_findings(run: Run) -> Findings:
    """The content of findings.json.

    Raises:
        UnreadableFileError: it is missing, or not a JSON object with a list of findings.
    """
    content: Findings = _read(run.findings, _findings)
    return content


def read_environment(run: Run) -> dict[str, Any]:
    """The content of environment.json: versions, processor, flags and durations.

    Raises:
        UnreadableFileError: it is missing, or not a JSON object.
    """
    return read_object(run.environment)


def read_origin(run: Run) -> dict[str, Any]:
    """The content of imported.json: where a model from elsewhere came from.

    Raises:
        UnreadableFileError: it is missing, or not a JSON object.
    """
    return read_object(run.imported)


def read_history(run: Run) -> dict[str, list[float]]:
    """The columns of history.csv by name, one value per epoch, without the number of the epoch.

    Raises:
        UnreadableFileError: it is missing, or not a table of numbers.
    """
    return _read(run.history, _history)


def read_predictions(run: Run, class_names: tuple[str, ...]) -> Predictions:
    """The rows of predictions.csv.

    Args:
        run: finished.
        class_names: one for each class, in the order of the codes.

    Raises:
        UnreadableFileError: it is missing, or not a table of answers with these classes.
    """
    return _read(run.predictions, lambda content: _predictions(content, class_names))


def read_object(path: Path) -> dict[str, Any]:
    """The content of a JSON file that holds one object.

    Raises:
        UnreadableFileError: it is missing, or something else.
    """
    return _read(path, _object)


def _read(path: Path, parse: Callable[[bytes], T]) -> T:
    try:
        return parse(path.read_bytes())
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        reason = "it is missing" if missing else str(error.strerror)
        raise UnreadableFileError(path, reason, is_missing=missing) from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableFileError(path, "it is damaged", is_missing=False) from error


def _object(content: bytes) -> dict[str, Any]:
    found = json.loads(content)
    if not isinstance(found, dict):
        raise TypeError(f"a JSON object was expected, not {type(found).__name__}")
    return found


def _findings(content: bytes) -> Findings:
    found = _object(content)
    if not all(isinstance(each, Mapping) for each in found["findings"]):
        raise TypeError("a list of findings was expected")
    return Findings(diverged=found["diverged"] is True, findings=found["findings"])


def _history(content: bytes) -> dict[str, list[float]]:
    head, *rows = csv.reader(content.decode().splitlines())
    if head[:1] != ["epoch"]:
        raise ValueError(f"the columns are {head}")
    columns = zip(*rows, strict=True) if rows else [()] * len(head)
    return {
        name: [float(cell) for cell in column]
        for name, column in zip(head, columns, strict=True)
        if name != "epoch"
    }


def _predictions(content: bytes, class_names: tuple[str, ...]) -> Predictions:
    import numpy as np  # which listing runs can spare

    head, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    files, labels, classes, _, *columns = zip(*rows, strict=True)
    codes = {name: code for code, name in enumerate(class_names)}
    flags = columns[-1] if head[-1] == "unsure" else [""] * len(rows)
    return Predictions(
        files=files,
        labels=np.array([codes[name] for name in labels]),
        predicted=np.array([codes[name] for name in classes]),
        y_prob=np.array(columns[: len(class_names)], np.float64).T,
        unsure=np.array(flags) == "true",
    )
