"""Everything that answers a request takes, made once: models, the thread they run in, room."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from apple_clf.errors import ConfigError
from apple_clf.explanation.first_layer import makes_pictures, weight_history
from apple_clf.prediction.inference import Answer
from apple_clf.runs.layer_statistics import WeightSnapshots
from apple_clf.web.batching import Batcher, Room
from apple_clf.web.collecting import Collection
from apple_clf.web.counters import Counters
from apple_clf.web.inside import describe_weights, explain_picture
from apple_clf.web.models import Model, ServedRun

MAX_WAITING = 128
MAX_WAITING_BYTES = 64 * 2**20
MAX_BATCH = 32

Result = TypeVar("Result")


class Service:
    """Served models, used from one event loop."""

    def __init__(self, runs: Sequence[ServedRun], *, collect: Path | None) -> None:
        """Makes models of runs.

        Args:
            runs: the first answers unless another is asked for.
            collect: folder that keeps pictures, or None.

        Raises:
            ArtifactError: a model cannot be used.
            ConfigError: the folder cannot be used for these classes.
        """
        self.models = [Model(run, number=i) for i, run in enumerate(runs, start=1)]
        self.counters = Counters()
        self.room = Room(max_requests=MAX_WAITING, max_bytes=MAX_WAITING_BYTES)
        self._thread = ThreadPoolExecutor(max_workers=1)  # interpreters cannot be shared
        self._batchers: list[Batcher[bytes, Answer]] = [
            Batcher(model.answer, thread=self._thread, max_batch=MAX_BATCH) for model in self.models
        ]
        self.collection = None
        if collect is not None:
            names = self.models[0].record.class_names
            if any(model.record.class_names != names for model in self.models):
                raise ConfigError("--collect needs runs that know the same classes.")
            self.collection = Collection(collect, names)

    async def answer(self, body: bytes, *, model: int) -> Answer:
        """What a model says of a picture.

        Raises:
            BusyError: too many are waiting.
        """
        with self.room.seat():
            return await self._batchers[model - 1].submit(body)

    async def explain(self, body: bytes) -> dict[str, Any]:
        """What happens inside of all models.

        Raises:
            ImageError: it is not a usable picture.
            BusyError: too many are waiting.
        """
        found = [await self._in_thread(partial(explain_picture, m, body)) for m in self.models]
        return {"models": found}

    async def weights(self, *, model: int) -> dict[str, Any] | None:
        """The first layer's weights through the epochs, or None if they make no pictures."""
        served = self.models[model - 1]
        if served.snapshots is None:
            return None
        return await self._in_thread(
            partial(_describe_weights, served.snapshots, served.record.preprocessing.shape)
        )

    async def keep(self, body: bytes, *, label: str) -> Path:
        """Where a picture was kept.

        Raises:
            DataError: no such class, or no usable picture.
            FileSystemError: it cannot be written.
            BusyError: too many are waiting.
        """
        assert self.collection is not None  # who calls has looked
        contract = self.models[0].record.preprocessing
        return await self._in_thread(
            partial(self.collection.keep, body, label=label, contract=contract)
        )

    def as_dict(self) -> dict[str, Any]:
        """All models in words and numbers."""
        return {
            "models": [_as_dict(model) for model in self.models],
            "collects": self.collection is not None,
        }

    def gauges(self) -> dict[str, float]:
        """Numbers of the moment."""
        return {
            "waiting_requests": self.room.n_requests,
            "waiting_bytes": self.room.n_bytes,
            "batches": sum(batcher.n_batches for batcher in self._batchers),
            "batched_pictures": sum(batcher.n_items for batcher in self._batchers),
        }

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        with self.room.seat():
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _as_dict(model: Model) -> dict[str, Any]:
    record = model.record
    metrics: Mapping[str, Any] = model.run.metrics or {}
    return {
        "model": model.number,
        "name": model.run.name,
        "class_names": list(record.class_names),
        "positive_class": record.positive_class,
        "preprocessing": asdict(record.preprocessing),
        "threshold": record.threshold,
        "temperature": record.temperature,
        "novelty_threshold": record.novelty_threshold,
        "keras_sha256": record.keras_sha256,
        "litert_sha256": record.litert_sha256,
        "verdict": metrics.get("verdict"),
        "metrics": metrics.get("metrics"),
        "layers": model.network is not None,
        "weights": model.snapshots is not None
        and makes_pictures(model.snapshots, record.preprocessing.shape),
    }


def _describe_weights(
    snapshots: WeightSnapshots, shape: tuple[int, int, int]
) -> dict[str, Any] | None:
    history = weight_history(snapshots, shape)
    return None if history is None else describe_weights(history)
