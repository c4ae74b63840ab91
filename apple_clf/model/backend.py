"""TensorFlow and Keras, imported without their noise and set to give the same numbers again.

Import `keras` and `tf` from here and nowhere else. One thread computes: sums are then taken in one
order on every machine, and networks of this size train faster on one thread than on several.
"""

import gc
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from apple_clf.errors import MemoryLimitError
from apple_clf.io.parallel import TRAINING_THREADS
from apple_clf.io.quiet import quiet_stderr

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# The imports make a million objects that stay. Looking for garbage among them takes a fifth of the
# time, and again at every later collection, so these leave them out.
gc.disable()

# TensorFlow greets on stderr before any log level applies (tensorflow#100442).
with quiet_stderr():
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(TRAINING_THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(TRAINING_THREADS)
    tf.config.experimental.enable_op_determinism()
    tf.config.list_logical_devices()  # starts the devices, which greet as well

    import keras

gc.freeze()
gc.enable()

# Each training compiles its own network once. TensorFlow counts by line of code, takes the networks
# of one process for one, and warns.
logging.getLogger("tensorflow").addFilter(lambda told: "retracing" not in told.getMessage())

keras.config.set_floatx("float32")  # whatever ~/.keras/keras.json says
keras.config.set_image_data_format("channels_last")
keras.config.disable_interactive_logging()
tf.get_logger().setLevel("WARNING")  # it tells more in an interactive session, as a notebook is

__all__ = ["forget_models", "keras", "memory_told", "tf"]


def forget_models() -> None:
    """Frees what Keras keeps of models that are no longer used, where many are trained."""
    keras.backend.clear_session()
    keras.config.disable_interactive_logging()  # which is forgotten with them


@contextmanager
def memory_told() -> Iterator[None]:
    """Tells of a full memory in the user's words, as a block or as a decorator.

    Not covered: an allocation that C++ does not check, which aborts the process.

    Raises:
        MemoryLimitError: TensorFlow or Python could not allocate what the block needs.
    """
    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise MemoryLimitError(
            "memory ran out while training. Try half the batch size, a smaller image_size or "
            "fewer units; a checkpoint, if one was written, is kept."
        ) from error
