"""The preprocessing contract: how any picture becomes the pixels a network sees.

One frozen record, written in an experiment's YAML, stored in `model.json` beside the weights, and
obeyed by `images.prepare` alone. It is free of third-party imports because both the
configuration and prediction, which must start at once, need it.
"""

from dataclasses import dataclass, replace
from typing import ClassVar, Literal

PREPROCESSING_VERSION = 2
"""Raised whenever the same file would give other pixels; a model refuses a newer version.

1: no `reader`; what it did is `pixels`; white is 65535. 2: `reader` and `max_value`."""

MAX_SIDE = 1024

RANGES = (255, 1023, 4095, 16383, 65535)
"""White in pictures of 8, 10, 12, 14 and 16 bits, which all come in files of 16 bits."""

ColorMode = Literal["grayscale", "rgb"]
Resize = Literal["stretch", "pad", "crop", "center"]
Polarity = Literal["as_is", "light_on_dark", "dark_on_light", "auto"]
Reader = Literal["pixels", "bitmap", "paper", "auto"]


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

    reader: Reader = "auto"
    """Where a drawing is in a picture, for grayscale and center. pixels: the picture is used as it
    is. bitmap: as it is, its strokes brought to full strength. paper: pen on paper, photographed or
    scanned; the strokes are found and drawn again in one width. auto: bitmap for pictures about as
    small as image_size, paper for larger ones. Photos and patterns are always read as pixels."""

    max_value: int | None = None
    """White in gray pictures of 16 bits, 1 to 65535; null: found in the training images (the
    smallest of 255, 1023, 4095, 16383, 65535 that all of them fit), then recorded with the model.
    Pictures of 8 bits are not affected."""

    def __post_init__(self) -> None:
        """Refuse values out of range, and a reader of drawings for what is none.

        Raises:
            ValueError: a side or max_value is out of range, or reader does not fit color_mode and
                resize.
        """
        if self.max_value is not None and not 1 <= self.max_value <= RANGES[-1]:
            raise ValueError(f"max_value must be 1 to {RANGES[-1]}, not {self.max_value!r}")
        if not all(1 <= side <= MAX_SIDE for side in self.image_size):
            message = f"image_size must be 1 to {MAX_SIDE} pixels a side, not {self.image_size!r}"
            raise ValueError(message)
        if self.reader in ("bitmap", "paper") and not self._may_hold_drawings:
            message = f"reader {self.reader} needs color_mode grayscale and resize center"
            raise ValueError(message)

    @property
    def _may_hold_drawings(self) -> bool:
        return self.color_mode == "grayscale" and self.resize == "center"

    @property
    def reads_drawings(self) -> bool:
        """Whether strokes are looked for, rather than the picture used as it is."""
        return self.reader != "pixels" and self._may_hold_drawings

    def resolved(self, largest: int) -> "Preprocessing":
        """The same with max_value a number.

        Args:
            largest: value in the 16-bit pictures of the training data; 0 if there are none.
        """
        if self.max_value is not None:
            return self
        fitting = (value for value in RANGES if largest <= value)
        return replace(self, max_value=next(fitting) if largest else RANGES[-1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of a prepared picture."""
        return (*self.image_size, 1 if self.color_mode == "grayscale" else 3)
