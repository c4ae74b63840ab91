"""Layer of an experiment -> Keras layers.

The keys of a record are the arguments of its Keras class, so they are handed over as they are.
"""

from typing import Any

from apple_clf.config.schema.layers import Residual
from apple_clf.config.schema.model import Layer
from apple_clf.config.schema.shapes import total_strides
from apple_clf.model.backend import keras

Tensor = Any  # Keras ships no types


def connect(config: Layer, x: Tensor, *, name: str) -> Tensor:
    """What a layer of the experiment makes of its input.

    Args:
        config: the layer.
        x: a symbolic tensor of Keras, of a shape that the layer takes.
        name: of the Keras layer that gives the result; those inside a residual layer add to it.
    """
    if isinstance(config, Residual):
        return _add_input(config, x, name=name)
    kind = getattr(keras.layers, config.keras_class)
    return kind(**config.keras_arguments(), name=name)(x)


def _add_input(config: Residual, x: Tensor, *, name: str) -> Tensor:
    """The input plus what the inner layers make of it.

    Source: He et al. 2016, arXiv:1512.03385, equations 1 and 2.
    """
    y = x
    for i, layer in enumerate(config.layers, start=1):
        y = connect(layer, y, name=f"{name}_{layer.type}_{i}")
    if x.shape != y.shape:
        x = _projection(config, n=y.shape[-1], rank=len(x.shape), name=f"{name}_projection")(x)
    if x.shape != y.shape:  # Keras's Add would stretch a side of 1 over the other
        raise ValueError(f"{name}: {x.shape} does not fit {y.shape}")
    return keras.layers.Add(name=name)([x, y])


def _projection(config: Residual, *, n: int, rank: int, name: str) -> Any:
    """The layer that fits the input of a residual layer to its output of n channels or units."""
    if rank == 2:
        return keras.layers.Dense(n, use_bias=False, name=name)
    strides = total_strides(config.layers)
    return keras.layers.Conv2D(n, 1, strides=strides, use_bias=False, name=name)
