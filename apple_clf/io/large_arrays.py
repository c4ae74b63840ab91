"""Room for pixels: in memory, or beyond a fixed size in a file that is mapped into it.

What is mapped may be larger than the machine's memory: the system keeps what is in use and writes
the rest to the file. The file lies in the cache folder and has no name, so nothing is left of it
when the process ends, however it ends. The size is a constant, not a share of the machine's memory,
because larger trainings shuffle otherwise (`training.epoch_order`), and results must be the same
everywhere.
"""

import math
import mmap
import os
import tempfile
from pathlib import Path

import numpy as np

from apple_clf.arrays import UInt8Array, aligned_empty
from apple_clf.io.files import cannot_write

IN_MEMORY_BYTES = 1 << 30
"""The largest array of pixels that is kept in memory."""


def cache_folder() -> Path:
    """Where what can be made again is kept: APPLE_CLF_CACHE, or the platform's cache folder."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("APPLE_CLF_CACHE") or user_cache_path("apple-clf"))


def fits_memory(n_bytes: int) -> bool:
    """Whether pixels of this many bytes are kept in memory."""
    return n_bytes <= IN_MEMORY_BYTES


def empty_pixels(shape: tuple[int, ...]) -> UInt8Array:
    """An array with arbitrary content that TensorFlow can use where it lies, uint8, of this shape.

    Raises:
        FileSystemError: it is too large for memory, and the cache folder has no room for it.
    """
    size = math.prod(shape)
    if fits_memory(size):
        return aligned_empty(shape)
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            _reserve(file.fileno(), size)
            mapped = mmap.mmap(file.fileno(), size)  # keeps the file until it is freed itself
    except OSError as error:
        raise cannot_write(folder, error) from error
    return np.frombuffer(mapped, np.uint8).reshape(shape)  # starts on a page, so is aligned


def _reserve(descriptor: int, size: int) -> None:
    """Makes a file this large; takes the blocks where the system can.

    A full disk is then told here: writing through the map to a block that cannot be had would kill
    the process.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    else:
        os.truncate(descriptor, size)
