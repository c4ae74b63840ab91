"""The YAML of a first experiment, with the reason of each choice beside it."""

import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from apple_clf.config.photo_network import SMALL
from apple_clf.config.yaml_values import plain_scalar
from apple_clf.data import SPLITS
from apple_clf.data.folders import Listing, check_classes, list_labelled_files
from apple_clf.errors import DataError
from apple_clf.io.files import printable
from apple_clf.pipeline.starter.look import Look, look_at
from apple_clf.pipeline.starter.recipe import (
    SLOWER,
    Counts,
    Recipe,
    count_images,
    for_drawings,
    for_photos,
    for_simulated,
)


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
        recipe = for_simulated()
        found, data, advice = "simulated apples and look-alikes", _SIMULATED, ""
        fitted = _for_drawings(recipe)
    else:
        listing = list_labelled_files(folder)
        check_classes(listing, where=printable(folder))
        look, counts = look_at(listing, folder), count_images(listing)
        found = _found(listing, look)
        data = _folder_data(listing, counts, folder)
        advice = _advice(listing, look, counts, folder)
        if look.are_photos:
            recipe = for_photos(counts.n_train, look.side)
            fitted = _for_photos(recipe, look)
        else:
            recipe = for_drawings(counts.n_train, look.side)
            fitted = _for_drawings(recipe)
    return _TEMPLATE.format(
        file=printable(quote(os.fspath(file))),
        fast=_rounded(recipe.seconds),
        slow=_rounded(recipe.seconds * SLOWER),
        name=_scalar(run_name),
        run_name=run_name,
        found=found,
        advice=advice,
        data=data,
        fitted=fitted,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
    )


def _found(listing: Listing, look: Look) -> str:
    counts = Counter(file.class_name for file in listing.files)
    classes = ", ".join(f"{counts[name]:,} {printable(name)}" for name in listing.class_names)
    colour = "colour" if look.in_colour else "gray"
    kind = f"photos in {colour}" if look.are_photos else "drawings"
    return f"{len(listing.files):,} images ({classes}) that look like {kind}"


def _folder_data(listing: Listing, counts: Counts, folder: Path) -> str:
    """The section `data`."""
    splits = ""
    if counts.validation_split is not None:
        note = _HELD_OUT if counts.validation_split else _NO_VALIDATION
        splits += f"  validation_split: {counts.validation_split:g}    # {note}\n"
    if counts.test_split is not None:
        note = _HELD_OUT if counts.test_split else _NO_TEST
        splits += f"  test_split: {counts.test_split:g}    # {note}\n"
    return _FOLDER.format(
        path=_scalar(_writable(folder)),
        note=_split_note(listing),
        splits=splits,
        class_names=", ".join(map(printable, listing.class_names)),
        positive=_positive(listing.class_names),
    )


def _advice(listing: Listing, look: Look, counts: Counts, folder: Path) -> str:
    """What to expect of so many images, and what to do where that is not enough."""
    if counts.n_test:
        images = f"{counts.n_test:,} test image{'s' * (counts.n_test > 1)}"
        lines = [f"With {images} the measured accuracy may be off by {counts.margin:.2f}."]
    else:
        lines = ["No image is left for a test, so how good it is will not be known."]
    if counts.are_few:
        each = f"{counts.rarest} picture{'s' * (counts.rarest > 1)}"
        lines.append(f"A class has only {each} to learn from: collect 30 or more of each.")
        if not look.are_photos and listing.class_names == ("apple", "not_apple"):
            images = printable(quote(os.fspath(folder)))
            lines += _ASK_THE_BUILT_IN.format(folder=images).splitlines()
    return "".join(f"# {line}\n" for line in ("", *lines)).replace("# \n", "#\n")


def _for_drawings(recipe: Recipe) -> str:
    """The sections `preprocessing` and `model`, and the optimizer."""
    return _DRAWINGS.format(size=recipe.size)


def _for_photos(recipe: Recipe, look: Look) -> str:
    """The same for photos."""
    colour = f"{look.n_in_colour} of the {look.n_seen} images looked at have colour"
    color_mode = f"rgb    # {colour}" if look.in_colour else f"grayscale    # {colour}"
    first = "kernel_size: 3" if recipe.size <= SMALL else "kernel_size: 5, strides: 2"
    kind = "colour photos" if look.in_colour else "gray photos"
    return _PHOTOS.format(
        mixture=_mixture(look), size=recipe.size, color_mode=color_mode, kind=kind, first=first
    )


def _mixture(look: Look) -> str:
    if not look.are_mixed:
        return ""
    text = _MIXED.format(drawings=look.n_seen - look.n_photos, seen=look.n_seen)
    return text + (_KIND_IS_CLASS if look.kind_gives_class_away else "")


