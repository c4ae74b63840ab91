"""The test images worth looking at: surest right, surest wrong, closest calls, and the unsure."""

import io
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import BoolArray, FloatArray, IntArray, UInt8Array

GROUPS = ("right", "wrong", "close", "unsure")
A_GROUP = 12
LONGEST_SIDE = 96  # pixels: enough to see what a picture shows, and small in a file


@dataclass(frozen=True)
class Gallery:
    """Some of the evaluated images, in groups that may overlap."""

    groups: dict[str, IntArray]  # by each of `GROUPS`: rows of predictions.csv from 0, (n_group,)
    rows: IntArray  # of all groups, ascending, (n,)
    images: UInt8Array  # (n, height, width, channels)

    def to_bytes(self) -> bytes:
        """An .npz file with an array per group, rows and images; the same bytes for the same."""
        buffer = io.BytesIO()
        np.savez_compressed(buffer, rows=self.rows, images=self.images, **self.groups)  # type: ignore[arg-type]  # NumPy's stubs take ** for its own flag
        return buffer.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Gallery":
        """The gallery that `to_bytes` wrote.

        Raises:
            ValueError, KeyError: the content is something else.
        """
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            groups = {name: archive[name] for name in GROUPS}
            return cls(groups, archive["rows"], archive["images"])


def choose(
    images: UInt8Array,
    y_true: IntArray,
    y_prob: FloatArray,
    *,
    y_pred: IntArray,
    unsure: BoolArray,
    positive: int,
    threshold: float | None,
) -> Gallery:
    """The gallery of an evaluation, at most 12 images a group.

    Args:
        images: pixels, uint8, (n, height, width, channels), 1 or 3 channels.
        y_true: class codes, int, (n,).
        y_prob: class probabilities, float, (n, n_classes).
        y_pred: class codes answered, int, (n,).
        unsure: images answered `unsure`, bool, (n,).
        positive: class code.
        threshold: of the positive class' probability; None for more than two classes.
    """
    confidence = y_prob[np.arange(len(y_pred)), y_pred]
    surest = np.argsort(-confidence, kind="stable")
    right = surest[y_pred[surest] == y_true[surest]]
    if threshold is None:
        ranked = np.sort(y_prob, axis=1)
        distance = ranked[:, -1] - ranked[:, -2]
    else:
        distance = np.abs(y_prob[:, positive] - threshold)
    groups = {
        "right": _from_each_class(right, y_true[right]),
        "wrong": surest[y_pred[surest] != y_true[surest]],
        "close": np.argsort(distance, kind="stable"),
        "unsure": surest[unsure[surest]],
    }
    groups = {name: rows[:A_GROUP].astype(np.int64) for name, rows in groups.items()}
    rows = np.unique(np.concatenate(list(groups.values())))
    return Gallery(groups, rows, _reduced(images[rows]))


def _from_each_class(rows: IntArray, labels: IntArray) -> IntArray:
    """The rows with each class' first before any class' second, and so on."""
    place = np.zeros(len(rows), np.int64)
    for code in np.unique(labels):
        place[labels == code] = np.arange(np.sum(labels == code))
    ordered: IntArray = rows[np.argsort(place, kind="stable")]
    return ordered


def _reduced(images: UInt8Array) -> UInt8Array:
    """The images, averaged down to a longest side of 96 pixels where they are larger."""
    height, width, channels = images.shape[1:]
    longest = max(height, width)
    if longest <= LONGEST_SIDE:
        return images
    from PIL import Image

    size = tuple(max(1, side * LONGEST_SIDE // longest) for side in (width, height))
    smaller = [
        Image.fromarray(image[:, :, 0] if channels == 1 else image).resize(
            size, Image.Resampling.BOX
        )
        for image in images
    ]
    return np.array([np.asarray(image) for image in smaller]).reshape(-1, *size[::-1], channels)
