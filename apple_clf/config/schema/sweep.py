"""Which experiments a sweep tries, and how it compares them; and a whole YAML file.

An experiment does not know of sweeps: the section stands beside it in a file, so that a file that
has one describes an ordinary experiment as well.
"""

import math
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from apple_clf.config.schema import Experiment
from apple_clf.config.schema.base import Record

MAX_TRIALS = 100_000
MAX_CHOICES = 1_000


def _finite_number(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        kind = "number"
        raise PydanticCustomError(kind, "not a number")  # worded from the JSON schema
    return value


Number = Annotated[Any, AfterValidator(_finite_number), WithJsonSchema({"type": "number"})]
"""A number that stays whole if it was written so, which makes a range of whole numbers."""


class Range(Record):
    """Numbers from low to high; whole ones, if low, high and step are."""

    low: Number
    """Least value."""
    high: Number
    """Largest value."""
    step: Number | None = None
    """Distance of the values from low on; null: any value between."""
    log: bool = False
    """Each power of ten as likely as another, which suits learning rates."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.high <= self.low:
            message = "high must be above low"
        elif self.step is not None and not 0 < self.step <= self.high - self.low:
            message = "step must be above 0 and at most high - low"
        elif self.log and self.low <= 0:
            message = "low must be above 0 where log is true"
        elif self.log and self.step is not None:
            message = "step and log exclude each other"
        else:
            return self
        raise ValueError(message)

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers."""
        numbers = (self.low, self.high, 1 if self.step is None else self.step)
        return all(isinstance(number, int) for number in numbers)


def _choices_or_range(value: object) -> str:
    return "range" if isinstance(value, dict | Range) else "choices"


Choices = Annotated[tuple[Any, ...], Field(min_length=1, max_length=MAX_CHOICES)]
Values = Annotated[
    Annotated[Choices, Tag("choices")] | Annotated[Range, Tag("range")],
    Discriminator(_choices_or_range),
]
Sampler = Literal["grid", "random", "tpe"]
Pruner = Literal["none", "median", "hyperband"]
Metric = Literal["val_accuracy", "val_loss"]


class SweepConfig(Record):
    """Which experiments `apple-clf sweep` tries; `train` does not look at it."""

    parameters: dict[str, Values]
    """Values to try for each key, such as {training.learning_rate: [1e-4, 1e-3]}."""
    sampler: Sampler | None = None
    """How trials are chosen: all combinations in turn, at random, or by what the earlier ones came
    to (tree-structured Parzen estimator). null: grid if all parameters can be counted and trials
    is null, else tpe."""
    trials: Annotated[int, Field(ge=1, le=MAX_TRIALS)] | None = None
    """Maximum number of trials; null: the whole grid, or 20 with another sampler."""
    seeds: Annotated[int, Field(ge=1, le=100)] = 1
    """Number of trainings per trial, with seed, seed + 1 and so on; their mean counts."""
    pruner: Pruner = "none"
    """Stops trials that fall behind the others at the same epoch (median), or that halving in
    turns leaves out (hyperband). It looks at the first seed of each trial."""
    metric: Metric = "val_accuracy"
    """Value to compare trials by, at the epoch whose weights are kept; never on the test images."""
    workers: Annotated[int, Field(ge=1, le=256)] | None = None
    """Number of trainings to run in parallel, each in its own process; null: one per core."""

    @model_validator(mode="after")
    def _keys_can_be_tried(self) -> Self:
        if not self.parameters:
            message = "parameters must name a key to try values of"
            raise ValueError(message)
        if fixed := [key for key in self.parameters if key.split(".")[0] in {"name", "sweep"}]:
            message = f"parameters must not name {fixed[0]!r}, which changes nothing that is learnt"
            raise ValueError(message)
        return self


class ExperimentFile(Experiment):
    """All that a YAML file may hold: an experiment and, beside it, a sweep."""

    sweep: SweepConfig | None = None
    """Variants of this experiment to compare, for `apple-clf sweep`."""

    @property
    def experiment(self) -> Experiment:
        """The experiment without the sweep."""
        return Experiment(**{name: getattr(self, name) for name in Experiment.model_fields})
