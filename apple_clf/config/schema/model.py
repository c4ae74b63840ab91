"""The network: one record per kind of layer.

A new layer is one class, named in `Layer`. The output layer is not written down: the model adds it.
"""

from typing import Annotated, Literal

from pydantic import Field

from apple_clf.config.schema.base import BelowOne, Epsilon, Penalty, Record, Units

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


Layer = Annotated[Dense | Dropout | BatchNormalization | Activation, Field(discriminator="type")]


class ModelConfig(Record):
    """The network between the pixels and the softmax over the classes, which is always added."""

    layers: Annotated[tuple[Layer, ...], Field(max_length=256)] = (
        Dense(units=32, activation="relu"),
        Dense(units=16, activation="relu"),
    )
    """Hidden layers from input to output; none gives softmax regression."""
