"""What a diagnosis looks at: the files that a run keeps, read together."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from shlex import quote
from typing import Any, NamedTuple

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.config import load_recorded
from apple_clf.config.schema import Experiment
from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.runs import Run
from apple_clf.runs.files import read_dataset, read_findings, read_history, read_metrics
from apple_clf.runs.layer_statistics import LayerStatistics

OUTPUT_LAYER = "output"


class Estimate(NamedTuple):
    """A metric with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Record:
    """A training that is over: what was asked for, how it went, what came of it."""

    experiment: Experiment
    history: Mapping[str, Sequence[float]]  # by name a value per epoch
    statistics: LayerStatistics
    images: Mapping[str, Mapping[str, int]]  # by split and class
    metrics: Mapping[str, Any] | None  # as in metrics.json; None if the training diverged
    appearance: Mapping[str, Any] | None  # of the training images; None if it is unknown

    @property
    def diverged(self) -> bool:
        """Whether it ended in NaN or infinity."""
        return self.metrics is None

    @property
    def n_epochs(self) -> int:
        """Epochs that went well."""
        return len(self.history["loss"])

    @property
    def n_train(self) -> int:
        """Training images."""
        return sum(self.images["train"].values())

    @property
    def n_classes(self) -> int:
        """Classes that the network tells apart."""
        return len(self.images["train"])

    @property
    def chance(self) -> float:
        """Balanced accuracy of guessing."""
        return 1 / self.n_classes

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return -(-self.n_train // self.experiment.training.batch_size)

    @property
    def majority(self) -> float:
        """Share of the largest class among the training images."""
        return max(self.images["train"].values()) / self.n_train

    @property
    def has_held_out(self) -> bool:
        """Whether the metrics are of images that it was not trained on."""
        return self.metrics is not None and self.metrics["split"] != "train"

    def measured(self, name: str) -> Estimate | None:
        """A metric on the images of the evaluation; None if it is undefined."""
        estimate = self.metrics and self.metrics["metrics"].get(name)
        if not estimate or estimate["value"] is None:
            return None
        return Estimate(estimate["value"], estimate["low"], estimate["high"])

    def on_training(self, name: str) -> float:
        """Accuracy or balanced accuracy of the final weights on the training images."""
        assert self.metrics is not None, "it diverged"
        value: float = self.metrics["training"]["metrics"][name]
        return value

    @cached_property
    def skill(self) -> float:
        """How much of the training images it knows beyond guessing: 0 nothing, 1 all."""
        return (self.on_training("balanced_accuracy") - self.chance) / (1 - self.chance)

    @cached_property
    def total_gradients(self) -> FloatArray:
        """Norm of the whole gradient from epoch 0 on, (n_epochs + 1,)."""
        layers = self.statistics.column("gradient_norm").astype(np.float64)
        total: FloatArray = np.sqrt(np.nansum(layers**2, axis=1))
        return total

    @cached_property
    def stride(self) -> float:
        """How far one step of the first epoch carried, as a share of the weights it started from.

        Of the layer that it carried furthest. Steps are taken for independent of each other, so
        their length is that of the epoch's way over the root of their number.
        """
        start = self.statistics.column("weight_norm")[:1]
        way = self.statistics.column("update_norm")[1:2]
        shares = way[start[: len(way)] > 0] / start[: len(way)][start[: len(way)] > 0]
        return float(shares.max(initial=0)) / math.sqrt(self.steps_per_epoch)

    def worst_hidden(self, column: str) -> tuple[str, float, float]:
        """The hidden layer where a column is largest at the end, that value, and its first one.

        Without such a layer the values are 0.
        """
        first, last = self.statistics.column(column)[[0, -1]].tolist()
        layers = [
            (name, end, start)
            for name, start, end in zip(self.statistics.layers, first, last, strict=True)
            if name != OUTPUT_LAYER and not math.isnan(end)
        ]
        return max(layers, key=lambda layer: layer[1], default=("", 0.0, 0.0))


def read_record(run: Run) -> Record:
    """What a run says of its training.

    Raises:
        ArtifactError: the training is not over, or a file is missing or damaged.
    """
    try:
        if not (run.is_finished or _diverged(run)):
            raise ArtifactError(
                f"{printable(run.path)}: its training is not over. "
                f"Go on with it: apple-clf resume {quote(printable(run.path))}"
            )
        metrics = read_metrics(run) if run.is_finished else None
        if metrics and not metrics["training"]:
            raise ArtifactError(
                f"{printable(run.path)}: was trained elsewhere, so there is no training to judge."
            )
        data = read_dataset(run)
        return Record(
            experiment=load_recorded(run.resolved),
            history=read_history(run),
            statistics=LayerStatistics.from_csv(run.statistics.read_text(encoding="utf-8")),
            images=data["images"],
            metrics=metrics,
            appearance=data.get("appearance"),  # runs of an earlier version have none
        )
    except (OSError, ValueError, LookupError) as error:
        raise ArtifactError(
            f"{printable(run.path)}: cannot be diagnosed, as a file is missing or damaged: {error}"
        ) from error


def _diverged(run: Run) -> bool:
    """Whether a run that is not finished came to an end all the same."""
    return run.findings.exists() and read_findings(run)["diverged"]
