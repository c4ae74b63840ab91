"""The preprocessing contract: how any picture becomes the pixels a network sees.

One frozen record, written in an experiment's YAML, stored in `model.json` beside the weights, and
obeyed by `images.prepare` alone. It is free of third-party imports because both the
configuration and prediction, which must start at once, need it.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

PREPROCESSING_VERSION = 1
"""Raised whenever the same file would give other pixels; a model refuses another version."""

MAX_SIDE = 1024

ColorMode = Literal["grayscale", "rgb"]
Resize = Literal["stretch", "pad", "crop", "center"]
Polarity = Literal["as_is", "light_on_dark", "dark_on_light", "auto"]


@dataclass(frozen=True, kw_only=True)
class Preprocessing:
    """How a picture becomes a uint8 array of shape (height, width, channels)."""

    __pydantic_config__: ClassVar = {"extra": "forbid", "strict": True}

    image_size: tuple[int, int] = (28, 28)
    """Height and width in pixels, 1 to 1024 each."""

    color_mode: ColorMode = "grayscale"
    """grayscale keeps one channel (ITU-R 601 luma), rgb three."""

    resize: Resize = "center"
    """stretch: to size, ignoring the aspect ratio. pad: whole picture, borders filled.
    crop: the middle. center: crop to the drawing, then centre it with a margin."""

    polarity: Polarity = "auto"
    """What the files hold: as_is and light_on_dark change nothing, dark_on_light inverts, auto
    looks at each picture, so that the network always sees light on dark."""

    def __post_init__(self) -> None:
        """Refuse sizes outside 1 to MAX_SIDE.

        Raises:
            ValueError: a side is out of range.
        """
        if not all(1 <= side <= MAX_SIDE for side in self.image_size):
            message = f"image_size must be 1 to {MAX_SIDE} pixels a side, not {self.image_size!r}"
            raise ValueError(message)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a prepared picture."""
        return (*self.image_size, 1 if self.color_mode == "grayscale" else 3)