def _rounded(seconds: float) -> str:
    """Roughly how long, as people say it."""
    if seconds < 90:
        return f"{round(seconds, -1):.0f} s"
    return f"{seconds / 60:.0f} minutes"


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
#   time             about {fast} on a fast machine, {slow} on a slow one
#   change a value   apple-clf train {file} --set training.epochs=5
#   see all values   apple-clf config show {file}
{advice}
name: {name}    # runs are called {run_name}-001, -002, ...
seed: 42    # the same seed gives the same run, byte for byte

data:
{data}
preprocessing:    # the same for training and for every prediction
{fitted}  batch_size: {batch_size}
  epochs: {epochs}    # the time is in proportion; no early stopping: see learning_rate
  class_weight: balanced    # rare classes count as much as common ones
"""

_HELD_OUT = "share of the images held out"
_NO_VALIDATION = "too few to hold any out; all are learnt from, and it is never unsure"
_NO_TEST = "too few to hold any out"

_ASK_THE_BUILT_IN = """\
Before that, ask the built-in experiment. It learns from simulated apples and answered 0.92
of 900 real drawings right:
  apple-clf train --runs built-in
  apple-clf predict {folder} --runs built-in
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
  color_mode: grayscale    # the lines say it all
  resize: center    # crop to the drawing and centre it
  polarity: auto    # light on dark, whichever way a drawing came

model:
  # drawings: dense layers, because once centred, a line is where it is for a reason; they train
  # fast. Convolutions (the recipe quickdraw-conv) are a little better and take minutes.
  layers:    # from the pixels on; a softmax over the classes follows by itself
    # no drawing is seen twice alike: turned, stretched and moved a little each time
    - {{type: random_flip, mode: horizontal}}    # not for letters, where left and right matter
    - {{type: random_rotation, factor: 0.04}}
    - {{type: random_zoom, height_factor: 0.12, width_factor: 0.12}}
    - {{type: random_translation, height_factor: 0.06, width_factor: 0.06}}
    - {{type: dense, units: 512, use_bias: false}}
    - {{type: batch_normalization, momentum: 0.95}}    # no unit dies, whatever the pictures
    - {{type: activation, activation: relu}}
    - {{type: dropout, rate: 0.3}}
    - {{type: dense, units: 256, use_bias: false}}
    - {{type: batch_normalization, momentum: 0.95}}
    - {{type: activation, activation: relu}}
    - {{type: dropout, rate: 0.3}}

training:
  optimizer: {{type: adamw, weight_decay: 0.1}}    # small weights, learnt less by heart
  # falls to 0 by the last epoch, whose weights are kept: nothing is chosen on a few images
  learning_rate: {{type: cosine, initial: 2e-3, warmup_epochs: 3}}
"""

_PHOTOS = """\
{mixture}  image_size: [{size}, {size}]    # what the photos have, up to 64: more takes longer
  color_mode: {color_mode}
  resize: crop    # the middle of the photo
  polarity: as_is    # photos have no polarity

model:
  # {kind}: convolutions, because what is to be seen may lie anywhere in a photo; a dense
  # network would have to learn it anew for each place, and mostly guesses
  layers:    # from the pixels on; a softmax over the classes follows by itself
    # no photo is seen twice alike, so that few of them teach more
    - {{type: random_flip, mode: horizontal}}    # not for letters, where left and right matter
    - {{type: random_rotation, factor: 0.05, fill_mode: reflect}}
    - {{type: random_zoom, height_factor: 0.2, width_factor: 0.2, fill_mode: reflect}}
    - {{type: random_translation, height_factor: 0.1, width_factor: 0.1, fill_mode: reflect}}
    - {{type: random_contrast, factor: 0.2}}
    - {{type: conv2d, filters: 16, {first}, padding: same, use_bias: false}}
    - {{type: batch_normalization, momentum: 0.9}}
    - {{type: activation, activation: relu}}
    - {{type: conv2d, filters: 32, kernel_size: 3, padding: same, use_bias: false}}
    - {{type: batch_normalization, momentum: 0.9}}
    - {{type: activation, activation: relu}}
    - {{type: max_pooling2d}}
    - {{type: conv2d, filters: 64, kernel_size: 3, padding: same, use_bias: false}}
    - {{type: batch_normalization, momentum: 0.9}}
    - {{type: activation, activation: relu}}
    - {{type: global_average_pooling2d}}    # what is there, wherever it is
    - {{type: dropout, rate: 0.3}}

training:
  optimizer: {{type: adamw, weight_decay: 0.02}}    # small weights, learnt less by heart
  # falls to 0 by the last epoch, whose weights are kept: nothing is chosen on a few images
  learning_rate: {{type: cosine, initial: 2e-3, warmup_epochs: 3}}
"""

_MIXED = """\
  # a mixture: {drawings} of the {seen} images looked at are drawings; all are treated as photos,
  # because a network for drawings sees neither colour nor what stands beside the lines
"""

_KIND_IS_CLASS = """\
  # Careful: one class has photos where another has drawings, so it may learn to tell photos from
  # drawings and nothing else
"""
