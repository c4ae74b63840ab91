"""What is served: runs read into memory once, and the models made of them."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

from apple_clf.arrays import UInt8Array
from apple_clf.errors import ArtifactError, ImageError
from apple_clf.explanation.numpy_backend.loading import load_network
from apple_clf.explanation.numpy_backend.network import Network
from apple_clf.images import loading
from apple_clf.io.files import portable
from apple_clf.prediction.inference import Answer, Predictor
from apple_clf.runs import Run
from apple_clf.runs.bundle import read_bundle
from apple_clf.runs.files import Metrics, UnreadableFileError, read_metrics
from apple_clf.runs.layer_statistics import WeightSnapshots
from apple_clf.runs.model_record import ModelRecord, read_model_record, read_verified


@dataclass(frozen=True)
class ServedRun:
    """The bytes of a run, which no change on disk reaches any more."""

    name: str
    record: ModelRecord
    litert: bytes
    keras: bytes | None  # None: the layers cannot be shown, for the reason given
    reason: str
    snapshots: bytes | None  # weights.npz
    metrics: Metrics | None


def read_served_run(run: Run) -> ServedRun:
    """All that serving needs of a run or, if its path is a file, of a bundle.

    Raises:
        ArtifactError: it has no usable model.
    """
    if run.path.is_file():
        record, litert = read_bundle(run.path)
        reason = "a bundle holds what answers need, and no layers"
        return ServedRun(portable(run.name), record, litert, None, reason, None, None)
    record = read_model_record(run.model_record)
    litert = read_verified(run.litert_model, sha256=record.litert_sha256)
    keras, reason = None, ""
    try:
        keras = read_verified(run.keras_model, sha256=record.keras_sha256)
    except ArtifactError as error:
        reason = str(error)
    return ServedRun(
        portable(run.name), record, litert, keras, reason, _snapshots(run), _metrics(run)
    )


def _snapshots(run: Run) -> bytes | None:
    """Imported runs have none."""
    try:
        content = run.weights.read_bytes()
        WeightSnapshots.from_bytes(content)
    except (OSError, ValueError, LookupError, zipfile.BadZipFile):
        return None
    return content


def _metrics(run: Run) -> Metrics | None:
    try:
        return read_metrics(run)
    except UnreadableFileError:
        return None


class Model:
    """A served run at work; used by one thread at a time."""

    def __init__(self, run: ServedRun, *, number: int) -> None:
        """Prepares a model.

        Args:
            run: read.
            number: by which clients ask for it, from 1.

        Raises:
            ArtifactError: the LiteRT file does not fit its record.
        """
        self.run, self.number = run, number
        self.record = run.record
        self.predictor = Predictor(run.record, run.litert)
        self.network, self.reason = _network(run, self.predictor)
        self.snapshots: WeightSnapshots | None = None
        if run.snapshots is not None:
            self.snapshots = WeightSnapshots.from_bytes(run.snapshots)

    def answer(self, bodies: Sequence[bytes]) -> list[Answer]:
        """An answer for each picture's bytes, with the digits that `predict` gives its file.

        Pictures are decoded one at a time, so only one can be large in memory.
        """
        return self.predictor.answer_prepared(
            [""] * len(bodies), [self._prepare(body) for body in bodies]
        )

    def _prepare(self, body: bytes) -> UInt8Array | str:
        try:
            return loading.load(body, self.record.preprocessing).pixels
        except ImageError as error:
            return str(error)


def _network(run: ServedRun, predictor: Predictor) -> tuple[Network | None, str]:
    """The layers in NumPy, or why there are none."""
    if run.keras is None:
        return None, run.reason
    try:
        return load_network(run.keras, predictor), ""
    except ArtifactError as error:
        return None, str(error)
