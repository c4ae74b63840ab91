"""What the layers in NumPy take from a Keras layer: its settings and its weights."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from apple_clf.arrays import FloatArray
from apple_clf.errors import ArtifactError
from apple_clf.explanation.numpy_backend import activations

Weights = list[FloatArray]
"""In the order in which Keras saves them."""

Settings = Mapping[str, Any]
"""The arguments of a Keras layer, as config.json has them."""


def expect(settings: Settings, **values: object) -> None:
    """Refuses a setting with another value than experiments give it.

    Raises:
        ArtifactError: a setting is there and differs.
    """
    for key, value in values.items():
        if settings.get(key, value) != value:
            raise ArtifactError(f"a layer has {key} {settings[key]!r}, which no experiment gives")


def function_of(settings: Settings) -> str:
    """The name of the activation function.

    Raises:
        ArtifactError: the NumPy backend does not have it.
    """
    name = settings["activation"]
    if name not in activations.NAMES:
        raise ArtifactError(f"its activation {name!r} is none that an experiment names")
    return str(name)


def kernel_and_bias(weights: Weights) -> tuple[FloatArray, FloatArray]:
    """The kernel, and the bias or zeros, (n_units,)."""
    kernel, *bias = weights
    return kernel, bias[0] if bias else np.zeros(kernel.shape[-1], np.float32)
