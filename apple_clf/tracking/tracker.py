"""A training told to MLflow and TensorBoard as well; the run's own files stay the truth.

A place that cannot be reached or written costs a warning, never a training.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any
from uuid import uuid4

from apple_clf.config import differences
from apple_clf.config.schema import Experiment, TrackingConfig
from apple_clf.errors import MissingExtraError
from apple_clf.io.files import printable, write_whole
from apple_clf.io.interruption import InterruptedTrainingError
from apple_clf.io.progress import Reporter
from apple_clf.runs import Run
from apple_clf.runs.checkpoints import Checkpoints
from apple_clf.runs.files import read_findings
from apple_clf.tracking.place import Place, Point, Story

SECONDS_BETWEEN = 1.0
"""Between two writings: a database takes longer over an epoch than a small network does."""

MLFLOW_PACKAGES = ("mlflow", "sqlalchemy", "alembic")

logger = logging.getLogger(__name__)


def check_installed(config: TrackingConfig) -> None:
    """Refuses places that this installation cannot write to.

    Raises:
        MissingExtraError: the extra `tracking` is not installed.
    """
    if config.mlflow is not None and not all(map(find_spec, MLFLOW_PACKAGES)):
        raise MissingExtraError(
            "tracking.mlflow needs MLflow's client, which is not installed: "
            "pip install 'apple-clf[tracking]'"
        )


class Tracker:
    """A reporter that passes all on to another, and each epoch to the places too."""

    def __init__(self, run: Run, reporter: Reporter, places: Sequence[Place]) -> None:
        self._run = run
        self._reporter = reporter
        self._places = list(places)
        self._waiting: list[Point] = []
        self._written = time.monotonic()
        self._remarked = False
        self.stage = reporter.stage
        self.fetching = reporter.fetching
        self.decoding = reporter.decoding

    def begin(self, story: Story, history: Mapping[str, Sequence[float]]) -> None:
        """Opens the run everywhere, and writes what a killed process did not come to write.

        Args:
            story: what is known now.
            history: a value per epoch, of those that the last checkpoint has behind it.
        """
        self._tell(lambda place: place.begin(story))
        self._waiting = [
            Point(name, epoch, value)
            for name, values in history.items()
            for epoch, value in enumerate(values, start=1)
        ]
        self._write()

    def epoch(self, epoch: int, epochs: int, logs: Mapping[str, float]) -> None:
        """Passes the values on, to the places at most once a second."""
        self._reporter.epoch(epoch, epochs, logs)
        self._waiting += [Point(name, epoch, value) for name, value in logs.items()]
        if time.monotonic() - self._written >= SECONDS_BETWEEN:
            self._write()
            self._written = time.monotonic()

    def results(self, metrics: Mapping[str, Any]) -> None:
        """Writes final metrics, findings and pictures.

        Args:
            metrics: the content of metrics.json.
        """
        self._waiting += [
            Point(f"{metrics['split']}_{name}", metrics["training"]["epochs"], estimate["value"])
            for name, estimate in metrics["metrics"].items()
            if estimate["value"] is not None
        ]
        self._write()
        self._remark()
        files = [*sorted(self._run.plots.glob("*.png")), self._run.report]
        files = [path for path in files if path.exists()]  # a sweep's trials have none of them
        self._tell(lambda place: place.keep(files))

    def end(self, status: str) -> None:
        """Closes the run everywhere; a failed one has findings, too."""
        self._write()
        if not self._remarked:
            self._remark()
        self._tell(lambda place: place.end(status))

    def _write(self) -> None:
        points, self._waiting = self._waiting, []
        if points:
            self._tell(lambda place: place.write(points))

    def _remark(self) -> None:
        if self._places and self._run.findings.exists():
            findings = {
                finding["name"]: f"{finding['severity']}: {finding['meaning']}"
                for finding in read_findings(self._run)["findings"]
            }
            self._tell(lambda place: place.remark(findings))
            self._remarked = True

    def _tell(self, action: Callable[[Place], None]) -> None:
        """Does it everywhere, and gives up a place where it fails."""
        for place in tuple(self._places):
            try:
                action(place)
            except place.errors as error:
                self._places.remove(place)
                logger.warning(
                    "%s: not tracked in %s any more: %s. The run itself is complete without it.",
                    printable(self._run.path),
                    place.name,
                    printable(str(error).strip().partition("\n")[0]).rstrip("."),
                )


@contextmanager
def tracked(run: Run, experiment: Experiment, reporter: Reporter) -> Iterator[Tracker]:
    """A tracker while the block trains, told at its end how it ended.

    Args:
        run: locked by this process.
        experiment: its `tracking` names the places, and may name none.
        reporter: hears all that the tracker hears.
    """
    tracker = Tracker(run, reporter, tuple(_places(experiment.tracking)))
    if experiment.tracking != TrackingConfig():
        path = run.path.absolute()
        state = Checkpoints(run.checkpoints).latest()
        tracker.begin(
            Story(path, _identity(run), differences.values(experiment)),
            history=state.history if state else {},
        )
    try:
        yield tracker
    except BaseException as error:
        tracker.end("KILLED" if isinstance(error, InterruptedTrainingError) else "FAILED")
        raise
    tracker.end("FINISHED")


def _places(config: TrackingConfig) -> Iterator[Place]:
    if config.mlflow is not None:
        from apple_clf.tracking.mlflow_run import MlflowRun

        yield MlflowRun(config.mlflow)
    if config.tensorboard is not None:
        from apple_clf.tracking.event_files import EventFiles

        yield EventFiles(config.tensorboard)


def _identity(run: Run) -> str:
    """What tells a run from all others of its name, made once and kept with it."""
    if not run.tracking.exists():
        write_whole(run.tracking, uuid4().hex)
    return run.tracking.read_text(encoding="ascii", errors="ignore")
