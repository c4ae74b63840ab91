"""Integrated gradients: how much each pixel moved a class's logit."""

from collections.abc import Callable
from functools import partial

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.explanation.network import Network
from apple_clf.explanation.record import Attribution

TOLERANCE = 0.005
"""Of the logit's change; half of the error that is promised."""

FIRST_STEPS, MAX_STEPS = 32, 4096

Batch = Callable[[FloatArray], FloatArray]


def attribute(
    network: Network,
    pixels: UInt8Array,
    *,
    code: int,
    class_name: str,
    first_steps: int = FIRST_STEPS,
    max_steps: int = MAX_STEPS,
) -> Attribution:
    """Each pixel's part in a class's logit, by integrated gradients.

    Args:
        network: of any backend.
        pixels: uint8, (height, width, channels).
        code: of the class.
        class_name: its name.
        first_steps: as of `integrated_gradients`.
        max_steps: likewise.
    """
    return integrated_gradients(
        pixels,
        class_name=class_name,
        logit=partial(network.logits, code=code),
        gradient=partial(network.logit_gradients, code=code),
        first_steps=first_steps,
        max_steps=max_steps,
    )


def integrated_gradients(
    pixels: UInt8Array,
    *,
    class_name: str,
    logit: Batch,
    gradient: Batch,
    first_steps: int = FIRST_STEPS,
    max_steps: int = MAX_STEPS,
) -> Attribution:
    """The gradients of a logit, gathered while the picture comes up from black.

    The way is cut into steps, each with the gradient at its middle. What the logit gains over a
    step is known, so where a step's gradient tells otherwise it is halved: that finds the places
    where neurons switch on.

    Args:
        pixels: uint8, (height, width, channels).
        class_name: whose logit it is.
        logit: of images, (n, height, width, channels) -> (n,).
        gradient: of the logit by the pixels, (n, height, width, channels) -> the same shape.
        first_steps: steps of equal length to begin with.
        max_steps: maximum number of steps; as many as `first_steps`, and none is halved.

    Source: Sundararajan et al. 2017, arXiv:1703.01365, eq. 1; completeness is its proposition 1.
        Steps of different length are not in the paper.
    """
    image = pixels.astype(np.float64)

    def at(places: FloatArray) -> FloatArray:
        return (places[:, None, None, None] * image).astype(np.float32)

    def parts_of(starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Attributions of each step, (n, height, width, channels)."""
        return gradient(at((starts + ends) / 2)) * (ends - starts)[:, None, None, None] * image

    first, last = (float(value) for value in logit(at(np.array([0.0, 1.0]))))
    allowed = TOLERANCE * abs(last - first)
    values = np.zeros_like(image)
    edges = np.linspace(0, 1, first_steps + 1)
    starts, ends = edges[:-1], edges[1:]
    n_steps = 0
    while len(starts):
        parts = parts_of(starts, ends)
        fine = np.ones(len(starts), np.bool_)
        if n_steps + 2 * len(starts) <= max_steps:
            errors = parts.sum(axis=(1, 2, 3)) - (logit(at(ends)) - logit(at(starts)))
            if np.abs(errors).sum() > allowed / 2:
                fine = np.abs(errors) <= allowed * (ends - starts)
        values += parts[fine].sum(axis=0)
        n_steps += int(fine.sum())
        starts, ends = starts[~fine], ends[~fine]
        middles = (starts + ends) / 2
        starts, ends = np.concatenate([starts, middles]), np.concatenate([middles, ends])
    return Attribution(class_name, values, last, first, n_steps)
