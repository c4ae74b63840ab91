"""What the training images look like as they came, before they are prepared for a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from apple_clf.arrays import UInt8Array
from apple_clf.errors import ImageError
from apple_clf.images.decoding import decode
from apple_clf.images.kinds import kind_of

LOOKED_AT = 32
"""Training images; a share of a half is then known to about 0.17. Small ones take 4 ms each, a
photo of twelve megapixels 50."""

MIN_SIDE = 64
"""Pixels that decoding leaves of a large photo."""


@dataclass(frozen=True)
class Appearance:
    """Shares of a sample of the training images."""

    looked_at: int
    photos: float  # the others look like drawings
    in_colour: float
    side: int  # median of the shorter sides, pixels; MIN_SIDE or more all count as large


def evenly(n: int, *, most: int = LOOKED_AT) -> list[int]:
    """Up to so many places of n, evenly spread: the same for the same n."""
    count = min(most, n)
    return [i * n // count for i in range(count)]


def appearance_of(images: Sequence[str | UInt8Array]) -> Appearance | None:
    """What images look like; None if none of them can be read.

    Args:
        images: files, or pixels, uint8, (height, width) or (height, width, channels).
    """
    pictures = list(_readable(images))
    if not pictures:
        return None
    kinds = [kind_of(picture) for picture in pictures]
    return Appearance(
        looked_at=len(kinds),
        photos=sum(not kind.is_drawing for kind in kinds) / len(kinds),
        in_colour=sum(kind.has_colour for kind in kinds) / len(kinds),
        side=int(median(min(picture.shape[:2]) for picture in pictures)),
    )


def _readable(images: Sequence[str | UInt8Array]) -> Iterator[UInt8Array]:
    for image in images:
        if not isinstance(image, str):
            yield image
            continue
        try:
            yield decode(image, color_mode="rgb", min_side=MIN_SIDE).pixels
        except ImageError:
            continue
