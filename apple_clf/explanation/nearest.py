"""The training images that look most alike to the network: near in what its last layer sees."""

from collections.abc import Callable

import numpy as np

from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.data import Dataset
from apple_clf.data.recorded_data import load_recorded_data
from apple_clf.errors import ArtifactError
from apple_clf.explanation.record import Nearest, Neighbour
from apple_clf.runs import Run

N_NEAREST = 8
CHUNK = 1024
"""Training images whose features are held at a time."""


def load_training_data(run: Run) -> Dataset:
    """The data that a run was trained on.

    Raises:
        ArtifactError: it was trained elsewhere, or the data are no longer what they were.
        ConfigError: its experiment cannot be read.
        DataError: the data are gone.
        FileSystemError: they cannot be read.
    """
    if run.imported.exists():
        raise ArtifactError("the model was trained elsewhere")
    return load_recorded_data(run)


def nearest_images(
    pixels: UInt8Array, dataset: Dataset, *, features: Callable[[UInt8Array], FloatArray]
) -> Nearest:
    """The training images whose features lie nearest to those of a picture.

    Args:
        pixels: uint8, (height, width, channels).
        dataset: its training images.
        features: of images, (n, height, width, channels) -> (n, n_features).
    """
    train = dataset.train
    own = features(pixels[None])
    distances = np.concatenate(
        [
            np.linalg.norm(features(train.images[i : i + CHUNK]) - own, axis=1)
            for i in range(0, len(train), CHUNK)
        ]
    )
    order = np.argsort(distances, kind="stable")[:N_NEAREST]
    return Nearest(
        n_images=len(train),
        median_distance=float(np.median(distances)),
        neighbours=tuple(
            Neighbour(
                name=train.names[i],
                class_name=dataset.class_names[int(train.labels[i])],
                distance=float(distances[i]),
                pixels=train.images[i],
            )
            for i in order
        ),
    )
