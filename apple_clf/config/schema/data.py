"""Where the images come from: one record per source.

A new source is a record here, in one of the unions at the end, and a branch of
`data.datasets.load_dataset` that loads it. What else must be known of it are the constants of its
record.
"""

from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from apple_clf.config.schema.base import MAX_SAMPLES, Record, Samples, Text


class _Data(Record):
    """What every source of images has."""

    # Whether an image's name is that of a file, so that it is the same image in every run.
    names_are_files: ClassVar[bool] = False
    # Whether the images may come with a validation split of their own.
    may_bring_validation: ClassVar[bool] = False

    positive_class: Text | None = None
    """The class that precision, recall and the threshold are about; null: apple, else the first."""


class NoiseData(_Data):
    """Random pixels with random labels: nothing to learn, so whatever is learnt is by heart."""

    source: Literal["noise"] = "noise"
    """Where the images come from."""
    train_samples: Samples = 20
    """Number of training images."""
    validation_samples: Annotated[int, Field(ge=0, le=MAX_SAMPLES)] = 0
    """Number of validation images, e.g. for early stopping; never trained on."""
    test_samples: Samples = 1000
    """Number of test images, for the final metrics."""


class SimulatedData(_Data):
    """Drawn apples and look-alikes: nothing to download."""

    source: Literal["simulated"] = "simulated"
    """Where the images come from."""
    train_samples: Samples = 4000
    """Number of training images."""
    validation_samples: Annotated[int, Field(ge=0, le=MAX_SAMPLES)] = 1000
    """Number of validation images, e.g. for early stopping; never trained on."""
    test_samples: Samples = 1000
    """Number of test images, for the final metrics."""
    apple_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of apples among the images."""
    line_drawings: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of line drawings among the images; the others imitate photos in gray."""


class _SplitData(_Data):
    """A source whose images are split into training, validation and test here."""

    validation_split: Annotated[float, Field(ge=0, le=0.9)] = 0.15
    """Share of the images held out for validation, unless the data have such a split."""
    test_split: Annotated[float, Field(ge=0, le=0.9)] = 0.15
    """Share of the images held out for the final metrics, unless the data have such a split."""
    duplicates: Literal["fail", "allow"] = "fail"
    """What to do about the same pixels in two splits or under two classes: stop and name them, or
    train all the same. Copies within a class stay in one split where the splits are drawn here."""

    @model_validator(mode="after")
    def _leave_some_to_train(self) -> Self:
        if (held_out := self.validation_split + self.test_split) >= 1:
            message = f"validation_split and test_split must sum to less than 1, not {held_out:g}"
            raise ValueError(message)
        return self


class FolderData(_SplitData):
    """Image files in a folder per class, with or without a folder per split above them."""

    names_are_files: ClassVar[bool] = True
    may_bring_validation: ClassVar[bool] = True

    source: Literal["folder"] = "folder"
    """Where the images come from."""
    path: Text
    """Folder of <split>/<class>/* or <class>/*, relative to the working directory."""
    bad_files: Literal["fail", "skip"] = "fail"
    """What to do about files that cannot be read as images: stop and list them, or skip them."""


class NpzData(_SplitData):
    """NumPy arrays in one .npz file: x and y, or x_train, y_train, x_test and y_test."""

    source: Literal["npz"] = "npz"
    """Where the images come from."""
    path: Text
    """The .npz file, relative to the working directory."""


class _FetchedData(_SplitData):
    """A public source whose images are downloaded once and kept as a folder."""

    names_are_files: ClassVar[bool] = True

    one_vs_rest: Text | None = None
    """One class against all others, merged into not_<class>; null: keep all classes."""
    path: Text | None = None
    """Folder of the images, created if it is missing; null: in the cache."""
    duplicates: Literal["fail", "allow"] = "allow"
    """As for folders, but allowed: what a publisher left is not for his readers to mend."""

    @model_validator(mode="after")
    def _rest_is_of_the_classes(self) -> Self:
        classes: tuple[str, ...] | None = getattr(self, "classes", None)
        if classes is not None and len(set(classes)) < len(classes):
            raise ValueError("classes must not name a class twice")
        if None not in (classes, self.one_vs_rest) and self.one_vs_rest not in (classes or ()):
            raise ValueError(f"one_vs_rest must be one of the classes, not {self.one_vs_rest}")
        return self


class QuickDrawData(_FetchedData):
    """Drawings of Quick, Draw! (Google, CC BY 4.0), downloaded when first asked for."""

    source: Literal["quickdraw"] = "quickdraw"
    """Where the images come from."""
    classes: Annotated[tuple[Text, ...], Field(min_length=2, max_length=345)]
    """What the drawings show, such as [apple, pear, onion]."""
    per_class: Annotated[int, Field(ge=1, le=1_000_000)] = 1000
    """Number of drawings per class: the first in the publisher's file."""
    form: Literal["bitmaps", "strokes"] = "bitmaps"
    """bitmaps: as published, 28x28. strokes: drawn here, antialiased, from the simplified lines."""
    size: Annotated[int, Field(ge=8, le=512)] = 28
    """Side length in pixels of pictures drawn from strokes."""
    drawings: Literal["all", "recognized"] = "all"
    """recognized: only those that the game recognised; needs form: strokes."""

    @model_validator(mode="after")
    def _bitmaps_are_as_published(self) -> Self:
        if self.form == "bitmaps" and self.size != 28:
            raise ValueError("size must be 28, as bitmaps are published, or set form to strokes")
        if self.form == "bitmaps" and self.drawings == "recognized":
            raise ValueError("drawings cannot be chosen among bitmaps: set form to strokes")
        return self


class Cifar100Data(_FetchedData):
    """Photos of CIFAR-100 (Krizhevsky, 2009), 32x32 in colour, downloaded when first asked for."""

    source: Literal["cifar100"] = "cifar100"
    """Where the images come from."""
    classes: Annotated[tuple[Text, ...], Field(min_length=2, max_length=100)] | None = None
    """Fine labels, such as [apple, orange, pear, sweet_pepper]; null: all 100."""


GeneratedData = NoiseData | SimulatedData
"""Sources that draw their images on the spot, as many as asked for."""

FetchedData = QuickDrawData | Cifar100Data
"""Sources that are downloaded."""

AnyData = GeneratedData | FolderData | NpzData | FetchedData

DataConfig = Annotated[AnyData, Field(discriminator="source")]

SOURCES: dict[str, type[AnyData]] = {
    record.model_fields["source"].default: record for record in get_args(AnyData)
}
"""Every source's record, by its name."""
