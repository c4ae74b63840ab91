"""Data sources -> Dataset: prepared uint8 pixels, labels and splits, the same for a seed."""

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple, assert_never

import numpy as np

from apple_clf.arrays import IntArray, UInt8Array
from apple_clf.config.schema import (
    Cifar100Data,
    DataConfig,
    FetchedData,
    FolderData,
    GeneratedData,
    NoiseData,
    NpzData,
    QuickDrawData,
    SimulatedData,
)
from apple_clf.data import simulation
from apple_clf.data.appearance import Appearance, appearance_of, evenly
from apple_clf.data.decode_cache import Progress, decode_files
from apple_clf.data.duplicates import Duplicates, first_equal
from apple_clf.data.fetching import fetched_folder
from apple_clf.data.folders import (
    LabelledFile,
    Listing,
    check_classes,
    list_labelled_files,
    too_few_classes,
    training_files,
)
from apple_clf.data.npz import Archive, read_npz
from apple_clf.data.split import Split as Split
from apple_clf.data.split import rows_of
from apple_clf.data.splits import draw_splits
from apple_clf.errors import DataError
from apple_clf.images import loading
from apple_clf.images.decoding import FULL_RANGE
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io.files import Skipped, portable, printable
from apple_clf.io.large_arrays import empty_pixels

