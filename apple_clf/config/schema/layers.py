"""The layers of a network: a record for each kind, with all that is to be known of it.

A new layer is one class here, named in `Inner` or in `Layer` (model.py). What goes into its Keras
class, and which shape it gives, stands on the record; an architecture drawn without TensorFlow
(`explanation/numpy_backend`) computes it, too, if it has a function for it.
"""

import math
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

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

_Axis = Annotated[int, Field(ge=1, le=3)]

Padding = Literal["valid", "same"]

Shape = tuple[int, ...]
"""(height, width, channels) of a picture, or (length,) of a vector."""


class LayerRecord(Record):
    """What every layer is known by.

    Its keys are the arguments of its Keras class.
    """

    keras_class: ClassVar[str]
    takes: ClassVar[Literal["anything", "pictures", "vectors"]] = "anything"
    # Keys of the number of units or filters, of how weights are drawn, of penalties on weights.
    width: ClassVar[str | None] = None
    initializers: ClassVar[tuple[str, ...]] = ()
    penalties: ClassVar[tuple[str, ...]] = ()

    @property
    def step(self) -> tuple[int, int]:
        """Rows and columns of the input for each one of the output."""
        return 1, 1

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        """The shape that comes out.

        Args:
            shape: what goes in, as `takes` says.
            place: key of the layer, which an error opens with.

        Raises:
            ValueError: the layer cannot take it.
        """
        return shape

    @property
    def activation_name(self) -> str | None:
        """The activation function, of a layer that has one."""
        return getattr(self, "activation", None)

    def keras_arguments(self) -> dict[str, Any]:
        """The arguments of the Keras class."""
        penalties = {key: _penalty(getattr(self, key)) for key in self.penalties}
        return self.model_dump(exclude={"type"}) | penalties


def text_of(shape: Shape) -> str:
    """A shape as people write it, such as 28x28x1."""
    return "x".join(map(str, shape))


