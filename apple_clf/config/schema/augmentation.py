"""Augmentation: random changes to the training images, one record per kind.

The layers see pixels from 0, black, to 1, white. They change nothing outside training.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, Tag

from apple_clf.config.schema.base import BelowOne, Share, number_or_pair
from apple_clf.config.schema.layers import LayerRecord

FillMode = Literal["constant", "nearest", "reflect", "wrap"]
Interpolation = Literal["nearest", "bilinear"]

_Signed = Annotated[float, Field(ge=-1, le=1)]
_AboveMinusOne = Annotated[float, Field(gt=-1, le=1)]

Factor = Annotated[
    Annotated[Share, Tag("number")] | Annotated[tuple[_Signed, _Signed], Tag("pair")],
    Discriminator(number_or_pair),
]
"""A number f means from -f to f, a pair from its first to its second."""

ZoomFactor = Annotated[
    Annotated[BelowOne, Tag("number")]
    | Annotated[tuple[_AboveMinusOne, _AboveMinusOne], Tag("pair")],
    Discriminator(number_or_pair),
]


PIXEL_RANGE = (0.0, 1.0)


class AugmentationRecord(LayerRecord):
    """A layer that changes training images, and passes on what it gets otherwise."""


class RandomFlip(AugmentationRecord):
    """Mirrors each training image with a chance of one half."""

    keras_class: ClassVar = "RandomFlip"

    type: Literal["random_flip"] = "random_flip"
    """Kind of layer."""
    mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = "horizontal_and_vertical"
    """Left to right, upside down, or each of them independently."""


class _Moved(AugmentationRecord):
    """What layers that move pixels share: where the pixels of bared borders come from."""

    fill_mode: FillMode = "constant"
    """How empty borders are filled: with fill_value, the nearest pixel, or the image mirrored or
    repeated."""
    fill_value: Share = 0.0
    """From 0, black, to 1, white."""
    interpolation: Interpolation = "bilinear"
    """Whether a pixel is mixed from its four neighbours or is the nearest one."""


class RandomRotation(_Moved):
    """Turns each training image about its centre."""

    keras_class: ClassVar = "RandomRotation"

    type: Literal["random_rotation"] = "random_rotation"
    """Kind of layer."""
    factor: Factor
    """Largest angle as a share of a full turn, or a range; above 0 is counter-clockwise."""


class RandomZoom(_Moved):
    """Enlarges or shrinks each training image about its centre."""

    keras_class: ClassVar = "RandomZoom"

    type: Literal["random_zoom"] = "random_zoom"
    """Kind of layer."""
    height_factor: ZoomFactor
    """Largest zoom as a share of the height, or a range; above 0 shrinks what is shown."""
    width_factor: ZoomFactor | None = None
    """The same for the width; null keeps the proportions."""


class RandomTranslation(_Moved):
    """Shifts each training image."""

    keras_class: ClassVar = "RandomTranslation"

    type: Literal["random_translation"] = "random_translation"
    """Kind of layer."""
    height_factor: Factor
    """Largest shift as a share of the height, or a range; above 0 is down."""
    width_factor: Factor
    """Largest shift as a share of the width, or a range; above 0 is right."""


class RandomContrast(AugmentationRecord):
    """Strengthens or weakens the contrast of each training image about its mean."""

    keras_class: ClassVar = "RandomContrast"

    type: Literal["random_contrast"] = "random_contrast"
    """Kind of layer."""
    factor: Share
    """The contrast is multiplied by a number from 1 - factor to 1 + factor."""

    def keras_arguments(self) -> dict[str, Any]:
        # Keras takes a single number for (0, factor).
        return {"factor": (self.factor, self.factor), "value_range": PIXEL_RANGE}


class RandomInvert(AugmentationRecord):
    """Turns some training images into their negatives."""

    keras_class: ClassVar = "RandomInvert"

    type: Literal["random_invert"] = "random_invert"
    """Kind of layer."""
    factor: Share = 1.0
    """Twice the share of images inverted: each one's chance is drawn from 0 to factor."""

    def keras_arguments(self) -> dict[str, Any]:
        return {"factor": self.factor, "value_range": PIXEL_RANGE}


Augmentation = (
    RandomFlip | RandomRotation | RandomZoom | RandomTranslation | RandomContrast | RandomInvert
)
