"""Integrated gradients: how much each pixel moved a class's logit."""

from collections.abc import Callable

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.explanation.record import Attribution

TOLERANCE = 0.005
"""Of the logit's change; half of the error that is promised."""

FIRST_STEPS, MAX_STEPS = 32, 4096

Batch = Callable[[FloatArray], FloatArray]


def integrated_gradients(
    pixels: UInt8Array, *, class_name: str, logit: Batch, gradient: Batch
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

    Source: Sundararajan et al. 2017, arXiv:1703.01365, eq. 1; completeness is its proposition 1.
        Steps of different length are not in the paper.
    """
    image = pixels.astype(np.float64)

    def at(places: FloatArray) -> FloatArray:
        return (places[:, None, None, None] * image).astype(np.float32)

    def gained(starts: FloatArray, ends: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Attributions of each step, (n, height, width, channels), and the error of their sum."""
        parts = gradient(at((starts + ends) / 2)) * (ends - starts)[:, None, None, None] * image
        return parts, parts.sum(axis=(1, 2, 3)) - (logit(at(ends)) - logit(at(starts)))

    first, last = (float(value) for value in logit(at(np.array([0.0, 1.0]))))
    allowed = TOLERANCE * abs(last - first)
    values = np.zeros_like(image)
    edges = np.linspace(0, 1, FIRST_STEPS + 1)
    starts, ends = edges[:-1], edges[1:]
    n_steps = 0
    while len(starts):
        parts, errors = gained(starts, ends)
        fine = np.abs(errors) <= allowed * (ends - starts)
        if n_steps + 2 * len(starts) > MAX_STEPS or np.abs(errors).sum() <= allowed / 2:
            fine[:] = True
        values += parts[fine].sum(axis=0)
        n_steps += int(fine.sum())
        starts, ends = starts[~fine], ends[~fine]
        middles = (starts + ends) / 2
        starts, ends = np.concatenate([starts, middles]), np.concatenate([middles, ends])
    return Attribution(class_name, values, last, first, n_steps)
