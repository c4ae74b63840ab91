"""How the network learns."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from apple_clf.config.schema.base import (
    MAX_LEARNING_RATE,
    BelowOne,
    Epochs,
    Rate,
    Record,
    Share,
    Weight,
)
from apple_clf.config.schema.optimizers import Adam, CosineSchedule, Optimizer, Schedule

Monitor = Literal["val_loss", "val_accuracy", "loss", "accuracy"]


class _Loss(Record):
    """What every loss has: its keys are the arguments of its Keras class."""

    keras_class: ClassVar[str]
    # Whether it compares with class codes; the others compare with one-hot rows.
    takes_codes: ClassVar[bool] = False

    def keras_arguments(self) -> dict[str, Any]:
        """The arguments of the Keras class."""
        return self.model_dump(exclude={"type"})


class SparseCategoricalCrossentropy(_Loss):
    """Minus the log of the true class's probability."""

    keras_class: ClassVar = "SparseCategoricalCrossentropy"
    takes_codes: ClassVar = True

    type: Literal["sparse_categorical_crossentropy"] = "sparse_categorical_crossentropy"
    """Kind of loss."""


class CategoricalCrossentropy(_Loss):
    """Cross-entropy against targets that may be smoothed."""

    keras_class: ClassVar = "CategoricalCrossentropy"

    type: Literal["categorical_crossentropy"] = "categorical_crossentropy"
    """Kind of loss."""
    label_smoothing: BelowOne = 0.0
    """Share of each target spread evenly over all classes."""


class CategoricalFocalCrossentropy(_Loss):
    """Cross-entropy in which images that are already right count less."""

    keras_class: ClassVar = "CategoricalFocalCrossentropy"

    type: Literal["categorical_focal_crossentropy"] = "categorical_focal_crossentropy"
    """Kind of loss."""
    gamma: Annotated[float, Field(ge=0, le=100)] = 2.0
    """Focusing parameter: larger values make easy images count less."""
    alpha: Share = 0.25
    """Factor on the whole loss."""


class MeanSquaredError(_Loss):
    """Squared gap between probabilities and targets: slow to learn from, which is a lesson."""

    keras_class: ClassVar = "MeanSquaredError"

    type: Literal["mean_squared_error"] = "mean_squared_error"
    """Kind of loss."""


Loss = Annotated[
    SparseCategoricalCrossentropy
    | CategoricalCrossentropy
    | CategoricalFocalCrossentropy
    | MeanSquaredError,
    Field(discriminator="type"),
]


class ReduceOnPlateau(Record):
    """Lowers the learning rate when the monitored value stops getting better."""

    monitor: Monitor = "val_loss"
    """Value to monitor."""
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Factor on the learning rate."""
    patience: Epochs = 3
    """Number of epochs without improvement before the rate is lowered."""
    min_learning_rate: Annotated[float, Field(ge=0, le=MAX_LEARNING_RATE)] = 0.0
    """Lower bound of the learning rate."""


class EarlyStopping(Record):
    """Ends training when the monitored value stops getting better; the best weights are kept."""

    monitor: Monitor = "val_loss"
    """Value to monitor."""
    patience: Epochs = 5
    """Number of epochs without improvement before training ends."""
    min_delta: Annotated[float, Field(ge=0, le=1e6)] = 0.0
    """Smallest change that counts as improvement."""


def _number_or_record(value: object) -> str:
    return "record" if isinstance(value, dict | Record) else "number"


def _word_or_mapping(value: object) -> str:
    return "mapping" if isinstance(value, dict) else "word"


class TrainingConfig(Record):
    """How the network learns."""

    optimizer: Optimizer = Adam()
    """Optimizer; its name alone is enough."""
    learning_rate: Annotated[
        Annotated[Rate, Tag("number")] | Annotated[Schedule, Tag("record")],
        Discriminator(_number_or_record),
    ] = 1e-3
    """Size of the steps: a number, or a schedule over the epochs."""
    reduce_on_plateau: ReduceOnPlateau | None = None
    """Lower the learning rate when progress stops, or null."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 32
    """Images per step."""
    epochs: Epochs = 30
    """Passes over the training images."""
    loss: Loss = SparseCategoricalCrossentropy()
    """Loss to minimise; its name alone is enough."""
    class_weight: Annotated[
        Annotated[Literal["balanced"] | None, Tag("word")]
        | Annotated[dict[str, Weight], Tag("mapping")],
        Discriminator(_word_or_mapping),
    ] = None
    """Weight of each class: null (equal), balanced (rare classes count more), or by name."""
    early_stopping: EarlyStopping | None = None
    """Stop when the monitored value stops improving, and keep the best weights; or null."""
    redrawn_copies: Annotated[int, Field(ge=0, le=20)] = 0
    """Copies of each training drawing to train on besides, drawn again by other pens: the first
    with the line of the reader of paper, the others with random widths."""

    @model_validator(mode="after")
    def _schedule_alone(self) -> Self:
        rate = self.learning_rate
        if isinstance(rate, float):
            return self
        if self.reduce_on_plateau is not None:
            message = (
                "reduce_on_plateau needs a plain number as learning_rate: "
                f"a {rate.type} schedule sets the rate anew all the time"
            )
            raise ValueError(message)
        if isinstance(rate, CosineSchedule) and rate.warmup_epochs >= self.epochs:
            message = (
                f"learning_rate.warmup_epochs must be less than epochs ({self.epochs}), "
                f"not {rate.warmup_epochs}"
            )
            raise ValueError(message)
        return self
