"""`model.weights.h5` of a .keras file, walked before Keras reads it."""

import io
import math
from collections.abc import Iterator

import h5py

from apple_clf.errors import ArtifactError
from apple_clf.io.files import printable

MAX_DEPTH = 64
MAX_OBJECTS = 50_000

_IN_FILE = {h5py.h5d.COMPACT, h5py.h5d.CONTIGUOUS}
"""Layouts whose bytes lie in the file as they are: not in pieces, packed, or elsewhere."""


def check_weights(content: bytes) -> int:
    """Bytes that the arrays of a weights file take, once it is known to hold plain arrays only.

    Args:
        content: the HDF5 file.

    Raises:
        ArtifactError: a link, an array stored elsewhere, packed, or larger than what is stored
            of it; the message does not name the file.
    """
    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            n_bytes = sum(_array_bytes(array) for array in _arrays(file))
    except (OSError, RuntimeError, ValueError, LookupError, TypeError, OverflowError) as error:
        raise ArtifactError(f"corrupt: model.weights.h5: {error}. Copy the file again.") from error
    if n_bytes > len(content):
        raise _refusal("the file", "holds arrays larger than itself")
    return n_bytes


def _arrays(file: h5py.File) -> Iterator[h5py.Dataset]:
    """Every array, reached by hard links alone; each group is entered once."""
    pending: list[tuple[h5py.Group, int]] = [(file["/"], 1)]
    seen = set()
    n_objects = 0
    while pending:
        group, depth = pending.pop()
        address = h5py.h5o.get_info(group.id).addr
        if address in seen or depth > MAX_DEPTH:
            raise _refusal(group.name, "leads back to itself, or is nested too deep")
        seen.add(address)
        for name in group:
            n_objects += 1
            if n_objects > MAX_OBJECTS:
                raise _refusal(group.name, f"brings the parts to more than {MAX_OBJECTS:,}")
            path = f"{group.name.rstrip('/')}/{name}"
            # A slash in a name would be taken for a way through other links.
            if "/" in name or not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise _refusal(path, "is a link, which can lead to another file")
            part = group[name]
            if isinstance(part, h5py.Group):
                pending.append((part, depth + 1))
            elif isinstance(part, h5py.Dataset):
                yield part
            else:
                raise _refusal(path, "is neither a group nor an array")


def _array_bytes(array: h5py.Dataset) -> int:
    plan = array.id.get_create_plist()
    if plan.get_external_count() or plan.get_layout() not in _IN_FILE or plan.get_nfilters():
        raise _refusal(array.name, "is stored outside the file, in pieces, or packed")
    if array.dtype.kind not in "fiu" or array.dtype.itemsize > 8 or array.attrs:
        raise _refusal(array.name, "holds no plain numbers")
    n_bytes: int = math.prod(array.shape) * array.dtype.itemsize
    if array.id.get_storage_size() != n_bytes:
        raise _refusal(array.name, "is larger than what is stored of it")
    return n_bytes


def _refusal(name: str, reason: str) -> ArtifactError:
    return ArtifactError(
        f"model.weights.h5: {printable(name[:120])} {reason}. Keras writes no such thing; "
        "nothing was followed. Save it again with Keras."
    )
