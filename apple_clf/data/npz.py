"""Arrays of images from a NumPy archive; pickled content is never loaded."""

import math
import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import IntArray, UInt8Array
from apple_clf.errors import DataError
from apple_clf.io.files import portable, printable
from apple_clf.io.large_arrays import empty_pixels

LAYOUTS = (("x_train", "y_train", "x_test", "y_test"), ("x", "y"))


@dataclass(frozen=True)
class Archive:
    """Images and labels of an archive; the test arrays are None where it has none."""

    x: UInt8Array  # (n, height, width) or (n, height, width, 3)
    y: IntArray  # (n,)
    x_test: UInt8Array | None
    y_test: IntArray | None
    class_names: tuple[str, ...]


def read_npz(path: Path) -> Archive:
    """The images and labels that an .npz file holds.

    It holds x and y, or x_train, y_train, x_test and y_test. Images are uint8, or floats from 0
    to 1, of shape (n, height, width), (n, height, width, 1) or (n, height, width, 3). Labels are
    whole numbers or texts, of shape (n,); an optional array class_names names the numbers.

    Raises:
        DataError: it is missing, no such archive, or its arrays do not fit.
    """
    layout, arrays = _read(path)
    xs = [_images(path, key, arrays[key]) for key in layout[::2]]
    class_names, ys = _labels(path, [arrays[key] for key in layout[1::2]], arrays)
    for key, x, y in zip(layout[::2], xs, ys, strict=True):
        if len(x) != len(y):
            raise _unfit(path, f"{key} has {len(x)} images but {len(y)} labels")
    return Archive(
        x=xs[0],
        y=ys[0],
        x_test=xs[1] if len(xs) > 1 else None,
        y_test=ys[1] if len(ys) > 1 else None,
        class_names=class_names,
    )


def _read(path: Path) -> tuple[tuple[str, ...], dict[str, NDArray[Any]]]:
    """The layout of an archive and the arrays it needs, by name; others are not read."""
    try:
        with path.open("rb") as file:  # NumPy would leave a damaged one open
            archive = np.load(file, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise _unfit(path, "it is a single array, not an .npz archive")
            layout = next((keys for keys in LAYOUTS if set(keys) <= set(archive.files)), None)
            if layout is None:
                found = ", ".join(map(printable, sorted(archive.files))) or "nothing"
                needed = f"needed are x and y, or {', '.join(LAYOUTS[0])}"
                raise _unfit(path, f"it holds {found}; {needed}")
            names = [name for name in (*layout, "class_names") if name in archive.files]
            arrays = {name: _array(archive, name) for name in names}
    except OSError as error:
        raise _unfit(path, error.strerror or "it is no .npz archive") from error
    except _DAMAGED as error:
        raise _unfit(path, f"it is no .npz archive of plain arrays ({error})") from error
    return layout, arrays


def _array(archive: np.lib.npyio.NpzFile, name: str) -> NDArray[Any]:
    """An array of the archive; NumPy would read into memory whatever its header promises.

    Raises:
        ValueError: the member is not whole, or holds objects; or what else _DAMAGED names.
    """
    assert archive.zip is not None  # it is open
    members = archive.zip
    member = name if name in members.NameToInfo else f"{name}.npy"
    n_bytes = members.NameToInfo[member].file_size
    with members.open(member) as file:
        version = np.lib.format.read_magic(file)
        if version not in _READ_HEADER:  # a later one is for names of fields
            raise ValueError(f"{member} has version {version}")
        shape, by_columns, dtype = _READ_HEADER[version](file)
        if dtype.hasobject:
            raise ValueError(f"{member} holds Python objects")
        size = math.prod(shape) * dtype.itemsize
        content = empty_pixels((min(size, n_bytes),))  # the header may promise anything
        for start in range(0, len(content), _PIECE):
            piece = file.read(min(_PIECE, len(content) - start))
            content[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
        if file.tell() != n_bytes or len(content) != size:
            raise ValueError(f"{member} is not as long as its header says")
    order: Literal["F", "C"] = "F" if by_columns else "C"
    return content.view(dtype).reshape(shape, order=order)


_READ_HEADER = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_PIECE = 1 << 20  # bytes

_DAMAGED = (
    EOFError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy and zipfile let out of a damaged archive, as a fuzzer found."""


def _images(path: Path, key: str, array: NDArray[Any]) -> UInt8Array:
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if not (array.ndim == 3 or (array.ndim == 4 and array.shape[3] == 3)) or 0 in array.shape[1:]:
        raise _unfit(
            path,
            f"{key} has shape {array.shape}; needed is (n, height, width), or with 1 or 3 channels",
        )
    if array.dtype == np.uint8:
        return array
    if np.issubdtype(array.dtype, np.floating):
        pixels = empty_pixels(array.shape)
        for picture, floats in zip(pixels, array, strict=True):
            if not np.all((floats >= 0) & (floats <= 1)):  # NaN fails too
                raise _unfit(path, f"{key} holds floats outside 0 to 1; store uint8 pixels instead")
            picture[...] = np.rint(floats.astype(np.float64) * 255)
        return pixels
    raise _unfit(path, f"{key} is {array.dtype}; needed is uint8, or floats from 0 to 1")


def _labels(
    path: Path, labels: list[NDArray[Any]], arrays: dict[str, NDArray[Any]]
) -> tuple[tuple[str, ...], list[IntArray]]:
    if any(array.shape not in {(array.size,), (array.size, 1)} for array in labels):
        raise _unfit(path, "the labels are not one a picture: needed is the shape (n,)")
    if all(array.dtype.kind in "iu" for array in labels):
        joined = np.concatenate([array.ravel().astype(np.int64) for array in labels])
        values, codes = np.unique(joined, return_inverse=True)
        names = [str(value) for value in values.tolist()]
        if "class_names" in arrays:
            names, codes = _texts(arrays["class_names"]).tolist(), joined
            if len(values) and not 0 <= values[0] <= values[-1] < len(names):
                raise _unfit(
                    path,
                    f"labels run from {values[0]} to {values[-1]} but class_names has {len(names)}",
                )
    elif all(array.dtype.kind in "US" for array in labels):
        unique, codes = np.unique(
            np.concatenate([_texts(array) for array in labels]), return_inverse=True
        )
        names = unique.tolist()
    else:
        found = " and ".join(str(array.dtype) for array in labels)
        raise _unfit(path, f"labels are {found}; needed are whole numbers or texts")
    if len(set(names)) < len(names):
        raise _unfit(path, "class_names has a name twice")
    ends = np.cumsum([len(array) for array in labels])[:-1]
    return tuple(names), np.split(codes.astype(np.int32), ends)


def _texts(array: NDArray[Any]) -> NDArray[np.str_]:
    """The texts of an array as class names, which are valid Unicode like a folder's, (size,)."""
    if array.dtype.kind == "S":
        array = np.char.decode(array, "utf-8", "backslashreplace")
    return np.array([portable(str(text)) for text in array.ravel().tolist()], np.str_)


def _unfit(path: Path, cause: str) -> DataError:
    return DataError(f"{printable(path)}: cannot be used as data: {cause}.")
