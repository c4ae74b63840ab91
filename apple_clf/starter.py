"""A first experiment for a folder of images, written after a look at it."""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np

from apple_clf.config.yaml_values import plain_scalar
from apple_clf.datasets import SPLITS
from apple_clf.datasets.folders import Listing, check_classes, list_labelled_files
from apple_clf.errors import DataError, ImageError
from apple_clf.files import printable
from apple_clf.images.decoding import decode

LOOKED_AT = 64
"""Images that are opened to choose the preprocessing."""


@dataclass(frozen=True)
class Look:
    """What a glance at some images of a folder tells."""

    side: int  # median of the shorter sides, pixels
    are_drawings: bool  # most pixels are plain background


def starter_text(file: Path, folder: Path | None) -> str:
    """A commented YAML experiment, for a folder of images or for simulated ones.

    Args:
        file: where it will stand. Its name names the runs; characters that no run may have in its
            name are replaced.
        folder: as `data.path` would name it.

    Raises:
        DataError: the folder cannot be trained on as it is.
        FileSystemError: it cannot be read.
    """
    run_name = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in file.stem)
    run_name = run_name.lstrip("._-")[:64] or "experiment"
    if folder is None:
        found, data, preprocessing = "simulated apples and look-alikes", _SIMULATED, _DRAWINGS
        size = 28
    else:
        listing = list_labelled_files(folder)
        check_classes(listing, where=printable(folder))
        look = _look(listing, folder)
        found = _found(listing, look)
        data = _FOLDER.format(
            path=_scalar(_writable(folder)),
            note=_split_note(listing),
            splits="".join(
                f"  {split}_split: 0.15    # share of the images held out\n"
                for split in ("validation", "test")
                if split not in listing.splits
            ),
            class_names=", ".join(map(printable, listing.class_names)),
            positive=_positive(listing.class_names),
        )
        preprocessing = _DRAWINGS if look.are_drawings else _PHOTOS
        size = 28 if look.are_drawings else min(48, max(16, look.side))
    return _TEMPLATE.format(
        file=printable(quote(os.fspath(file))),
        name=_scalar(run_name),
        run_name=run_name,
        found=found,
        data=data,
        preprocessing=preprocessing.format(size=size),
    )


def _look(listing: Listing, folder: Path) -> Look:
    """Opens images evenly spread over the listing, so that every class is seen."""
    step = max(1, len(listing.files) // LOOKED_AT)
    sides, plain = [], []
    for file in listing.files[::step]:
        try:
            pixels = decode(file.path, color_mode="grayscale", min_side=64).pixels
        except ImageError:
            continue
        border = np.median(np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])))
        sides.append(min(pixels.shape))
        plain.append(np.mean(np.abs(pixels - border) < 32))
    if not sides:
        raise DataError(
            f"{printable(folder)}: none of its images can be read. "
            "It needs a folder of images for each class."
        )
    return Look(side=int(np.median(sides)), are_drawings=float(np.median(plain)) > 0.5)


def _found(listing: Listing, look: Look) -> str:
    counts = Counter(file.class_name for file in listing.files)
    classes = ", ".join(f"{counts[name]:,} {printable(name)}" for name in listing.class_names)
    kind = "drawings" if look.are_drawings else "photos"
    return f"{len(listing.files):,} images ({classes}) that look like {kind}"


def _split_note(listing: Listing) -> str:
    if not listing.splits:
        return "holds a folder of images for each class"
    splits = ", ".join(split for split in SPLITS if split in listing.splits)
    return f"holds the splits {splits}, each with a folder per class"


def _positive(class_names: Sequence[str]) -> str:
    """What data.positive_class says; null, which means the same, where YAML text may not."""
    name = "apple" if "apple" in class_names else class_names[0]
    return "null" if _UNWRITABLE.search(name) else _scalar(name)


def _writable(folder: Path) -> str:
    """The folder as data.path can say it."""
    text = os.fspath(folder)
    if _UNWRITABLE.search(text):
        raise DataError(
            f"{printable(folder)}: the path has characters that no experiment can name. Rename it."
        )
    return text


_UNWRITABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What the configuration refuses in a text, and halves of characters, which no file can hold."""


def _scalar(text: str) -> str:
    """A YAML text, quoted only where it must be."""
    plain = re.fullmatch(r"[A-Za-z./][A-Za-z0-9._/-]*", text) is not None
    return text if plain and plain_scalar(text) == text else _quoted(text)


def _quoted(text: str) -> str:
    """YAML for a text: in double quotes, with escapes for what would not show."""
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)


_TEMPLATE = """\
# An experiment for {found}.
#
#   train it         apple-clf train {file}
#   change a value   apple-clf train {file} --set training.epochs=5
#   see all values   apple-clf config show {file}

name: {name}    # runs are called {run_name}-001, -002, ...
seed: 42    # the same seed gives the same run, byte for byte

data:
{data}
preprocessing:    # the same for training and for every prediction
{preprocessing}
model:
  layers:    # from the pixels on; a softmax over the classes follows by itself
    - {{type: dense, units: 128, activation: relu}}
    - {{type: dropout, rate: 0.3}}
    - {{type: dense, units: 64, activation: relu}}

training:
  optimizer: adam
  learning_rate: 1e-3
  batch_size: 32
  epochs: 50
  class_weight: balanced    # rare classes count as much as common ones
  early_stopping: {{monitor: val_loss, patience: 8}}    # the best weights are kept
"""

_SIMULATED = """\
  source: simulated    # drawn on the spot, nothing to download
  train_samples: 4000
  validation_samples: 1000
  test_samples: 1000
"""

_FOLDER = """\
  source: folder
  # {note}
  path: {path}
  # of {class_names}: the one that precision and recall are about
  positive_class: {positive}
{splits}  bad_files: fail    # or skip: leave out what cannot be read, and count it
"""

_DRAWINGS = """\
  image_size: [{size}, {size}]
  color_mode: grayscale
  resize: center    # crop to the drawing and centre it
  polarity: auto    # light on dark, whichever way a drawing came
"""

_PHOTOS = """\
  image_size: [{size}, {size}]
  color_mode: grayscale
  resize: crop    # the middle of the photo
  polarity: as_is    # photos have no polarity
"""
