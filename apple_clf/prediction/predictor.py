"""Run -> answers to pictures in whichever form they come: files, Pillow images, arrays."""

from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps

from apple_clf.arrays import UInt8Array
from apple_clf.errors import ImageError
from apple_clf.prediction import inference
from apple_clf.prediction.inference import Answer
from apple_clf.runs import Run

Picture: TypeAlias = str | Path | Image.Image | UInt8Array
"""A file, a Pillow image, or pixels: uint8, (height, width), or with 1 or 3 channels after."""

_IN_PNG = {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"}
"""Pillow's modes that a PNG file holds without loss."""

_IN_TIFF = {"I", "I;16B", "F"}
"""Those of many bits that only a TIFF file does."""

_COPYING = Lock()
"""Held while a Pillow image is copied: one opened from a file decodes only then, and reads its EXIF
data, which two threads that were given the same image must not do at once."""


class Predictor:
    """A run's model, loaded once, that answers pictures from anywhere, in any number of threads."""

    def __init__(self, run: Run | str | Path | None = None, folder: str | Path = "runs") -> None:
        """Loads a model.

        Args:
            run: a run, its path or its name, or a bundle's; the newest finished run if left out.
            folder: where runs live.

        Raises:
            ArtifactError: there is no such run, or a file of it is missing or damaged.
        """
        if not isinstance(run, Run):
            run = inference.find_model(None if run is None else str(run), folder=Path(folder))
        self.run = run
        self._predictor = inference.Predictor.load(run)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes, in the order of their codes."""
        return tuple(self._predictor.record.class_names)

    def predict(self, *pictures: Picture) -> list[Answer]:
        """An answer for each picture, in order; one that cannot be used has its error set.

        All go the way of a file, so a picture is answered alike in whichever form it comes.

        Args:
            pictures: any number; an answer's `file` is the path, or the place among them from 1.

        Raises:
            ArtifactError: the weights are finite, but so large that an answer is not.
        """
        names = [
            str(picture) if isinstance(picture, str | Path) else f"picture {place}"
            for place, picture in enumerate(pictures, start=1)
        ]
        answers: list[Answer] = []
        for start in range(0, len(pictures), inference.BATCH):
            part = slice(start, start + inference.BATCH)
            answers += self._predictor.answer_sources(
                names[part], [_as_file(picture) for picture in pictures[part]]
            )
        return answers


def _as_file(picture: Picture) -> str | bytes | ImageError:
    """A path as it is; else the bytes of a file with the same pixels, or why there are none."""
    if isinstance(picture, str | Path):
        return str(picture)
    try:
        if isinstance(picture, np.ndarray):
            picture = _as_image(picture)
        with _COPYING:
            image = ImageOps.exif_transpose(picture)
        kind = "TIFF" if image.mode in _IN_TIFF else "PNG"
        if image.mode not in _IN_PNG | _IN_TIFF:
            image = image.convert("RGBA" if image.has_transparency_data else "RGB")
        file = BytesIO()
        image.save(file, kind, **({"compress_level": 1} if kind == "PNG" else {}))
    except ImageError as error:
        return error
    except Exception as error:  # noqa: BLE001 (a Pillow image may decode now; that raises anything)
        return ImageError(f"the picture cannot be used: {error}")
    return file.getvalue()


def _as_image(pixels: UInt8Array) -> Image.Image:
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    fits = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] == 3)
    if pixels.dtype != np.uint8 or not fits or not pixels.size:
        raise ImageError(
            f"an array of {pixels.dtype} and shape {pixels.shape} is not a picture: pixels are "
            "uint8 from 0 to 255, (height, width), or with 1 or 3 channels after"
        )
    return Image.fromarray(pixels)
