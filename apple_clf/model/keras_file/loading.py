""".keras files -> Keras models, with every part checked before Keras sees it.

The only door through which a saved model comes back. A file can name code to run, paths to open
and sizes that fill any memory; what is not on the lists of this package is refused, and of what is
refused nothing has been run, followed or unpacked. TensorFlow is imported once all that can be
refused without it has been.
"""

import math
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable
from apple_clf.model.keras_file.archive import MAX_FILE, read_archive
from apple_clf.model.keras_file.network import read_network
from apple_clf.model.keras_file.weights import check_weights
from apple_clf.runs import Run
from apple_clf.runs.model_record import read_model_record, read_verified

if TYPE_CHECKING:
    from apple_clf.model.backend import keras

MAX_VALUES = 1 << 22
"""Numbers that one step of a network may make of one image: 16 MiB."""


def load_keras_model(run: Run) -> "keras.Model":
    """The Keras model of a run, not compiled.

    Raises:
        ArtifactError: a file is missing, not the one that was written, or made by a newer Keras.
    """
    record = read_model_record(run.model_record)
    content = read_verified(run.keras_model, sha256=record.keras_sha256)
    with naming(run.keras_model):
        return load_keras_bytes(content)


def read_keras_file(path: Path) -> bytes:
    """The content of somebody's .keras file, not looked into.

    Raises:
        ArtifactError: it is missing, no file, unreadable, or larger than is read.
    """
    with naming(path):
        return _read(path)


def load_keras_bytes(content: bytes) -> "keras.Model":
    """The model in the bytes of a .keras file from anywhere, not compiled.

    Raises:
        ArtifactError: it is no such file, made by a newer Keras, or holds anything but plain
            arrays and known layers; the message does not name the file.
    """
    archive = read_archive(content)
    _check_version(archive.keras_version)
    network = read_network(archive.config)
    n_bytes = check_weights(archive.weights)
    return _build(network, archive.weights, n_bytes=n_bytes)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Puts the file's name before what a block says of its content.

    Raises:
        ArtifactError: the block did.
    """
    try:
        yield
    except ArtifactError as error:
        raise ArtifactError(f"{printable(path)}: {error}") from error


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise ArtifactError(
            "it is a folder, as a SavedModel is. Save the model again with Keras: "
            "model.save('model.keras')."
        )
    if path.exists() and not path.is_file():
        raise ArtifactError("it is not a regular file.")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise ArtifactError(f"cannot be read: {error.strerror or error}. Is it there?") from error
    if len(content) > MAX_FILE:
        raise ArtifactError(f"it is larger than {MAX_FILE:,} bytes, which is more than is read.")
    return content


def _check_version(theirs: str) -> None:
    ours = version("keras")
    if _release(theirs) > _release(ours):
        raise ArtifactError(
            f"saved by Keras {theirs}; installed is {ours}. Install that version or a newer one."
        )


def _release(text: str) -> tuple[int, int]:
    """Major and minor; a patch does not change the format."""
    major, minor = text.split(".")[:2]
    return int(major), int("".join(c for c in minor if c.isdecimal()))


def _build(network: dict[str, Any], weights: bytes, *, n_bytes: int) -> "keras.Model":
    from apple_clf.model.backend import keras

    try:
        # What Keras keeps of a model without values is kept for the thread, and goes with it.
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(_weigh, deepcopy(network), n_bytes).result()  # Keras empties it
        model = keras.saving.deserialize_keras_object(network, safe_mode=True)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "model.weights.h5"
            path.write_bytes(weights)
            model.load_weights(path)
        _check_steps(model)
    except (ArtifactError, MemoryError):
        raise
    except Exception as error:  # Keras raises anything, as image decoders do
        cause = str(error).rpartition("Exception encountered:")[2].strip()
        reason = printable(cause.partition("\n")[0][:200].rstrip("."))
        raise ArtifactError(
            f"Keras cannot build the network: {reason}. Save it again with Keras."
        ) from error
    return model


def _weigh(network: dict[str, Any], n_bytes: int) -> None:
    """Refuses a network that wants more weights than its file holds, without making any."""
    from apple_clf.model.backend import keras

    with keras.StatelessScope(initialize_variables=False):
        model = keras.saving.deserialize_keras_object(network, safe_mode=True)
    if not model.built or len(model.inputs) != 1 or None in model.inputs[0].shape[1:]:
        raise ArtifactError(
            "it does not take one image of a fixed size. "
            "Build it on keras.Input((height, width, channels)), and save it again."
        )
    wanted = sum(4 * math.prod(weight.shape) for weight in model.weights)
    if wanted > n_bytes:
        raise ArtifactError(
            f"the network wants {wanted:,} bytes of weights, but the file holds {n_bytes:,}. "
            "Save it again with Keras."
        )


def _check_steps(model: "keras.Model") -> None:
    """Refuses a network that makes more of an image than fits into memory, without running it."""
    from apple_clf.model.backend import tf

    image = tf.TensorSpec((1, *model.input_shape[1:]), model.inputs[0].dtype)
    forward = tf.function(lambda images: model(images, training=False))
    for step in forward.get_concrete_function(image).graph.get_operations():
        if step.type == "ReadVariableOp":  # weights, which are no larger than the file
            continue
        for output in step.outputs:
            if (output.shape.num_elements() or 0) > MAX_VALUES:
                raise ArtifactError(
                    f"one of its steps, {printable(step.name[:80])}, makes "
                    f"{output.shape.num_elements():,} numbers of one image; "
                    f"at most {MAX_VALUES:,} are computed. Give it smaller images."
                )
