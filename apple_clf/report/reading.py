"""A run's files as a report needs them, or a sentence that says why one is not there."""

import zlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any, TypeVar
from zipfile import BadZipFile

from apple_clf.config import load_recorded
from apple_clf.config.schema import Experiment
from apple_clf.diagnosis import Finding
from apple_clf.errors import AppleClfError
from apple_clf.io.files import printable
from apple_clf.runs import Run
from apple_clf.runs.files import (
    DatasetRecord,
    Predictions,
    read_dataset,
    read_environment,
    read_findings,
    read_history,
    read_metrics,
    read_origin,
    read_predictions,
)
from apple_clf.runs.gallery import Gallery
from apple_clf.runs.layer_statistics import LayerStatistics, WeightSnapshots

T = TypeVar("T")

DAMAGES = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError),
    *(RecursionError, BadZipFile, zlib.error, AppleClfError),
)
"""What a file that is not what it should be can raise when it is read, or later used."""


class AbsentError(Exception):
    """A part of a report cannot be shown; the message is the sentence to show in its place."""


class RunFiles:
    """A run's files, each read when it is first asked for.

    Every attribute raises AbsentError if its file is missing or damaged.
    """

    def __init__(self, run: Run, *, metrics: Mapping[str, Any] | None = None) -> None:
        """Takes the metrics as given, or else from the run."""
        self.run = run
        self._metrics = metrics

    @property
    def name(self) -> str:
        """The run's name."""
        return self.place.name

    @property
    def place(self) -> Path:
        """The run's path from where its folder of runs is, however the run was named here."""
        path = self.run.path.resolve()
        return Path(path.parent.name, path.name)

    @property
    def in_shell(self) -> str:
        """The same as a command line takes it."""
        return quote(printable(self.place))

    @cached_property
    def is_imported(self) -> bool:
        """Whether the model was trained elsewhere."""
        return self.run.imported.exists()

    @cached_property
    def diverged(self) -> bool:
        """Whether the training ended in NaN or infinity."""
        if self._metrics is not None or self.run.is_finished:
            return False
        try:
            return read_findings(self.run)["diverged"]
        except DAMAGES:
            return False

    @cached_property
    def metrics(self) -> Mapping[str, Any]:
        """The content of metrics.json."""
        return self._metrics or self._read(self.run.metrics, read_metrics)

    @cached_property
    def class_names(self) -> tuple[str, ...]:
        """One a class, in the order of the codes."""
        return tuple(self.metrics["confusion_matrix"]["class_names"])

    @property
    def positive(self) -> int:
        """Code of the positive class."""
        return self.class_names.index(self.metrics["positive_class"])

    @cached_property
    def decision(self) -> Mapping[str, Any]:
        """How outputs become answers."""
        if "decision" not in self.metrics:
            raise AbsentError("This run is of an earlier version, which did not record it.")
        found: Mapping[str, Any] = self.metrics["decision"]
        return found

    @cached_property
    def findings(self) -> list[Finding]:
        """What the diagnosis found."""
        return self._read(
            self.run.findings,
            lambda run: [Finding.from_dict(each) for each in read_findings(run)["findings"]],
        )

    @cached_property
    def history(self) -> Mapping[str, list[float]]:
        """By name a value per epoch."""
        return self._read(self.run.history, read_history)

    @cached_property
    def statistics(self) -> LayerStatistics:
        """Numbers by epoch and layer."""
        return self._read(
            self.run.statistics,
            lambda run: LayerStatistics.from_csv(run.statistics.read_text("utf-8")),
        )

    @cached_property
    def weights(self) -> WeightSnapshots:
        """First-layer weights at a few epochs."""
        return self._read(
            self.run.weights, lambda run: WeightSnapshots.from_bytes(run.weights.read_bytes())
        )

    @cached_property
    def gallery(self) -> Gallery:
        """Images worth looking at."""
        return self._read(
            self.run.gallery, lambda run: Gallery.from_bytes(run.gallery.read_bytes())
        )

    @cached_property
    def predictions(self) -> Predictions:
        """The answers."""
        return self._read(self.run.predictions, lambda run: read_predictions(run, self.class_names))

    @cached_property
    def dataset(self) -> DatasetRecord:
        """The content of dataset.json."""
        return self._read(self.run.dataset, read_dataset)

    @cached_property
    def experiment(self) -> Experiment:
        """What was asked for."""
        return self._read(self.run.resolved, lambda run: load_recorded(run.resolved))

    @cached_property
    def environment(self) -> Mapping[str, Any]:
        """The content of environment.json."""
        return self._read(self.run.environment, read_environment)

    @cached_property
    def origin(self) -> Mapping[str, Any]:
        """Where an imported model came from."""
        return self._read(self.run.imported, read_origin)

    def _read(self, path: Path, read: Callable[[Run], T]) -> T:
        if not path.exists():
            raise AbsentError(f"{path.name} is not there{self._why_missing()}")
        try:
            return read(self.run)
        except DAMAGES:
            raise AbsentError(f"{path.name} is damaged, so this cannot be shown.") from None

    def _why_missing(self) -> str:
        if self.is_imported:
            return ": this model was trained elsewhere."
        if self.diverged:
            return ": the training diverged before it was written."
        if self._metrics is None and not self.run.is_finished:
            return f": the training is not over. Go on with it: apple-clf resume {self.in_shell}"
        return ": the run was made by another version, or the file was deleted."