def _pair(size: Size) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def _places(
    shape: Shape, window: Size, step: tuple[int, int], padding: Padding, *, kind: str, key: str
) -> tuple[int, int]:
    """Rows and columns that a window finds in a picture.

    Args:
        shape: of the picture.
        window: its size.
        step: from one place to the next, down and across.
        padding: same takes any place that holds a pixel at its start.
        kind: of the layer whose window it is, for an error.
        key: of the window's size, which an error opens with.
    """
    window = _pair(window)
    if padding == "valid" and (window[0] > shape[0] or window[1] > shape[1]):
        message = (
            f"{key} {text_of(window)} is larger than the {text_of(shape)} that {kind} "
            "gets: make it smaller, or set padding: same"
        )
        raise ValueError(message)
    rows, columns = (
        -(-side // one) if padding == "same" else (side - wide) // one + 1
        for side, wide, one in zip(shape[:2], window, step, strict=True)
    )
    return rows, columns


class Regularizer(Record):
    """A penalty on large weights, added to the loss."""

    l1: Penalty = 0.0
    """Factor of the sum of absolute weights."""
    l2: Penalty = 0.0
    """Factor of the sum of squared weights."""


def _penalty(config: Regularizer | None) -> dict[str, Any] | None:
    """The regularizer as Keras's layers take it."""
    return None if config is None else {"class_name": "L1L2", "config": config.model_dump()}


class Dense(LayerRecord):
    """Every unit sees every output of the layer before."""

    keras_class: ClassVar = "Dense"
    takes: ClassVar = "vectors"
    width: ClassVar = "units"
    initializers: ClassVar = ("kernel_initializer",)
    penalties: ClassVar = ("kernel_regularizer",)

    type: Literal["dense"] = "dense"
    """Kind of layer."""
    units: Units
    """Neurons."""
    activation: ActivationName = "linear"
    """Activation function."""
    use_bias: bool = True
    """Whether to learn a bias for each neuron."""
    kernel_initializer: Initializer = "glorot_uniform"
    """Initializer of the weights."""
    kernel_regularizer: Regularizer | None = None
    """Penalty on large weights, or null."""

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        return (self.units,)


class Dropout(LayerRecord):
    """Sets random inputs to zero while training, so that no neuron relies on another."""

    keras_class: ClassVar = "Dropout"

    type: Literal["dropout"] = "dropout"
    """Kind of layer."""
    rate: BelowOne
    """Share of the inputs set to zero."""


class GaussianNoise(LayerRecord):
    """Adds random numbers to the inputs while training, so that small differences matter less."""

    keras_class: ClassVar = "GaussianNoise"

    type: Literal["gaussian_noise"] = "gaussian_noise"
    """Kind of layer."""
    stddev: Annotated[float, Field(ge=0, le=1000)]
    """Standard deviation of the numbers; pixels go from 0 to 1."""


class BatchNormalization(LayerRecord):
    """Gives each input mean 0 and variance 1 over the batch, then a learnt scale and shift."""

    keras_class: ClassVar = "BatchNormalization"

    type: Literal["batch_normalization"] = "batch_normalization"
    """Kind of layer."""
    momentum: BelowOne = 0.99
    """Decay rate of the running mean and variance that are used for prediction."""
    epsilon: Epsilon = 1e-3
    """Small constant that avoids division by zero."""


class Activation(LayerRecord):
    """An activation function as a layer of its own."""

    keras_class: ClassVar = "Activation"

    type: Literal["activation"] = "activation"
    """Kind of layer."""
    activation: ActivationName
    """The function."""


class PReLU(LayerRecord):
    """Relu whose slope below zero is learnt, for each input by itself.

    Source: He et al. 2015, arXiv:1502.01852, equation 1.
    """

    keras_class: ClassVar = "PReLU"

    type: Literal["prelu"] = "prelu"
    """Kind of layer."""
    alpha_initializer: ConvInitializer = "zeros"
    """Initializer of the slopes."""
    shared_axes: Annotated[tuple[_Axis, ...], Field(min_length=1, max_length=3)] | None = None
    """Axes along which one slope is shared: [1, 2] gives one for each channel of a picture."""

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        if self.shared_axes is None or max(self.shared_axes) <= len(shape):
            return shape
        message = (
            f"{place}.shared_axes goes up to {max(self.shared_axes)}, but {self.type} gets "
            f"{text_of(shape)}, which has the axes 1 to {len(shape)}: leave out the others"
        )
        raise ValueError(message)


class LayerNormalization(LayerRecord):
    """Gives each vector, or each pixel's channels, mean 0 and variance 1, then scale and shift."""

    keras_class: ClassVar = "LayerNormalization"

    type: Literal["layer_normalization"] = "layer_normalization"
    """Kind of layer."""
    epsilon: Epsilon = 1e-3
    """Small constant that avoids division by zero."""

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        if shape[-1] > 1:
            return shape
        message = (
            f"{place} ({self.type}) gets {text_of(shape)}, and a single number is 0 once "
            "normalised: put it after a layer with more units or filters"
        )
        raise ValueError(message)


class Conv2D(LayerRecord):
    """Slides small filters over the picture; each finds its pattern wherever it stands."""

    keras_class: ClassVar = "Conv2D"
    takes: ClassVar = "pictures"
    width: ClassVar = "filters"
    initializers: ClassVar = ("kernel_initializer",)
    penalties: ClassVar = ("kernel_regularizer",)

    type: Literal["conv2d"] = "conv2d"
    """Kind of layer."""
    filters: Units
    """Number of filters, which is the number of output channels."""
    kernel_size: Size
    """Height and width of a filter in pixels, or one number for both."""
    strides: Size = (1, 1)
    """Step of the filters in pixels."""
    padding: Padding = "valid"
    """valid keeps filters inside the picture, same pads it with black."""
    activation: ActivationName = "linear"
    """Activation function."""
    use_bias: bool = True
    """Whether to learn a bias for each filter."""
    kernel_initializer: ConvInitializer = "glorot_uniform"
    """Initializer of the weights; identity is for dense layers only."""
    kernel_regularizer: Regularizer | None = None
    """Penalty on large weights, or null."""

    @property
    def step(self) -> tuple[int, int]:
        return _pair(self.strides)

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        places = _places(
            shape, self.kernel_size, self.step, self.padding,
            kind=self.type, key=f"{place}.kernel_size",
        )  # fmt: skip
        return (*places, self.filters)


class DepthwiseConv2D(LayerRecord):
    """Slides filters over each channel by itself, with far fewer weights than conv2d."""

    keras_class: ClassVar = "DepthwiseConv2D"
    takes: ClassVar = "pictures"
    initializers: ClassVar = ("depthwise_initializer",)
    penalties: ClassVar = ("depthwise_regularizer",)

    type: Literal["depthwise_conv2d"] = "depthwise_conv2d"
    """Kind of layer."""
    kernel_size: Size
    """Height and width of a filter in pixels, or one number for both."""
    strides: _Side = 1
    """Step of the filters in pixels, down and across."""
    padding: Padding = "valid"
    """valid keeps filters inside the picture, same pads it with black."""
    depth_multiplier: Units = 1
    """Number of filters per input channel."""
    activation: ActivationName = "linear"
    """Activation function."""
    use_bias: bool = True
    """Whether to learn a bias for each filter."""
    depthwise_initializer: ConvInitializer = "glorot_uniform"
    """Initializer of the weights."""
    depthwise_regularizer: Regularizer | None = None
    """Penalty on large weights, or null."""

    @property
    def step(self) -> tuple[int, int]:
        return self.strides, self.strides

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        places = _places(
            shape, self.kernel_size, self.step, self.padding,
            kind=self.type, key=f"{place}.kernel_size",
        )  # fmt: skip
        return (*places, shape[2] * self.depth_multiplier)


class SeparableConv2D(LayerRecord):
    """A depthwise convolution, then one that mixes the channels of each pixel.

    Source: Chollet 2017, arXiv:1610.02357, section 2.
    """

    keras_class: ClassVar = "SeparableConv2D"
    takes: ClassVar = "pictures"
    width: ClassVar = "filters"
    initializers: ClassVar = ("depthwise_initializer", "pointwise_initializer")
    penalties: ClassVar = ("depthwise_regularizer", "pointwise_regularizer")

    type: Literal["separable_conv2d"] = "separable_conv2d"
    """Kind of layer."""
    filters: Units
    """Number of output channels."""
    kernel_size: Size
    """Height and width of a depthwise filter in pixels, or one number for both."""
    strides: _Side = 1
    """Step of the filters in pixels, down and across."""
    padding: Padding = "valid"
    """valid keeps filters inside the picture, same pads it with black."""
    depth_multiplier: Units = 1
    """Number of depthwise filters per input channel."""
    activation: ActivationName = "linear"
    """Activation function."""
    use_bias: bool = True
    """Whether to learn a bias for each output channel."""
    depthwise_initializer: ConvInitializer = "glorot_uniform"
    """Initializer of the depthwise filters."""
    pointwise_initializer: ConvInitializer = "glorot_uniform"
    """Initializer of the pointwise weights."""
    depthwise_regularizer: Regularizer | None = None
    """Penalty on large weights of the depthwise filters, or null."""
    pointwise_regularizer: Regularizer | None = None
    """Penalty on large pointwise weights, or null."""

    @property
    def step(self) -> tuple[int, int]:
        return self.strides, self.strides

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        places = _places(
            shape, self.kernel_size, self.step, self.padding,
            kind=self.type, key=f"{place}.kernel_size",
        )  # fmt: skip
        return (*places, self.filters)


class _Pooling(LayerRecord):
    """What both kinds of pooling share."""

    takes: ClassVar = "pictures"

    type: str
    """Kind of layer."""
    pool_size: Size = (2, 2)
    """Height and width of a window in pixels, or one number for both."""
    strides: Size | None = None
    """Step of the windows in pixels; null: windows side by side."""
    padding: Padding = "valid"
    """valid leaves out windows that reach over the border, same cuts them off."""

    @property
    def step(self) -> tuple[int, int]:
        return _pair(self.pool_size if self.strides is None else self.strides)

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        places = _places(
            shape, self.pool_size, self.step, self.padding,
            kind=self.type, key=f"{place}.pool_size",
        )  # fmt: skip
        return (*places, shape[2])


class MaxPooling2D(_Pooling):
    """Keeps the largest value of each window, so that the picture shrinks."""

    keras_class: ClassVar = "MaxPooling2D"

    type: Literal["max_pooling2d"] = "max_pooling2d"
    """Kind of layer."""


class AveragePooling2D(_Pooling):
    """Keeps the mean of each window, so that the picture shrinks."""

    keras_class: ClassVar = "AveragePooling2D"

    type: Literal["average_pooling2d"] = "average_pooling2d"
    """Kind of layer."""


class GlobalAveragePooling2D(LayerRecord):
    """Turns a picture into a vector: the mean of each channel."""

    keras_class: ClassVar = "GlobalAveragePooling2D"
    takes: ClassVar = "pictures"

    type: Literal["global_average_pooling2d"] = "global_average_pooling2d"
    """Kind of layer."""

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        return shape[2:]


class Flatten(LayerRecord):
    """Turns a picture into a vector of all its values; dense layers do so by themselves."""

    keras_class: ClassVar = "Flatten"

    type: Literal["flatten"] = "flatten"
    """Kind of layer."""

    def shape_after(self, shape: Shape, *, place: str) -> Shape:
        return (math.prod(shape),)


Inner = (
    Dense
    | Dropout
    | GaussianNoise
    | BatchNormalization
    | LayerNormalization
    | Activation
    | PReLU
    | Conv2D
    | DepthwiseConv2D
    | SeparableConv2D
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
        tuple[Annotated[Inner, Field(discriminator="type")], ...],
        Field(min_length=1, max_length=MAX_LAYERS),
    ]
    """Layers that learn what to add."""
