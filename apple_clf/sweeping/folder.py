"""The folder of a sweep: the name of every artefact, numbering, and what a resumption must know."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from apple_clf.errors import ArtifactError
from apple_clf.io.files import cannot_write, printable, write_whole
from apple_clf.runs import create_run


@dataclass(frozen=True)
class SweepFolder:
    """One sweep, as a folder."""

    path: Path

    @property
    def config(self) -> Path:
        """The user's YAML as it was."""
        return self.path / "sweep.yaml"

    @property
    def record(self) -> Path:
        """What was asked for besides the YAML."""
        return self.path / "sweep.json"

    @property
    def journal(self) -> Path:
        """Optuna's record of all trials, unless a database holds it."""
        return self.path / "journal.log"

    @property
    def runs(self) -> Path:
        """Folder of the trainings."""
        return self.path / "runs"

    @property
    def leaderboard(self) -> Path:
        """A row per trial, the best first."""
        return self.path / "leaderboard.csv"

    @property
    def best(self) -> Path:
        """The experiment of the best trial, to be trained again or changed."""
        return self.path / "best.yaml"

    def plot(self, name: str) -> Path:
        """One picture, by the name of what it shows."""
        return self.path / "plots" / f"{name}.png"


@dataclass(frozen=True)
class SweepRecord:
    """What was asked for besides the YAML."""

    filename: str  # of the YAML, as messages name it
    overrides: Sequence[str]
    storage: str | None  # a database's address, without its password; None is the journal


def create_sweep(folder: Path, name: str, *, source: bytes, record: SweepRecord) -> SweepFolder:
    """A new sweep under a folder, numbered as runs are.

    Args:
        folder: where sweeps live.
        name: of the experiment.
        source: the YAML it was read from.
        record: what was asked for besides.

    Raises:
        FileSystemError: the folder cannot be written.
    """
    sweep = SweepFolder(create_run(folder, name).path)
    try:
        sweep.runs.mkdir()
    except OSError as error:
        raise cannot_write(sweep.runs, error) from error
    write_whole(sweep.config, source)
    write_whole(sweep.record, json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n")
    return sweep


def find_sweep(spec: str, *, folder: Path) -> tuple[SweepFolder, SweepRecord]:
    """The sweep that a path or name stands for, and what was asked of it.

    Raises:
        ArtifactError: there is none, or its record is damaged.
    """
    for path in (Path(spec), folder / spec):
        sweep = SweepFolder(path)
        if sweep.record.is_file():
            try:
                return sweep, SweepRecord(**json.loads(sweep.record.read_bytes()))
            except (OSError, ValueError, TypeError):
                raise ArtifactError(
                    f"{printable(sweep.record)}: damaged, so the sweep cannot go on. "
                    "Start a new one."
                ) from None
    raise ArtifactError(
        f"{printable(spec)}: no such sweep, as a path or under {printable(folder)}. "
        "Start one: apple-clf sweep CONFIG"
    )
