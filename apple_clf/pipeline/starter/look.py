"""A folder of images -> how many there are, and what a sample of them looks like."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from apple_clf.data.appearance import evenly
from apple_clf.data.folders import LabelledFile, Listing, training_files
from apple_clf.errors import DataError, ImageError
from apple_clf.images.decoding import decode
from apple_clf.images.kinds import kind_of
from apple_clf.io.files import printable

LOOKED_AT, AT_LEAST = 64, 4
"""Images opened in all, and of each class where there are many classes."""

MIN_SIDE = 128
"""Pixels that decoding leaves of a large photo, which makes it fast."""

SOME = 0.2
"""Share of the images from which on their kind is not an exception."""


@dataclass(frozen=True)
class Look:
    """What a sample of the training images looks like."""

    seen: Mapping[str, int]  # images opened, by class
    photos: Mapping[str, int]  # of these, by class
    n_in_colour: int
    side: int  # median of the shorter sides, pixels; MIN_SIDE or more all count as large

    @property
    def n_seen(self) -> int:
        """Images that were opened."""
        return sum(self.seen.values())

    @property
    def n_photos(self) -> int:
        """Those that look like photos; the others look like drawings."""
        return sum(self.photos.values())

    @property
    def are_photos(self) -> bool:
        """Whether they are to be treated as photos: a network for drawings fails on these."""
        return self.n_photos >= SOME * self.n_seen

    @property
    def are_mixed(self) -> bool:
        """Whether there are drawings among the photos, too many for an exception."""
        return self.are_photos and self.n_seen - self.n_photos >= SOME * self.n_seen

    @property
    def kind_gives_class_away(self) -> bool:
        """Whether one class has photos where another has drawings."""
        shares = [self.photos[name] / n for name, n in self.seen.items()]
        return min(shares) < SOME and max(shares) > 1 - SOME

    @property
    def in_colour(self) -> bool:
        """Whether enough of them have colour to learn from it."""
        return self.n_in_colour >= SOME * self.n_seen


def look_at(listing: Listing, folder: Path) -> Look:
    """What the training images of a folder look like, by a sample of each class.

    Args:
        listing: of the folder.
        folder: for the message.

    Raises:
        DataError: none of the sample can be read.
    """
    seen: Counter[str] = Counter()
    photos: Counter[str] = Counter()
    sides = []
    n_in_colour = 0
    for file in _sample(listing):
        try:
            pixels = decode(file.path, color_mode="rgb", min_side=MIN_SIDE).pixels
        except ImageError:
            continue
        kind = kind_of(pixels)
        seen[file.class_name] += 1
        photos[file.class_name] += not kind.is_drawing
        n_in_colour += kind.has_colour
        sides.append(min(pixels.shape[:2]))
    if not sides:
        raise DataError(
            f"{printable(folder)}: none of its images can be read. "
            "It needs a folder of images for each class."
        )
    return Look(seen, photos, n_in_colour, side=int(np.median(sides)))


def _sample(listing: Listing) -> Iterator[LabelledFile]:
    """Training images of every class, evenly spread over its files."""
    each = max(AT_LEAST, LOOKED_AT // len(listing.class_names))
    for name in listing.class_names:
        files = [file for file in training_files(listing) if file.class_name == name]
        yield from (files[i] for i in evenly(len(files), most=each))
