"""Pixels -> what a picture looks like, in a few numbers: its light, contrast and roughness.

A network answers pictures that it was never meant for, too, and its features tell them from the
ones it knows worse than these numbers do, which owe nothing to what it has learnt.
"""

from functools import cache
from typing import Any

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.model.backend import tf

N_SCALES = 4
MIN_SIDE = 3  # pixels; smaller pictures have no texture
FLOOR = 1e-4  # added before the logarithm, about the square of two gray levels
GRAY_FLOOR = 1e-3  # likewise for how gray pixels are, which is nearly 0 for some drawings
BATCH = 256


def appearance(pixels: tf.Tensor) -> tf.Tensor:
    """Logarithms of means of each channel, float32, (n, n_numbers).

    Of x in [0, 1], at up to four scales: x, x^2 and (1 - x)^2, and the squared differences of
    neighbours down and across. Each scale has half the side of the one before; the last has at
    least 3 pixels. Besides, of the pixels themselves and of the largest m among each and its
    neighbours: x(1 - x) and m(1 - m), which tell strokes of full strength from blurred spots.

    Args:
        pixels: uint8 tensor, (n, height, width, channels).
    """
    x = tf.cast(pixels, tf.float32) / 255
    largest = tf.nn.max_pool2d(x, 3, 1, "SAME")
    numbers = [_means(each * (1 - each)) + GRAY_FLOOR - FLOOR for each in (x, largest)]
    for scale in range(N_SCALES):
        height, width = x.shape[1:3]
        if scale and min(height, width) < MIN_SIDE:
            break
        mean, square = _means(x), _means(tf.square(x))
        numbers += [mean, square, 1 - 2 * mean + square]
        if height > 1:
            numbers.append(_means(tf.square(x[:, 1:] - x[:, :-1])))
        if width > 1:
            numbers.append(_means(tf.square(x[:, :, 1:] - x[:, :, :-1])))
        if min(height, width) > 1:
            x = tf.nn.avg_pool2d(x, 2, 2, "VALID")
    return tf.math.log(tf.concat(numbers, axis=1) + FLOOR)


def _means(x: tf.Tensor) -> tf.Tensor:
    """Means of each channel, (n, channels); LiteRT takes them faster as a pooling than as a sum."""
    _, height, width, channels = x.shape
    return tf.reshape(tf.nn.avg_pool2d(x, (height, width), 1, "VALID"), (-1, channels))


def appearances(images: UInt8Array) -> FloatArray:
    """The appearance of many pictures, float32, (n, n_numbers).

    Args:
        images: uint8, (n, height, width, channels).
    """
    compute = _compiled(images.shape[1:])
    parts = [compute(images[i : i + BATCH]).numpy() for i in range(0, len(images), BATCH)]
    return np.concatenate(parts)


@cache
def _compiled(shape: tuple[int, ...]) -> Any:
    """`appearance` for pictures of one shape, traced once however many trainings ask for it."""
    return tf.function(appearance, input_signature=[tf.TensorSpec((None, *shape), tf.uint8)])