logger = logging.getLogger(__name__)

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Dataset:
    """All that a training sees."""

    source: str
    class_names: tuple[str, ...]
    positive_class: str
    train: Split
    validation: Split  # may be empty
    test: Split  # may be empty
    bad_files: Sequence[Skipped] = ()  # could not be decoded
    skipped: Sequence[Skipped] = ()  # were not looked at
    n_decoded: int = 0  # images that were not in the cache
    preprocessing: Preprocessing = field(kw_only=True)  # with the max_value that was found
    sample: Sequence[str | UInt8Array] = ()  # some training images as they came: files or pixels

    @cached_property
    def appearance(self) -> Appearance | None:
        """What the training images look like; None if they were made on the spot."""
        return appearance_of(self.sample)

    def appearance_as_dict(self) -> dict[str, float] | None:
        """The same as dataset.json has it."""
        return None if self.appearance is None else asdict(self.appearance)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over class names, pixels and labels of all splits, in their order."""
        digest = hashlib.sha256("\0".join(self.class_names).encode("utf-8", "surrogateescape"))
        for split in (self.train, self.validation, self.test):
            digest.update(repr(split.images.shape).encode())
            digest.update(np.ascontiguousarray(split.images).data)
            digest.update(np.ascontiguousarray(split.labels, np.int32).data)
        return digest.hexdigest()

    @cached_property
    def duplicates(self) -> Duplicates:
        """Images with the same pixels, counted through the splits in their order."""
        splits = [getattr(self, name) for name in SPLITS]
        return Duplicates(
            first_equal(chain.from_iterable(split.images for split in splits)),
            np.concatenate([split.labels for split in splits]),
            np.repeat(np.arange(len(SPLITS)), [len(split) for split in splits]),
        )

    @property
    def positive(self) -> int:
        """Code of the positive class."""
        return self.class_names.index(self.positive_class)

    def counts(self) -> dict[str, dict[str, int]]:
        """Number of images by split and class."""
        return {
            split: dict(
                zip(
                    self.class_names,
                    np.bincount(
                        getattr(self, split).labels, minlength=len(self.class_names)
                    ).tolist(),
                    strict=True,
                )
            )
            for split in SPLITS
        }

    def as_dict(self) -> dict[str, object]:
        """The content of dataset.json."""
        return {
            "source": self.source,
            "fingerprint": self.fingerprint,
            "class_names": self.class_names,
            "positive_class": self.positive_class,
            "images": self.counts(),
            "appearance": self.appearance_as_dict(),
            "max_value": self.preprocessing.max_value,
            "duplicates": self.duplicates.counts(),
            "bad_files": {portable(bad.path): bad.reason for bad in self.bad_files},
            "skipped": {portable(skip.path): skip.reason for skip in self.skipped},
        }


def load_dataset(
    config: DataConfig,
    contract: Preprocessing,
    *,
    seed: int,
    on_progress: Progress = lambda done, total: None,
) -> Dataset:
    """The data set that an experiment asks for.

    Raises:
        DataError: the data cannot be used.
        FileSystemError: a folder cannot be read.
    """
    match config:
        case NoiseData():
            return _noise(config, contract, seed=seed)
        case SimulatedData():
            return _simulated(config, contract, seed=seed)
        case FolderData():
            return _folder(config, contract, seed=seed, on_progress=on_progress)
        case NpzData():
            return _npz(config, contract, seed=seed)
        case QuickDrawData() | Cifar100Data():
            return _fetched(config, contract, seed=seed, on_progress=on_progress)
        case _:
            assert_never(config)


def load_labelled_folder(
    folder: Path,
    contract: Preprocessing,
    *,
    class_names: Sequence[str],
    on_progress: Progress = lambda done, total: None,
) -> tuple[Split, Sequence[Skipped]]:
    """Images of a folder labelled with a model's classes, and the files that are bad.

    Of a folder with splits, the test split is taken if there is one, else all images.

    Raises:
        DataError: a class is unknown to the model, or no image can be used.
    """
    listing = list_labelled_files(folder)
    unknown = sorted(set(listing.class_names) - set(class_names))
    if unknown:
        raise DataError(
            f"{printable(folder)}: the model knows no class {printable(unknown[0])!r}; "
            f"it knows {', '.join(map(printable, class_names))}. Rename the folder or leave it out."
        )
    files = [file for file in listing.files if file.split == "test"] or listing.files
    found = _decode(folder, files, contract, class_names, on_progress)
    if not len(found.split):
        raise DataError(f"{printable(folder)}: holds no image that can be used.")
    white = contract.resolved(0).max_value
    if n_clipped := sum(value > (white or 0) for value in found.largest):
        logger.warning(
            "%s: %d image%s with values above %s, the model's white, clipped to it.",
            printable(folder),
            n_clipped,
            "s" * (n_clipped != 1),
            white,
        )
    return found.split, found.bad


def _noise(config: NoiseData, contract: Preprocessing, *, seed: int) -> Dataset:
    def draw(n: int, stream: int) -> tuple[UInt8Array, IntArray, Sequence[str]]:
        pixels, labels = simulation.noise(n, image_size=contract.image_size, seed=[seed, stream])
        return pixels, labels, ["noise"] * n

    return _generated("noise", config, contract, draw)


def _simulated(config: SimulatedData, contract: Preprocessing, *, seed: int) -> Dataset:
    def draw(n: int, stream: int) -> tuple[UInt8Array, IntArray, Sequence[str]]:
        drawn = simulation.simulate(
            n,
            image_size=contract.image_size,
            seed=[seed, stream],
            apple_fraction=config.apple_fraction,
            line_drawings=config.line_drawings,
        )
        return drawn.images, drawn.labels, drawn.kinds

    return _generated("simulated", config, contract, draw)


def _generated(
    source: str,
    config: GeneratedData,
    contract: Preprocessing,
    draw: Callable[[int, int], tuple[UInt8Array, IntArray, Sequence[str]]],
) -> Dataset:
    """A data set of pictures made on the spot; each split is a random stream of its own."""
    splits = []
    sizes = (config.train_samples, config.validation_samples, config.test_samples)
    for stream, (name, n) in enumerate(zip(SPLITS, sizes, strict=True)):
        pixels, labels, kinds = draw(n, stream)
        names = [f"{name}/{i:05d}-{kind}" for i, kind in enumerate(kinds)]
        splits.append(Split(_prepare_all([pixels], contract), labels, names))
    class_names = simulation.CLASS_NAMES
    positive = _positive_class(config.positive_class, class_names)
    train, validation, test = splits
    return Dataset(
        source,
        class_names,
        positive,
        train,
        validation,
        test,
        preprocessing=contract.resolved(0),
    )


def _folder(
    config: FolderData, contract: Preprocessing, *, seed: int, on_progress: Progress
) -> Dataset:
    folder = Path(config.path)
    listing = list_labelled_files(folder)
    positive = _positive_class(config.positive_class, listing.class_names)
    check_classes(listing, where=printable(folder))
    found, contract = _decode_in_range(folder, listing, contract, on_progress)
    bad = found.bad
    if bad and config.bad_files == "fail":
        lines = [f"  {printable(file.path)}: {file.reason}" for file in bad]
        raise DataError(
            f"{printable(folder)}: {len(bad)} image{'s' * (len(bad) > 1)} cannot be used. "
            "Fix or remove them, or train with data.bad_files=skip:\n" + "\n".join(lines)
        )
    splits = _split(
        found.split,
        np.array([SPLITS.index(listing.files[i].split or "train") for i in found.good]),
        validation_split=0 if "validation" in listing.splits else config.validation_split,
        test_split=0 if "test" in listing.splits else config.test_split,
        class_names=listing.class_names,
        where=printable(folder),
        seed=seed,
    )
    return Dataset(
        "folder",
        listing.class_names,
        positive,
        *splits,
        bad_files=bad,
        skipped=listing.skipped,
        n_decoded=found.n_decoded,
        sample=_sample(listing),
        preprocessing=contract,
    )


def _sample(listing: Listing) -> list[str]:
    """Some of the files that may be trained on."""
    files = training_files(listing)
    return [files[i].path for i in evenly(len(files))]


def _fetched(
    config: FetchedData,
    contract: Preprocessing,
    *,
    seed: int,
    on_progress: Progress,
) -> Dataset:
    """The folder that was fetched; nothing is downloaded here."""
    folder = FolderData(
        path=str(fetched_folder(config)),
        positive_class=config.positive_class or config.one_vs_rest,
        validation_split=config.validation_split,
        test_split=config.test_split,
        duplicates=config.duplicates,
    )
    dataset = _folder(folder, contract, seed=seed, on_progress=on_progress)
    return replace(dataset, source=config.source)


def _npz(config: NpzData, contract: Preprocessing, *, seed: int) -> Dataset:
    path = Path(config.path)
    archive = read_npz(path)
    if len(archive.class_names) < 2:
        raise too_few_classes(archive.class_names, where=printable(path))
    everything, given = _prepare_archive(archive, contract)
    splits = _split(
        everything,
        given,
        validation_split=config.validation_split,
        test_split=config.test_split if archive.x_test is None else 0,
        class_names=archive.class_names,
        where=printable(path),
        seed=seed,
    )
    return Dataset(
        "npz",
        archive.class_names,
        _positive_class(config.positive_class, archive.class_names),
        *splits,
        sample=[archive.x[i].copy() for i in evenly(len(archive.x))],  # not to keep the whole array
        preprocessing=contract.resolved(0),
    )


def _prepare_archive(archive: Archive, contract: Preprocessing) -> tuple[Split, IntArray]:
    """All images, prepared, and the index into SPLITS of each."""
    pixels, labels, given = [archive.x], [archive.y], [np.zeros(len(archive.y), np.int64)]
    if archive.x_test is not None and archive.y_test is not None:
        pixels.append(archive.x_test)
        labels.append(archive.y_test)
        given.append(np.full(len(archive.y_test), SPLITS.index("test")))
    n = sum(map(len, labels))
    names = [f"{i:05d}" for i in range(n)]
    split = Split(_prepare_all(pixels, contract), np.concatenate(labels), names)
    return split, np.concatenate(given)


class _Decoded(NamedTuple):
    """What the image files of a folder hold."""

    split: Split  # all good images
    good: list[int]  # their places among the files
    bad: list[Skipped]
    n_decoded: int
    largest: list[int]  # value in each file that is gray of 16 bits, else 0


def _decode_in_range(
    folder: Path, listing: Listing, contract: Preprocessing, on_progress: Progress
) -> tuple[_Decoded, Preprocessing]:
    """All images of a folder, and the contract with the range of values that they were found in.

    Where the range is open and less than the full one, all is decoded twice.
    """
    found = _decode(folder, listing.files, contract, listing.class_names, on_progress)
    resolved = contract.resolved(max(found.largest, default=0))
    if contract.max_value is None and resolved.max_value != FULL_RANGE:
        del found
        found = _decode(folder, listing.files, resolved, listing.class_names, on_progress)
    return found, resolved


def _decode(
    folder: Path,
    files: Sequence[LabelledFile],
    contract: Preprocessing,
    class_names: Sequence[str],
    on_progress: Progress,
) -> _Decoded:
    """The images of a folder, as one contract has them."""
    decoded = decode_files(
        [file.path for file in files], contract, root=folder, on_progress=on_progress
    )
    good = [i for i, row in enumerate(decoded.rows) if row >= 0]
    code = {name: i for i, name in enumerate(class_names)}
    split = Split(
        rows_of(decoded.pixels, np.array([decoded.rows[i] for i in good], np.intp)),
        np.array([code[files[i].class_name] for i in good], np.int32),
        [portable(files[i].path) for i in good],
    )
    bad = [Skipped(files[i].path, reason) for i, reason in decoded.reasons.items()]
    return _Decoded(split, good, bad, decoded.n_decoded, decoded.largest)


def _split(
    everything: Split,
    given: IntArray,
    *,
    validation_split: float,
    test_split: float,
    class_names: Sequence[str],
    where: str,
    seed: int,
) -> tuple[Split, Split, Split]:
    """Train, validation and test; the last two are drawn from the first, as `draw_splits` says."""
    assignment = draw_splits(
        everything.labels,
        given,
        first=first_equal(everything.images),
        shares=(validation_split, test_split),
        class_names=class_names,
        where=where,
        seed=seed,
    )
    train, validation, test = (
        everything.take(np.flatnonzero(assignment == i)) for i in range(len(SPLITS))
    )
    return train, validation, test


def _prepare_all(parts: Sequence[UInt8Array], contract: Preprocessing) -> UInt8Array:
    """The pictures of all parts in one array, prepared."""
    prepared = empty_pixels((sum(map(len, parts)), *contract.shape))
    for i, picture in enumerate(chain.from_iterable(parts)):
        prepared[i] = loading.prepare(picture, contract)
    return prepared


def _positive_class(asked: str | None, class_names: Sequence[str]) -> str:
    if asked is None:
        return "apple" if "apple" in class_names else class_names[0]
    if asked not in class_names:
        raise DataError(
            f"data.positive_class {asked!r} is not a class of the data: "
            f"{', '.join(map(printable, class_names))}."
        )
    return asked
