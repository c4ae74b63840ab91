"""What an export is made of, and the texts that go with it."""

import json
from dataclasses import asdict, dataclass

from apple_clf import __version__
from apple_clf.arrays import UInt8Array
from apple_clf.errors import DataError
from apple_clf.exporting.graph import INPUT, OUTPUT
from apple_clf.exporting.litert import int8_litert
from apple_clf.images.preprocessing import PREPROCESSING_VERSION
from apple_clf.io.files import printable
from apple_clf.model.backend import keras
from apple_clf.runs import Run
from apple_clf.runs.model_record import ModelRecord

CARD, LABELS = "apple-clf.json", "labels.txt"
CARD_VERSION = 1


@dataclass(frozen=True)
class Source:
    """What an export is made of."""

    run: Run
    record: ModelRecord
    model: keras.Model
    training_images: UInt8Array | None  # None if the data are gone
    name: str  # of the export

    def card(self) -> str:
        """JSON that goes with every export: what goes in, what comes out, what it means."""
        record = self.record
        content = {
            "format_version": CARD_VERSION,
            "made_by": f"apple-clf {__version__}",
            "run": self.run.path.resolve().name,
            "class_names": record.class_names,
            "positive_class": record.positive_class,
            "threshold": record.threshold,
            "input": {
                "name": INPUT,
                "dtype": "uint8",
                "shape": [None, *record.preprocessing.shape],
            },
            "output": {"name": OUTPUT, "temperature_applied": record.temperature},
            "preprocessing_version": PREPROCESSING_VERSION,
            "preprocessing": asdict(record.preprocessing),
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

    def files(self) -> dict[str, str]:
        """The texts that go with an export: class names, a line each, and the card."""
        labels = "".join(f"{printable(name)}\n" for name in self.record.class_names)
        return {LABELS: labels, CARD: self.card()}

    def int8(self) -> bytes:
        """The LiteRT file that computes with integers alone.

        Raises:
            DataError: the training images, which it is calibrated on, are gone.
            ArtifactError: LiteRT cannot compute the network with integers.
        """
        if self.training_images is None:
            raise DataError(
                f"{printable(self.run.path)}: integers are calibrated on the training images, "
                "which are no longer there as they were. Restore them, or export it as litert."
            )
        return int8_litert(
            self.model,
            temperature=self.record.temperature,
            training_images=self.training_images,
        )
