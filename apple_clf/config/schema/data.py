"""Where the images come from: one record per source."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from apple_clf.config.schema.base import MAX_SAMPLES, Record, Samples, Text


class _Data(Record):
    """What every source of images has."""

    positive_class: Text | None = None
    """The class that precision, recall and the threshold are about; null: apple, else the first."""


class NoiseData(_Data):
    """Random pixels with random labels: nothing to learn, so whatever is learnt is by heart."""

    source: Literal["noise"] = "noise"
    """Where the images come from."""
    train_samples: Samples = 20
    """Images to train on."""
    validation_samples: Annotated[int, Field(ge=0, le=MAX_SAMPLES)] = 0
    """Images that early stopping and the like look at, never trained on."""
    test_samples: Samples = 1000
    """Fresh images for the final metrics."""


class SimulatedData(_Data):
    """Drawn apples and look-alikes: nothing to download."""

    source: Literal["simulated"] = "simulated"
    """Where the images come from."""
    train_samples: Samples = 4000
    """Images to train on."""
    validation_samples: Annotated[int, Field(ge=0, le=MAX_SAMPLES)] = 1000
    """Images that early stopping and the like look at, never trained on."""
    test_samples: Samples = 1000
    """Fresh images for the final metrics."""
    apple_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Share of apples among the images."""


class _SplitData(_Data):
    """A source whose images are split into training, validation and test here."""

    validation_split: Annotated[float, Field(ge=0, le=0.9)] = 0.15
    """Share of the images held out for validation, unless they come with a split of their own."""
    test_split: Annotated[float, Field(ge=0, le=0.9)] = 0.15
    """Share of the images held out for the final metrics, unless they come with such a split."""

    @model_validator(mode="after")
    def _leave_some_to_train(self) -> Self:
        if (held_out := self.validation_split + self.test_split) >= 1:
            message = f"validation_split and test_split must sum to less than 1, not {held_out:g}"
            raise ValueError(message)
        return self


class FolderData(_SplitData):
    """Image files in a folder per class, with or without a folder per split above them."""

    source: Literal["folder"] = "folder"
    """Where the images come from."""
    path: Text
    """Folder of <split>/<class>/* or <class>/*, relative to where the command runs."""
    bad_files: Literal["fail", "skip"] = "fail"
    """What to do about files that are no readable image: stop and list them, or go on without."""


class NpzData(_SplitData):
    """NumPy arrays in one .npz file: x and y, or x_train, y_train, x_test and y_test."""

    source: Literal["npz"] = "npz"
    """Where the images come from."""
    path: Text
    """The .npz file, relative to where the command runs."""


DataConfig = Annotated[
    NoiseData | SimulatedData | FolderData | NpzData, Field(discriminator="source")
]
