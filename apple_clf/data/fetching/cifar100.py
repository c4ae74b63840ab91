"""CIFAR-100: the publisher's archive of pickles, opened only if its checksum is right.

Keras has a loader too. It begins anew after every stop, imports TensorFlow, and keeps its files in
a folder of its own; what makes it safe, a pinned SHA-256 and a restricted unpickler, is here too.
"""

import pickle
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

import numpy as np

from apple_clf.arrays import UInt8Array
from apple_clf.config.schema import Cifar100Data
from apple_clf.data.fetching.downloads import Downloads
from apple_clf.errors import DataError
from apple_clf.io.files import printable

LICENCE: Final = "none stated by its authors; they ask to be cited"
CITATION: Final = (
    "Alex Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009, "
    "https://www.cs.toronto.edu/~kriz/cifar.html"
)

URL = "https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz"
N_BYTES = 169_001_437
MD5 = "eb9058c3a382ffc7106e4002c42a8d85"
"""As its publisher gives it beside the archive."""
SHA256 = "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
"""As Keras pins it, since MD5 is not proof against a file made to deceive."""

SPLITS = ("train", "test")

_NAMES = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
    camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
    cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
    lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
    oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
    spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
"""
NAMES: Final = tuple(_NAMES.split())
"""The fine labels, in the order of their codes."""


def photos(config: Cifar100Data, downloads: Downloads) -> Iterator[tuple[str, str, UInt8Array]]:
    """Split, class and picture of each photo asked for, in the archive's order.

    Pictures are RGB, uint8 of shape (32, 32, 3).

    Raises:
        DataError: the archive cannot be had, or is not the published one.
        FileSystemError: it cannot be written.
    """
    wanted = set(config.classes or NAMES)
    name = URL.rsplit("/", 1)[-1]
    with downloads.file(URL, name=name, n_bytes=N_BYTES, checksum=f"md5:{MD5}") as received:
        if received.sha256 != SHA256:
            raise _unfit(received.path, "its SHA-256 is not that of the published archive")
        for split in SPLITS:
            for label, picture in zip(*read_split(received.path, split), strict=True):
                if NAMES[label] in wanted:
                    yield split, NAMES[label], picture


def read_split(path: Path, split: str) -> tuple[list[int], UInt8Array]:
    """Codes and pictures of a split, the pictures uint8 of shape (n, 32, 32, 3).

    The archive must be known to be the published one.

    Raises:
        DataError: it is built otherwise.
    """
    try:
        with tarfile.open(path, "r:gz") as archive:
            member = archive.extractfile(f"cifar-100-python/{split}")
            if member is None:
                raise _unfit(path, f"{split} is not a file")
            content = _Unpickler(member).load()
        labels, data = content[b"fine_labels"], content[b"data"]
        pictures = data.reshape(len(labels), 3, 32, 32).transpose(0, 2, 3, 1)
        if pictures.dtype != np.uint8 or not all(0 <= code < len(NAMES) for code in labels):
            raise _unfit(path, f"{split} holds other arrays")
    except (OSError, EOFError, tarfile.TarError, zlib.error, pickle.UnpicklingError) as error:
        raise _unfit(path, f"{split} cannot be read ({error})") from error
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise _unfit(path, f"{split} holds no pictures with fine labels") from error
    return labels, pictures


class _Unpickler(pickle.Unpickler):
    """Reads texts, numbers, lists, mappings and NumPy arrays; whatever else is refused."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="bytes")  # the texts of Python 2

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        known: dict[str, Callable[..., Any]] = {
            "ndarray": np.ndarray,
            "dtype": np.dtype,
            "_reconstruct": np.empty(0).__reduce__()[0],  # type: ignore[dict-item]  # a function
        }
        if module.split(".")[0] == "numpy" and name in known:
            return known[name]
        raise pickle.UnpicklingError(f"{module}.{name} is refused")


def _unfit(path: Path, cause: str) -> DataError:
    return DataError(f"{printable(path)}: is not the CIFAR-100 archive: {cause}. Fetch it again.")
