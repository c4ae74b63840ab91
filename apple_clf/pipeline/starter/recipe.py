"""How many images there are, and what they look like -> the experiment that fits them.

Every number here is chosen on training images or for the time it costs, see docs/results.md.
"""

import math
from collections import Counter
from dataclasses import dataclass

from apple_clf.config.photo_network import SMALL, photo_size
from apple_clf.data.folders import Listing, training_files

FEW_IN_CLASS, FEW_TO_VALIDATE = 30, 20
"""Training images of the rarest class, or validation images, below which none are kept for
validation: so few say nothing, and training needs them more."""

MANY = 2000
"""Training images from which on a twentieth of them is enough for validation."""

BUDGET = 90.0
"""Seconds of training that a first experiment may take on a fast machine; fewer epochs keep to it.
"""

START, PER_EPOCH = 12.0, 0.02
"""Seconds that a training costs besides the network's, and each epoch, on a fast core."""

SLOWER = 5
"""How much longer a slow machine takes: photos.yaml took from 20 to 116 s, an epoch of
quickdraw.yaml from 0.3 to 1.2 s, on idle machines of two cores."""

FEWEST_EPOCHS = 10


@dataclass(frozen=True)
class Recipe:
    """What kind of experiment to write, and how long to train."""

    size: int  # height and width in pixels
    epochs: int
    batch_size: int
    seconds: float  # that a training takes on a fast machine, roughly


@dataclass(frozen=True)
class Counts:
    """Images in each split, and how they are drawn where the folder has no such split."""

    n_train: int
    n_test: int
    rarest: int  # training images of the rarest class, those to be held out among them
    validation_split: float | None  # share; None: the folder has its own
    test_split: float | None
    are_few: bool

    @property
    def margin(self) -> float:
        """How far off the accuracy on the test images may be: half of a 95 % interval, at most."""
        return min(0.5, 1 / math.sqrt(max(1, self.n_test)))


def count_images(listing: Listing) -> Counts:
    """How many images there are to train on and to judge by, and which to hold out."""
    by_class = Counter(file.class_name for file in training_files(listing))
    n, rarest = sum(by_class.values()), min(by_class.values())
    share = 0.05 if n >= MANY else 0.15
    are_few = rarest < FEW_IN_CLASS or share * n < FEW_TO_VALIDATE
    validation = None if "validation" in listing.splits else 0.0 if are_few else share
    test = None if "test" in listing.splits else 0.2 if are_few else 0.15
    if test and rarest < 3:
        test = 0.0
    held_out = {name: round(n * (test or 0)) or bool(test) for name, n in by_class.items()}
    n_test = sum(held_out.values()) or sum(file.split == "test" for file in listing.files)
    n_train = round(n * (1 - (validation or 0))) - sum(held_out.values())
    return Counts(n_train, n_test, rarest, validation, test, are_few)


def for_drawings(n_train: int, side: int) -> Recipe:
    """A dense network on small gray pictures, as configs/quickdraw.yaml.

    Args:
        n_train: training images.
        side: of the pictures, in pixels; drawings of 28 keep their own pixels on 40.
    """
    batch_size = 128 if n_train >= MANY else 32
    size = 40 if side >= 28 else 28
    cost = 0.06e-3 * (size / 40) ** 2  # seconds an image and epoch
    return _timed(n_train, size, batch_size, cost=cost, usual=200, passes=3_000)


def for_simulated() -> Recipe:
    """The same network for simulated pictures, of which there are as many as one likes."""
    return _timed(4000, 28, 128, cost=0.03e-3, usual=50, passes=0)


def for_photos(n_train: int, side: int) -> Recipe:
    """Convolutions on pictures of up to 64 pixels a side, as configs/photos.yaml.

    Args:
        n_train: training images.
        side: of the pictures, in pixels.
    """
    size = photo_size(side)
    shrink = 1 if size <= SMALL else 2
    cost = 0.7e-3 * (size / shrink / 32) ** 2  # seconds an image and epoch
    return _timed(n_train, size, 16, cost=cost, usual=60, passes=15_000)


def _timed(
    n_train: int, size: int, batch_size: int, *, cost: float, usual: int, passes: int
) -> Recipe:
    """Usual epochs; more for few images, up to so many passes of one; fewer where time runs out."""
    wanted = min(300, max(usual, passes // n_train))
    each = PER_EPOCH + n_train * cost
    epochs = max(FEWEST_EPOCHS, min(wanted, int(BUDGET / each)))
    epochs = epochs if epochs < 20 else epochs // 10 * 10
    return Recipe(size, epochs, batch_size, START + epochs * each)
