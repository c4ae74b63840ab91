"""The images of a data set as one sequence through its splits, as duplicates are counted."""

from functools import cached_property

import numpy as np

from apple_clf.arrays import UInt8Array
from apple_clf.data import SPLITS, Dataset
from apple_clf.io.files import printable


class Pool:
    """Names, labels, splits and pixels by an index that runs through all splits."""

    def __init__(self, dataset: Dataset) -> None:
        self.class_names = dataset.class_names
        self.duplicates = dataset.duplicates
        self.labels = dataset.duplicates.labels
        self.splits = dataset.duplicates.splits
        self._parts = [getattr(dataset, name) for name in SPLITS]
        self._starts = np.cumsum([0, *map(len, self._parts)])

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def images(self) -> UInt8Array:
        """A copy of all images, (n, height, width, channels)."""
        return np.concatenate([part.images for part in self._parts])

    def name(self, index: int) -> str:
        """The file of an image, or what stands for it."""
        split = int(self.splits[index])
        return str(self._parts[split].names[index - int(self._starts[split])])

    def class_name(self, index: int) -> str:
        """The class that an image is labelled with."""
        return self.class_names[int(self.labels[index])]

    def title(self, index: int) -> str:
        """File, class and split of an image, to print."""
        split = SPLITS[int(self.splits[index])]
        return f"{printable(self.name(index))} ({printable(self.class_name(index))}, {split})"
