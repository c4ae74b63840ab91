"""The experiment as frozen records: every key, its range, its default and what it does.

Names are Keras's own. Each field's docstring feeds the JSON schema, which in turn feeds editors,
the error messages and a test of `docs/config.md`. A new layer, optimizer, loss, schedule or data
source is one class, named in its union.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from apple_clf.config.schema.base import Name, Record
from apple_clf.config.schema.data import (
    Cifar100Data,
    DataConfig,
    FetchedData,
    FolderData,
    GeneratedData,
    NoiseData,
    NpzData,
    QuickDrawData,
    SimulatedData,
)
from apple_clf.config.schema.decision import DecisionConfig
from apple_clf.config.schema.layers import (
    Activation,
    ActivationName,
    BatchNormalization,
    Dense,
    Dropout,
    Initializer,
    Regularizer,
)
from apple_clf.config.schema.model import Layer, ModelConfig
from apple_clf.config.schema.optimizers import (
    SGD,
    Adam,
    AdamW,
    CosineSchedule,
    ExponentialSchedule,
    Momentum,
    Optimizer,
    PiecewiseConstantSchedule,
    PolynomialSchedule,
    RMSprop,
    Schedule,
)
from apple_clf.config.schema.shapes import shapes_after
from apple_clf.config.schema.tracking import MlflowConfig, TensorBoardConfig, TrackingConfig
from apple_clf.config.schema.training import (
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    EarlyStopping,
    Loss,
    MeanSquaredError,
    Monitor,
    ReduceOnPlateau,
    SparseCategoricalCrossentropy,
    TrainingConfig,
)
from apple_clf.images.preprocessing import Preprocessing

__all__ = [
    "SGD",
    "Activation",
    "ActivationName",
    "Adam",
    "AdamW",
    "BatchNormalization",
    "CategoricalCrossentropy",
    "CategoricalFocalCrossentropy",
    "Cifar100Data",
    "CosineSchedule",
    "DataConfig",
    "DecisionConfig",
    "Dense",
    "Dropout",
    "EarlyStopping",
    "Experiment",
    "ExponentialSchedule",
    "FetchedData",
    "FolderData",
    "GeneratedData",
    "Initializer",
    "Layer",
    "Loss",
    "MeanSquaredError",
    "MlflowConfig",
    "ModelConfig",
    "Momentum",
    "Monitor",
    "NoiseData",
    "NpzData",
    "Optimizer",
    "PiecewiseConstantSchedule",
    "PolynomialSchedule",
    "Preprocessing",
    "QuickDrawData",
    "RMSprop",
    "Record",
    "ReduceOnPlateau",
    "Regularizer",
    "Schedule",
    "SimulatedData",
    "SparseCategoricalCrossentropy",
    "TensorBoardConfig",
    "TrackingConfig",
    "TrainingConfig",
]


class Experiment(Record):
    """Everything that decides what a run learns."""

    name: Name = "apples"
    """Names the run's folder."""
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 42
    """Random seed: the same seed gives the same run."""
    data: DataConfig = SimulatedData()
    """Training, validation and test images."""
    preprocessing: Preprocessing = Preprocessing()
    """How a picture becomes the pixels a network sees."""
    model: ModelConfig = ModelConfig()
    """The network."""
    training: TrainingConfig = TrainingConfig()
    """How the network learns."""
    decision: DecisionConfig = DecisionConfig()
    """How outputs become answers."""
    tracking: TrackingConfig = TrackingConfig()
    """Other places to log the training to, besides the run's folder."""

    @model_validator(mode="after")
    def _layers_fit(self) -> Self:
        shapes_after(self.model.layers, self.preprocessing.shape)
        return self

    @model_validator(mode="after")
    def _redraws_drawings(self) -> Self:
        if self.training.redrawn_copies and not self.preprocessing.reads_drawings:
            message = (
                "training.redrawn_copies is for drawings: it needs preprocessing.color_mode "
                "grayscale, resize center and a reader other than pixels"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _validation_exists(self) -> Self:
        """Images that may bring a validation split of their own are trusted here."""
        data, training = self.data, self.training
        if isinstance(data, GeneratedData):
            key, amount = "data.validation_samples", float(data.validation_samples)
        else:
            key, amount = "data.validation_split", data.validation_split
        if amount > 0 or data.may_bring_validation:
            return self
        if self.decision.goal is not None:
            message = (
                f"decision.threshold {self.decision.goal} needs validation images: raise {key} "
                "above 0 or give the threshold as a number"
            )
            raise ValueError(message)
        for part in ("early_stopping", "reduce_on_plateau"):
            callback: EarlyStopping | ReduceOnPlateau | None = getattr(training, part)
            if callback is not None and callback.monitor.startswith("val_"):
                message = (
                    f"training.{part}.monitor {callback.monitor} needs validation images: "
                    f"raise {key} above 0 or monitor {callback.monitor.removeprefix('val_')}"
                )
                raise ValueError(message)
        return self
