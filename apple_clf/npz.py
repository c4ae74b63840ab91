"""Arrays of images from a NumPy archive; pickled content is never loaded."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from apple_clf.arrays import IntArray, UInt8Array
from apple_clf.errors import DataError
from apple_clf.files import printable

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
    try:
        with np.load(path, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise _unfit(path, "it is a single array, not an .npz archive")
            arrays = {key: archive[key] for key in archive.files}
    except OSError as error:
        raise _unfit(path, error.strerror or "it is no .npz archive") from error
    except (ValueError, EOFError, zipfile.BadZipFile) as error:
        raise _unfit(path, f"it is no .npz archive of plain arrays ({error})") from error
    layout = next((keys for keys in LAYOUTS if set(keys) <= set(arrays)), None)
    if layout is None:
        found = ", ".join(sorted(arrays)) or "nothing"
        raise _unfit(path, f"it holds {found}; needed are x and y, or {', '.join(LAYOUTS[0])}")
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
        if not np.all((array >= 0) & (array <= 1)):  # NaN fails too
            raise _unfit(path, f"{key} holds floats outside 0 to 1; store uint8 pixels instead")
        return np.rint(array.astype(np.float64) * 255).astype(np.uint8)
    raise _unfit(path, f"{key} is {array.dtype}; needed is uint8, or floats from 0 to 1")


def _labels(
    path: Path, labels: list[NDArray[Any]], arrays: dict[str, NDArray[Any]]
) -> tuple[tuple[str, ...], list[IntArray]]:
    joined = np.concatenate([np.ravel(array) for array in labels])
    if any(array.shape not in {(len(array),), (len(array), 1)} for array in labels):
        raise _unfit(path, "the labels are not one a picture: needed is the shape (n,)")
    if np.issubdtype(joined.dtype, np.integer):
        values, codes = np.unique(joined, return_inverse=True)
        if "class_names" in arrays:
            names = tuple(str(name) for name in np.ravel(arrays["class_names"]))
            if len(values) and not 0 <= values[0] <= values[-1] < len(names):
                raise _unfit(path, f"labels run to {values[-1]} but there are {len(names)} names")
            codes = joined.astype(np.int64)
        else:
            names = tuple(str(value) for value in values)
    elif joined.dtype.kind in "US":
        texts, codes = np.unique(joined.astype(str), return_inverse=True)
        names = tuple(str(text) for text in texts)
    else:
        raise _unfit(path, f"labels are {joined.dtype}; needed are whole numbers or texts")
    ends = np.cumsum([len(array) for array in labels])[:-1]
    return names, np.split(codes.astype(np.int32), ends)


def _unfit(path: Path, cause: str) -> DataError:
    return DataError(f"{printable(path)}: cannot be used as data: {cause}.")
