"""Run directories: the name of every artefact, numbering, locks and listing."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apple_clf.errors import ArtifactError, FileSystemError, LockedError
from apple_clf.io.files import cannot_write, printable

_NUMBERED = re.compile(r".+-(\d{3,})")


@dataclass(frozen=True)
class Run:
    """One training, as a folder. It is finished once metrics.json stands."""

    path: Path

    @property
    def name(self) -> str:
        """The folder's name: the experiment's name and a number."""
        return self.path.name

    @property
    def number(self) -> int:
        """Counts up over all runs of a folder; 0 for a run that was renamed."""
        match = _NUMBERED.fullmatch(self.name)
        return int(match[1]) if match else 0

    @property
    def is_finished(self) -> bool:
        """Whether training and evaluation came to their end."""
        return os.path.exists(self.metrics)  # noqa: PTH110 (no error for another user's run)

    @property
    def config(self) -> Path:
        """The user's YAML as it was."""
        return self.path / "config.yaml"

    @property
    def resolved(self) -> Path:
        """Every value of the experiment with its default."""
        return self.path / "resolved.yaml"

    @property
    def imported(self) -> Path:
        """Where a model came from that was trained elsewhere; no other run has it."""
        return self.path / "imported.json"

    @property
    def dataset(self) -> Path:
        """Source, fingerprint, class counts and bad files."""
        return self.path / "dataset.json"

    @property
    def keras_model(self) -> Path:
        """The model as Keras saves it."""
        return self.path / "model.keras"

    @property
    def litert_model(self) -> Path:
        """The same weights for prediction."""
        return self.path / "model.tflite"

    @property
    def model_record(self) -> Path:
        """Class names, preprocessing, threshold, hashes."""
        return self.path / "model.json"

    @property
    def history(self) -> Path:
        """A row per epoch."""
        return self.path / "history.csv"

    @property
    def statistics(self) -> Path:
        """A row per epoch and layer, from the untrained network on."""
        return self.path / "statistics.csv"

    @property
    def weights(self) -> Path:
        """Weights of the first layer at a few epochs."""
        return self.path / "weights.npz"

    @property
    def findings(self) -> Path:
        """What its curves say, and the next edit of the experiment."""
        return self.path / "findings.json"

    @property
    def metrics(self) -> Path:
        """Final metrics; the last file written."""
        return self.path / "metrics.json"

    @property
    def predictions(self) -> Path:
        """A row per test image."""
        return self.path / "predictions.csv"

    @property
    def gallery(self) -> Path:
        """The evaluated images worth looking at."""
        return self.path / "gallery.npz"

    @property
    def report(self) -> Path:
        """All of it as one page."""
        return self.path / "report.html"

    @property
    def tracking(self) -> Path:
        """What trackers find the run by; only of a run that is tracked."""
        return self.path / "tracking.txt"

    @property
    def environment(self) -> Path:
        """Versions, CPU, threads, durations."""
        return self.path / "environment.json"

    @property
    def checkpoints(self) -> Path:
        """Folder of what exact resume needs."""
        return self.path / "checkpoints"

    @property
    def plots(self) -> Path:
        """Folder of pictures."""
        return self.path / "plots"

    def plot(self, name: str) -> Path:
        """One picture, by the name of what it shows."""
        return self.plots / f"{name}.png"

    @property
    def lock(self) -> Path:
        """Held by the process that works on the run."""
        return self.path / ".lock"


def create_run(folder: Path, name: str, *, number: int | None = None) -> Run:
    """A new empty run under a folder, numbered one above all that are there.

    Numbers are shared by all names, so they order runs whatever the clock says.

    Args:
        folder: made where there is none.
        name: of the experiment.
        number: one that nobody else gives, in place of the next; its folder may be there already.

    Raises:
        FileSystemError: the folder cannot be written.
    """
    from filelock import FileLock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".lock"):
            next_number = 1 + max((run.number for run in _runs(folder)), default=0)
            run = Run(folder / f"{name}-{number or next_number:03d}")
            run.path.mkdir(exist_ok=number is not None)
            run.plots.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return run


@contextmanager
def locked(run: Run) -> Iterator[None]:
    """Keeps every other process out of a run while the block lasts.

    The lock belongs to the operating system, so one left by a killed process is free.

    Raises:
        LockedError: another process holds it.
        FileSystemError: the run's folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(run.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LockedError(
            f"{printable(run.path)}: another process is at work on this run. "
            "Wait for it, or start a new run."
        ) from None
    except OSError as error:
        raise cannot_write(run.path, error) from error
    try:
        yield
    finally:
        lock.release()


def list_runs(folder: Path) -> list[Run]:
    """All runs of a folder, oldest first; empty if there is no such folder.

    Raises:
        FileSystemError: the folder cannot be read.
    """
    return sorted(_runs(folder), key=lambda run: (run.number, run.name))


def find_run(spec: str | None, *, folder: Path) -> Run:
    """The run that a path or name stands for, or the newest finished one.

    Raises:
        ArtifactError: there is none.
        FileSystemError: the folder cannot be read.
    """
    if spec is None:
        finished = [run for run in list_runs(folder) if run.is_finished]
        if not finished:
            raise ArtifactError(
                f"{printable(folder)}: no finished run here. Train one: apple-clf train"
            )
        return finished[-1]
    for path in (Path(spec), folder / spec):
        if path.is_dir():
            return Run(path)
    raise ArtifactError(
        f"{printable(spec)}: no such run, as a path or under {printable(folder)}. "
        "List them: apple-clf runs"
    )


def _runs(folder: Path) -> Iterator[Run]:
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise FileSystemError(
            f"{printable(folder)}: cannot be read: {error.strerror or error}"
        ) from error
    for path in paths:
        run = Run(path)
        if (run.number or run.is_finished) and path.is_dir():
            yield run
