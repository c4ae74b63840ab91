"""Checkpoints: all that a training needs to go on as if it had never stopped.

Keras's BackupAndRestore leaves out the seed states of dropout and the state of callbacks; here
everything that a later epoch depends on is kept. The order of the images needs no state: it follows
from (seed, epoch). A checkpoint is one file, its SHA-256 first, so that it is whole or refused.
"""

import hashlib
import io
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apple_clf.io.files import cannot_write, printable, whole_file

KEPT = 2

CHECKPOINT_SECONDS = 10.0
"""Between two checkpoints; by time, so that they cost the same share of any training."""

Array = NDArray[Any]
Arrays = list[Array]

logger = logging.getLogger(__name__)


@dataclass
class State:
    """A training between two epochs."""

    epoch: int  # epochs done
    ended: bool  # no further epoch follows
    history: dict[str, list[float]]
    callbacks: dict[str, dict[str, Any]]  # numbers of each callback, by its class
    variables: Arrays  # of the model: weights, moving statistics, seed states
    optimizer: Arrays
    best_weights: Arrays = field(default_factory=list)  # of early stopping
    statistics: Arrays = field(default_factory=list)  # of the layers, and weights of some epochs
    experiment: str = ""  # YAML of the experiment, every value resolved
    environment: dict[str, Any] = field(default_factory=dict)  # as in environment.json


class Checkpoints:
    """The newest checkpoints of a run, in a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        experiment: str = "",
        environment: Mapping[str, Any] | None = None,
    ) -> None:
        """Names the folder, which need not exist.

        Args:
            folder: holds the checkpoints and nothing else.
            experiment: YAML of the experiment, kept with each checkpoint that is written.
            environment: what computes the epochs, likewise.
        """
        self.folder = folder
        self.experiment = experiment
        self.environment = dict(environment or {})

    def write(self, state: State) -> None:
        """Keeps a state, and the one before it.

        Raises:
            FileSystemError: it cannot be written; the older ones stay.
        """
        content = _to_bytes(
            replace(state, experiment=self.experiment, environment=self.environment)
        )
        try:
            self.folder.mkdir(exist_ok=True)
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        with whole_file(self.folder / f"epoch-{state.epoch:06d}.checkpoint") as file:
            file.write(hashlib.sha256(content).digest())
            file.write(content)
        self.discard_old()

    def discard_old(self) -> None:
        """Deletes all but the newest ones.

        Raises:
            FileSystemError: one cannot be deleted.
        """
        for old in self._newest_first()[KEPT:]:
            try:
                old.unlink(missing_ok=True)
            except OSError as error:
                raise cannot_write(old, error) from error

    def latest(self) -> State | None:
        """The newest state that is intact, or None; damaged ones are named in the log."""
        for path in self._newest_first():
            try:
                content = path.read_bytes()
            except OSError as error:
                _warn_once(f"{printable(path)}: passed over: {error.strerror}")
                continue
            digest, payload = content[:32], content[32:]
            if hashlib.sha256(payload).digest() == digest:
                return _from_bytes(payload)
            _warn_once(f"{printable(path)}: passed over, as it is damaged.")
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(self.folder.glob("epoch-*.checkpoint"), reverse=True)


@cache
def _warn_once(message: str) -> None:
    """A resumption looks at its checkpoints twice."""
    logger.warning(message)


_ARRAYS = ("variables", "optimizer", "best_weights", "statistics")


def _to_bytes(state: State) -> bytes:
    fields = dict(vars(state))
    arrays = {
        f"{name}/{i:04d}": array for name in _ARRAYS for i, array in enumerate(fields.pop(name))
    }
    buffer = io.BytesIO()
    manifest = np.frombuffer(json.dumps(fields).encode(), np.uint8)
    np.savez(buffer, manifest=manifest, **arrays)
    return buffer.getvalue()


def _from_bytes(content: bytes) -> State:
    with np.load(io.BytesIO(content), allow_pickle=False) as archive:
        fields: dict[str, Any] = json.loads(archive["manifest"].tobytes())
        for name in _ARRAYS:
            keys = sorted(key for key in archive.files if key.startswith(f"{name}/"))
            fields[name] = [archive[key] for key in keys]
    return State(**fields)
