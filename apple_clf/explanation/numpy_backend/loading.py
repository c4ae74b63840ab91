"""model.keras in NumPy, checked against the LiteRT file that answers."""

import numpy as np

from apple_clf.errors import ArtifactError
from apple_clf.explanation.numpy_backend.network import Network
from apple_clf.prediction.inference import Predictor

AGREEMENT = 1e-3
"""Largest difference of logits, relative to the largest logit, between NumPy and LiteRT."""


def load_network(content: bytes, predictor: Predictor) -> Network:
    """The layers of a model.keras, which give the logits of a predictor.

    Args:
        content: the file, its SHA-256 checked.
        predictor: of the same run.

    Raises:
        ArtifactError: the layers cannot be read or give other logits, or h5py is not installed.
    """
    try:
        from apple_clf.explanation.numpy_backend.keras_network import read_keras_network
    except ImportError as error:
        raise ArtifactError("h5py, which reads model.keras, is not installed") from error
    try:
        network = read_keras_network(content)
    except ArtifactError as error:
        raise ArtifactError(f"model.keras cannot be shown layer by layer: {error}") from error
    shape = predictor.record.preprocessing.shape
    if network.input_shape != shape:
        raise ArtifactError("model.keras takes other pictures than model.tflite")
    picture = np.random.default_rng(0).integers(256, size=(1, *shape), dtype=np.uint8)
    theirs = predictor.outputs(picture).logits
    ours = network.forward(picture)[-1]
    if ours.shape != theirs.shape or not np.allclose(
        ours, theirs, rtol=0, atol=AGREEMENT * max(1, float(np.abs(theirs).max()))
    ):
        raise ArtifactError("model.keras gives other logits than model.tflite")
    return network
