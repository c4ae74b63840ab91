"""What shape passes from layer to layer, worked out without TensorFlow, and which cannot follow.

A shape is (height, width, channels) of a picture or (length,) of a vector. An error opens with the
key of the layer it is about.
"""

import math
from collections.abc import Sequence

from apple_clf.config.schema.augmentation import Augmentation
from apple_clf.config.schema.model import (
    AveragePooling2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAveragePooling2D,
    Layer,
    LayerNormalization,
    MaxPooling2D,
    Padding,
    Residual,
    Size,
)

Shape = tuple[int, ...]

_Window = Conv2D | MaxPooling2D | AveragePooling2D
_PICTURE = _Window | GlobalAveragePooling2D


def shapes_after(layers: Sequence[Layer], input_shape: Shape) -> list[Shape]:
    """The shape after each layer, the flattening that dense layers bring with them included.

    Args:
        layers: of a model, from input to output.
        input_shape: height, width and channels.

    Raises:
        ValueError: a layer cannot take what comes before it.
    """
    n_augmentations = _n_augmentations(layers)
    flat_from = flatten_index(layers)
    shape, shapes = input_shape, []
    for i, layer in enumerate(layers):
        place = f"model.layers.{i}"
        if isinstance(layer, Augmentation) and i >= n_augmentations:
            message = (
                f"{place} ({layer.type}) changes training images, not what layers make of them: "
                f"put it before model.layers.{n_augmentations} ({layers[n_augmentations].type})"
            )
            raise ValueError(message)
        if i == flat_from:
            shape = (math.prod(shape),)
        shape = _after(layer, shape, place=place)
        shapes.append(shape)
    return shapes


def flatten_index(layers: Sequence[Layer]) -> int:
    """Index of the layer before which pictures become vectors; their number: before the output.

    That is the first dense layer, unless none before it asks for pictures: then all layers but
    augmentation work on vectors.
    """
    dense = next((i for i, layer in enumerate(layers) if _takes_vectors(layer)), len(layers))
    if any(_keeps_pictures(layer) for layer in layers[:dense]):
        return dense
    return _n_augmentations(layers)


def total_strides(layers: Sequence[Layer]) -> tuple[int, int]:
    """Rows and columns of the input for each one of the output, after all these layers."""
    steps = [_strides(layer) for layer in layers if isinstance(layer, _Window)]
    return math.prod(rows for rows, _ in steps), math.prod(columns for _, columns in steps)


def _n_augmentations(layers: Sequence[Layer]) -> int:
    """How many of the layers, from the first one on, are augmentation without a break."""
    others = (i for i, layer in enumerate(layers) if not isinstance(layer, Augmentation))
    return next(others, len(layers))


def _takes_vectors(layer: Layer) -> bool:
    if isinstance(layer, Residual):
        return not _keeps_pictures(layer) and any(map(_takes_vectors, layer.layers))
    return isinstance(layer, Dense)


def _keeps_pictures(layer: Layer) -> bool:
    if isinstance(layer, Residual):
        return any(map(_keeps_pictures, layer.layers))
    return isinstance(layer, _PICTURE | Flatten)


def _after(layer: Layer, shape: Shape, *, place: str) -> Shape:
    """The shape after one layer."""
    where = f"{place} ({layer.type})"
    if isinstance(layer, _PICTURE) and len(shape) == 1:
        message = (
            f"{where} needs pictures, but gets vectors of {shape[0]}: "
            "put it before what makes them vectors (dense, flatten, global_average_pooling2d)"
        )
        raise ValueError(message)
    match layer:
        case Dense():
            if len(shape) == 3:  # only inside a residual layer that has conv2d or pooling too
                message = f"{where} needs vectors, but gets pictures of {_text(shape)}: "
                raise ValueError(message + "put it into a residual layer of its own")
            return (layer.units,)
        case Conv2D():
            return (*_slide(layer, layer.kernel_size, shape, place=place), layer.filters)
        case MaxPooling2D() | AveragePooling2D():
            return (*_slide(layer, layer.pool_size, shape, place=place), shape[2])
        case GlobalAveragePooling2D():
            return shape[2:]
        case Flatten():
            return (math.prod(shape),)
        case LayerNormalization() if shape[-1] == 1:
            message = f"{where} gets {_text(shape)}, and a single number is 0 once normalised: "
            raise ValueError(message + "put it after a layer with more units or filters")
        case Residual():
            return _after_residual(layer, shape, place=place)
    return shape


def _after_residual(layer: Residual, shape: Shape, *, place: str) -> Shape:
    inner = shape
    for i, one in enumerate(layer.layers):
        inner = _after(one, inner, place=f"{place}.layers.{i}")
    if len(shape) == 1 or inner == shape:
        return inner
    strides = total_strides(layer.layers)
    if inner[:2] != tuple(-(-n // step) for n, step in zip(shape[:2], strides, strict=True)):
        message = (
            f"{place} (residual) turns {_text(shape)} into {_text(inner)}, which its input cannot "
            "be fitted to: give its layers padding: same"
        )
        raise ValueError(message)
    return inner


def _slide(layer: _Window, size: Size, shape: Shape, *, place: str) -> Shape:
    """Rows and columns that a window of this size finds in a picture."""
    window = _pair(size)
    if layer.padding == "valid" and (window[0] > shape[0] or window[1] > shape[1]):
        key = "kernel_size" if isinstance(layer, Conv2D) else "pool_size"
        message = (
            f"{place}.{key} {_text(window)} is larger than the {_text(shape)} that {layer.type} "
            "gets: make it smaller, or set padding: same"
        )
        raise ValueError(message)
    return tuple(
        _count(side, window=wide, step=step, padding=layer.padding)
        for side, wide, step in zip(shape[:2], window, _strides(layer), strict=True)
    )


def _count(side: int, *, window: int, step: int, padding: Padding) -> int:
    """Places of a window along a side; `same` takes any that holds a pixel at its start."""
    return -(-side // step) if padding == "same" else (side - window) // step + 1


def _strides(layer: _Window) -> tuple[int, int]:
    if isinstance(layer, Conv2D):
        return _pair(layer.strides)
    return _pair(layer.pool_size if layer.strides is None else layer.strides)


def _pair(size: Size) -> tuple[int, int]:
    return size if isinstance(size, tuple) else (size, size)


def _text(shape: Shape) -> str:
    """A shape as people write it, such as 28x28x1."""
    return "x".join(map(str, shape))
