"""A small network for photos: the layers of configs/photos.yaml, for pictures of any size."""

from apple_clf.config.schema.augmentation import (
    RandomContrast,
    RandomFlip,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from apple_clf.config.schema.layers import (
    Activation,
    BatchNormalization,
    Conv2D,
    Dropout,
    GlobalAveragePooling2D,
    MaxPooling2D,
    Size,
)
from apple_clf.config.schema.model import Layer

SMALLEST, LARGEST = 16, 64
"""Pixels a side. What is larger takes longer and tells this network no more."""

SMALL = 40
"""Pixels a side up to which the first convolution looks at every place, not at every second."""


def photo_size(side: int) -> int:
    """Height and width to see photos in whose shorter side has so many pixels."""
    return min(LARGEST, max(SMALLEST, side))


def photo_layers(size: int) -> tuple[Layer, ...]:
    """Augmentation, three convolutions and an average over the picture.

    Args:
        size: height and width of the pictures, from SMALLEST on.
    """
    return (
        RandomFlip(mode="horizontal"),
        RandomRotation(factor=0.05, fill_mode="reflect"),
        RandomZoom(height_factor=0.2, width_factor=0.2, fill_mode="reflect"),
        RandomTranslation(height_factor=0.1, width_factor=0.1, fill_mode="reflect"),
        RandomContrast(factor=0.2),
        *(_convolution(16) if size <= SMALL else _convolution(16, kernel_size=5, strides=2)),
        *_convolution(32),
        MaxPooling2D(),
        *_convolution(64),
        GlobalAveragePooling2D(),
        Dropout(rate=0.3),
    )


def _convolution(filters: int, *, kernel_size: int = 3, strides: Size = (1, 1)) -> list[Layer]:
    conv = Conv2D(
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
    )
    return [conv, BatchNormalization(momentum=0.9), Activation(activation="relu")]
