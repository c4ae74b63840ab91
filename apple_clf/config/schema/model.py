"""The network: its layers. The output layer is not written down: the model adds it."""

from typing import Annotated, Self, get_args

from pydantic import Field, model_validator

from apple_clf.config.schema.augmentation import Augmentation
from apple_clf.config.schema.base import Record
from apple_clf.config.schema.layers import (
    MAX_LAYERS,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Inner,
    Residual,
)

Layer = Annotated[
    Inner | GlobalAveragePooling2D | Flatten | Residual | Augmentation,
    Field(discriminator="type"),
]

KINDS = get_args(get_args(Layer)[0])
"""The record of each kind of layer."""


class ModelConfig(Record):
    """The network between the pixels and the softmax over the classes, which is always added."""

    layers: Annotated[tuple[Layer, ...], Field(max_length=MAX_LAYERS)] = (
        Dense(units=32, activation="relu"),
        Dense(units=16, activation="relu"),
    )
    """Layers from input to output, augmentation first; none gives softmax regression."""

    @model_validator(mode="after")
    def _not_too_deep(self) -> Self:
        """Keras walks a model recursively."""
        inner = sum(len(layer.layers) for layer in self.layers if isinstance(layer, Residual))
        if (count := len(self.layers) + inner) > MAX_LAYERS:
            message = f"layers are at most {MAX_LAYERS}, those in residual ones too, not {count}"
            raise ValueError(message)
        return self
