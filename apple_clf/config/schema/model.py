"""The network: one record per kind of layer.

A new layer is one class, named in `Layer`. The output layer is not written down: the model adds it.
"""

from typing import Annotated, Literal, Self

from pydantic import Discriminator, Field, Tag, model_validator

from apple_clf.config.schema.augmentation import Augmentation
from apple_clf.config.schema.base import (
    BelowOne,
    Epsilon,
    Penalty,
    Record,
    Units,
    number_or_pair,
)
from apple_clf.images.preprocessing import MAX_SIDE

MAX_LAYERS = 256

ActivationName = Literal[
    "celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6",
    "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus",
    "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip
"""Keras's activations but for two: glu halves the width, threshold needs arguments."""

Initializer = Literal[
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal",
    "lecun_uniform", "ones", "orthogonal", "random_normal", "random_uniform", "truncated_normal",
    "variance_scaling", "zeros",
]  # fmt: skip

ConvInitializer = Literal[
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal",
    "lecun_uniform", "ones", "orthogonal", "random_normal", "random_uniform", "truncated_normal",
    "variance_scaling", "zeros",
]  # fmt: skip
"""The same but for identity, which needs a matrix."""

_Side = Annotated[int, Field(ge=1, le=MAX_SIDE)]

Size = Annotated[
    Annotated[_Side, Tag("number")] | Annotated[tuple[_Side, _Side], Tag("pair")],
    Discriminator(number_or_pair),
]
"""Height and width in pixels; one number stands for both."""

Padding = Literal["valid", "same"]


class Regularizer(Record):
    """A penalty on large weights, added to the loss."""

    l1: Penalty = 0.0
    """Factor of the sum of absolute weights."""
    l2: Penalty = 0.0
    """Factor of the sum of squared weights."""


class Dense(Record):
    """Every unit sees every output of the layer before."""

    type: Literal["dense"] = "dense"
    """Kind of layer."""
    units: Units
    """Neurons."""
    activation: ActivationName = "linear"
    """Function applied to the weighted sums."""
    use_bias: bool = True
    """Whether each neuron has a bias to learn."""
    kernel_initializer: Initializer = "glorot_uniform"
    """How the weights are drawn at the start."""
    kernel_regularizer: Regularizer | None = None
    """Penalty on large weights, or null."""


class Dropout(Record):
    """Sets random inputs to zero while training, so that no neuron relies on another."""

    type: Literal["dropout"] = "dropout"
    """Kind of layer."""
    rate: BelowOne
    """Share of the inputs set to zero."""


class BatchNormalization(Record):
    """Gives each input mean 0 and variance 1 over the batch, then a learnt scale and shift."""

    type: Literal["batch_normalization"] = "batch_normalization"
    """Kind of layer."""
    momentum: BelowOne = 0.99
    """How slowly the running mean and variance that prediction uses are updated."""
    epsilon: Epsilon = 1e-3
    """Added to the variance to avoid dividing by zero."""


class Activation(Record):
    """An activation function as a layer of its own."""

    type: Literal["activation"] = "activation"
    """Kind of layer."""
    activation: ActivationName
    """The function."""


class LayerNormalization(Record):
    """Gives each vector, or each pixel's channels, mean 0 and variance 1, then scale and shift."""

    type: Literal["layer_normalization"] = "layer_normalization"
    """Kind of layer."""
    epsilon: Epsilon = 1e-3
    """Added to the variance to avoid dividing by zero."""


class Conv2D(Record):
    """Slides small filters over the picture; each finds its pattern wherever it stands."""

    type: Literal["conv2d"] = "conv2d"
    """Kind of layer."""
    filters: Units
    """Patterns to learn, which are the channels of what comes out."""
    kernel_size: Size
    """Height and width of a filter in pixels; one number for both."""
    strides: Size = (1, 1)
    """Pixels from one place of a filter to the next."""
    padding: Padding = "valid"
    """Whether filters stay inside the picture, or black borders keep its size."""
    activation: ActivationName = "linear"
    """Function applied to the weighted sums."""
    use_bias: bool = True
    """Whether each filter has a bias to learn."""
    kernel_initializer: ConvInitializer = "glorot_uniform"
    """How the weights are drawn at the start; identity is for dense layers only."""
    kernel_regularizer: Regularizer | None = None
    """Penalty on large weights, or null."""


class _Pooling(Record):
    """What both kinds of pooling share."""

    pool_size: Size = (2, 2)
    """Height and width of a window in pixels; one number for both."""
    strides: Size | None = None
    """Pixels from one window to the next; null: windows side by side."""
    padding: Padding = "valid"
    """Whether a window that reaches over the border is left out or cut off."""


class MaxPooling2D(_Pooling):
    """Keeps the largest value of each window, so that the picture shrinks."""

    type: Literal["max_pooling2d"] = "max_pooling2d"
    """Kind of layer."""


class AveragePooling2D(_Pooling):
    """Keeps the mean of each window, so that the picture shrinks."""

    type: Literal["average_pooling2d"] = "average_pooling2d"
    """Kind of layer."""


class GlobalAveragePooling2D(Record):
    """Turns a picture into a vector: the mean of each channel."""

    type: Literal["global_average_pooling2d"] = "global_average_pooling2d"
    """Kind of layer."""


class Flatten(Record):
    """Turns a picture into a vector of all its values; dense layers do so by themselves."""

    type: Literal["flatten"] = "flatten"
    """Kind of layer."""


_Inner = (
    Dense
    | Dropout
    | BatchNormalization
    | LayerNormalization
    | Activation
    | Conv2D
    | MaxPooling2D
    | AveragePooling2D
)


class Residual(Record):
    """Adds what goes into its layers to what comes out; where shapes differ, a learnt map fits it.

    That is a 1x1 conv2d for pictures and a dense layer for vectors, without bias.
    """

    type: Literal["residual"] = "residual"
    """Kind of layer."""
    layers: Annotated[
        tuple[Annotated[_Inner, Field(discriminator="type")], ...],
        Field(min_length=1, max_length=MAX_LAYERS),
    ]
    """Layers that learn what to add."""


Layer = Annotated[
    _Inner | GlobalAveragePooling2D | Flatten | Residual | Augmentation,
    Field(discriminator="type"),
]


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
