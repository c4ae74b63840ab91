"""A run in MLflow's store; MLflow's own telemetry is off."""

import logging
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from apple_clf.config.schema import MlflowConfig
from apple_clf.tracking.place import Point, Story

# MLflow looks at these when it is imported, so its import follows.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # not 7, which take minutes
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")  # seconds, not 120

import sqlalchemy
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

logging.getLogger("mlflow.store").setLevel(logging.WARNING)  # it tells of its tables

IDENTITY = "apple_clf_identity"
"""Tag that finds a run again, whatever became of its name."""

_Item = TypeVar("_Item")

_BATCH = 100  # parameters that MLflow takes at once; of metrics 1000


class MlflowRun:
    """A run in an MLflow store, found again after a resumption."""

    name = "MLflow"
    errors: tuple[type[Exception], ...] = (MlflowException, sqlalchemy.exc.SQLAlchemyError, OSError)

    def __init__(self, config: MlflowConfig) -> None:
        self._config = config
        self._known: set[tuple[str, int]] = set()

    def begin(self, story: Story) -> None:
        """Makes the run, or goes on with it."""
        with _reached(self._config.uri):
            self._client = MlflowClient(self._config.uri)
            experiment = self._client.get_experiment_by_name(self._config.experiment)
            experiment_id = (
                experiment.experiment_id
                if experiment
                else self._client.create_experiment(self._config.experiment)
            )
        found = self._client.search_runs(
            [experiment_id], f"tags.{IDENTITY} = '{story.identity}'", max_results=1
        )
        if found:
            self._id = found[0].info.run_id
            self._known = {
                (name, metric.step)
                for name in found[0].data.metrics
                for metric in self._client.get_metric_history(self._id, name)
            }
            self._client.update_run(self._id, status="RUNNING")
        else:
            tags = {IDENTITY: story.identity, "run_path": str(story.run)}
            run = self._client.create_run(experiment_id, tags=tags, run_name=story.run.name)
            self._id = run.info.run_id
        parameters = [Param(_key(key), str(value)) for key, value in story.values.items()]
        for part in _parts(parameters):
            self._client.log_batch(self._id, params=part)

    def write(self, points: Sequence[Point]) -> None:
        """Writes those that are not there yet; an epoch goes as a whole or not at all."""
        new = [point for point in points if (point.name, point.epoch) not in self._known]
        now = int(time.time() * 1000)
        metrics = [Metric(name, value, now, epoch) for name, epoch, value in new]
        for part in _parts(metrics):
            self._client.log_batch(self._id, metrics=part)
        self._known.update((point.name, point.epoch) for point in new)

    def remark(self, findings: Mapping[str, str]) -> None:
        """Writes each as a tag."""
        tags = [RunTag(f"finding.{name}", text) for name, text in findings.items()]
        self._client.log_batch(self._id, tags=tags)

    def keep(self, files: Iterable[Path]) -> None:
        """Copies each to the run's artefacts."""
        for path in files:
            self._client.log_artifact(self._id, str(path))

    def end(self, status: str) -> None:
        """Writes how it ended."""
        self._client.set_terminated(self._id, status)


@contextmanager
def _reached(uri: str) -> Iterator[None]:
    """A block in which a database may be made, by one process at a time.

    A look at the database comes first: MLflow asks one that cannot be opened ten times, in 100 s.
    """
    if uri.startswith("http"):
        yield
        return
    url = sqlalchemy.make_url(uri)
    if url.get_backend_name() != "sqlite" or not url.database:
        _look(url)
        yield
        return
    file = Path(url.database)
    file.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(file.with_name(f".{file.name}.lock")):
        _look(url)
        yield


def _look(url: sqlalchemy.URL) -> None:
    engine = sqlalchemy.create_engine(url)
    try:
        sqlalchemy.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def _key(key: str) -> str:
    """A parameter's name of the letters that MLflow takes; a class may have any name."""
    return re.sub(r"[^\w.\- /]", "_", key)[:250]


def _parts(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))
