"""What shape passes from layer to layer, worked out without TensorFlow, and which cannot follow.

A shape is (height, width, channels) of a picture or (length,) of a vector. An error opens with the
key of the layer it is about.
"""

import math
from collections.abc import Sequence

from apple_clf.config.schema.augmentation import AugmentationRecord
from apple_clf.config.schema.layers import Flatten, Residual, Shape, text_of
from apple_clf.config.schema.model import Layer


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
        if isinstance(layer, AugmentationRecord) and i >= n_augmentations:
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
    steps = [layer.step for layer in layers if not isinstance(layer, Residual)]
    return math.prod(rows for rows, _ in steps), math.prod(columns for _, columns in steps)


def _n_augmentations(layers: Sequence[Layer]) -> int:
    """How many of the layers, from the first one on, are augmentation without a break."""
    others = (i for i, layer in enumerate(layers) if not isinstance(layer, AugmentationRecord))
    return next(others, len(layers))


def _takes_vectors(layer: Layer) -> bool:
    if isinstance(layer, Residual):
        return not _keeps_pictures(layer) and any(map(_takes_vectors, layer.layers))
    return layer.takes == "vectors"


def _keeps_pictures(layer: Layer) -> bool:
    if isinstance(layer, Residual):
        return any(map(_keeps_pictures, layer.layers))
    return layer.takes == "pictures" or isinstance(layer, Flatten)


def _after(layer: Layer, shape: Shape, *, place: str) -> Shape:
    """The shape after one layer."""
    if isinstance(layer, Residual):
        return _after_residual(layer, shape, place=place)
    where = f"{place} ({layer.type})"
    if layer.takes == "pictures" and len(shape) == 1:
        message = (
            f"{where} needs pictures, but gets vectors of {shape[0]}: "
            "put it before what makes them vectors (dense, flatten, global_average_pooling2d)"
        )
        raise ValueError(message)
    if layer.takes == "vectors" and len(shape) == 3:  # inside a residual layer with conv2d, too
        message = f"{where} needs vectors, but gets pictures of {text_of(shape)}: "
        raise ValueError(message + "put it into a residual layer of its own")
    return layer.shape_after(shape, place=place)


def _after_residual(layer: Residual, shape: Shape, *, place: str) -> Shape:
    inner = shape
    for i, one in enumerate(layer.layers):
        inner = _after(one, inner, place=f"{place}.layers.{i}")
    if len(shape) == 1 or inner == shape:
        return inner
    strides = total_strides(layer.layers)
    if inner[:2] != tuple(-(-n // step) for n, step in zip(shape[:2], strides, strict=True)):
        message = (
            f"{place} (residual) turns {text_of(shape)} into {text_of(inner)}, which its input "
            "cannot be fitted to: give its layers padding: same"
        )
        raise ValueError(message)
    return inner
