"""Does an export answer as Keras does? Asked on the run's own images, before anything is kept."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from apple_clf.arrays import FloatArray, IntArray, UInt8Array
from apple_clf.data import Dataset
from apple_clf.data.recorded_data import load_recorded_data
from apple_clf.errors import AppleClfError, ArtifactError
from apple_clf.io.files import printable
from apple_clf.metrics import balanced_accuracy, predicted_classes
from apple_clf.prediction.decision.calibration import softmax
from apple_clf.runs import Run
from apple_clf.runs.gallery import Gallery
from apple_clf.runs.model_record import ModelRecord

Answers = Callable[[UInt8Array], FloatArray]
"""From pixels, uint8, (n, height, width, channels), to probabilities, (n, n_classes)."""

MAX_DIFFERENCE = 1e-4
"""Of a probability, where floats are computed with: sums in another order differ by a hundredth."""

MAX_LOSS = 0.01
"""Of balanced accuracy, where integers are computed with; one image may always be lost."""

_ROUNDING = 1e-9

N_NOISE = 256


@dataclass(frozen=True)
class Sample:
    """Images to compare on."""

    images: UInt8Array  # (n, height, width, channels), n at least 1
    what: str  # such as "test images"
    labels: IntArray | None = None  # (n,)
    training_images: UInt8Array | None = None  # (n_train, height, width, channels)
    note: str | None = None  # why these, if they are not the run's own


@dataclass(frozen=True)
class Agreement:
    """How an export's answers compare with those of Keras, with the run's temperature in both."""

    n_images: int
    images: str
    same_answers: int
    largest_difference: float  # of a probability
    balanced_accuracy: float | None  # None without labels
    keras_balanced_accuracy: float | None
    one_image: float  # most that one image can count in the balanced accuracy
    note: str | None

    def as_dict(self) -> dict[str, object]:
        """The agreement as JSON shows it."""
        content = asdict(self)
        del content["one_image"]
        return content

    @property
    def loss(self) -> float:
        """Of balanced accuracy, against Keras; without labels the share of other answers."""
        if self.balanced_accuracy is None or self.keras_balanced_accuracy is None:
            return 1 - self.same_answers / self.n_images
        return self.keras_balanced_accuracy - self.balanced_accuracy


def sample_of(run: Run, record: ModelRecord) -> Sample:
    """The images that a run was evaluated on, or what else there is if its data are gone."""
    try:
        dataset = load_recorded_data(run)
    except AppleClfError as error:
        return _substitute(run, record, reason=str(error).rstrip("."))
    name, words = _evaluated(dataset)
    split = getattr(dataset, name)
    return Sample(split.images, words, split.labels, dataset.train.images)


def _evaluated(dataset: Dataset) -> tuple[str, str]:
    for name in ("test", "validation"):
        if len(getattr(dataset, name)):
            return name, f"{name} images"
    return "train", "training images"


def _substitute(run: Run, record: ModelRecord, *, reason: str) -> Sample:
    """The pictures that the run kept, if they are whole, or else noise."""
    shape = record.preprocessing.shape
    note = f"The run's own images are not there ({printable(reason)})"
    try:
        kept = Gallery.from_bytes(run.gallery.read_bytes()).images
    except (OSError, ValueError, KeyError):
        kept = np.empty((0, *shape), np.uint8)
    if len(kept) and kept.shape[1:] == shape:
        return Sample(kept, "of them that it kept", note=f"{note}.")
    noise = np.random.default_rng(0).integers(0, 256, (N_NOISE, *shape), np.uint8)
    return Sample(noise, "pictures of noise", note=f"{note}, nor any that it kept.")


def keras_answers(run: Run, record: ModelRecord, model: Answers) -> Answers:
    """What Keras answers with the run's temperature, which a power of its softmax brings in.

    Args:
        run: is named where the model does not fit.
        record: its temperature.
        model: probabilities as trained.
    """

    def answer(pixels: UInt8Array) -> FloatArray:
        raw = np.asarray(model(pixels), np.float64)
        if not np.isfinite(raw).all():
            raise ArtifactError(
                f"{printable(run.path)}: its answers are not finite. Train it again."
            )
        logarithms = np.log(np.maximum(raw, np.finfo(np.float32).tiny))
        return softmax(logarithms, temperature=record.temperature)

    return answer


def compare(export: Answers, keras: Answers, *, sample: Sample, record: ModelRecord) -> Agreement:
    """How an export agrees with Keras on a sample.

    Args:
        export: as loaded from what was written.
        keras: from `keras_answers`.
        sample: images, with labels or without.
        record: makes answers of probabilities.
    """
    theirs, ours = export(sample.images), keras(sample.images)

    def decide(probabilities: FloatArray) -> IntArray:
        return predicted_classes(
            probabilities, positive=record.positive, threshold=record.threshold
        )

    scores: list[float | None] = [None, None]
    one_image = 0.0
    if sample.labels is not None:
        scores = [balanced_accuracy(sample.labels, decide(each)) for each in (theirs, ours)]
        counts = np.bincount(sample.labels)
        one_image = 1 / (int(np.count_nonzero(counts)) * int(counts[counts > 0].min()))
    return Agreement(
        n_images=len(ours),
        images=sample.what,
        same_answers=int(np.sum(decide(theirs) == decide(ours))),
        largest_difference=float(np.abs(theirs - ours).max()),
        balanced_accuracy=scores[0],
        keras_balanced_accuracy=scores[1],
        one_image=one_image,
        note=sample.note,
    )


def too_different(agreement: Agreement) -> str | None:
    """Why an export that computes with floats is not kept, or None."""
    if agreement.largest_difference <= MAX_DIFFERENCE:  # NaN is above
        return None
    return (
        f"a probability differs from that of Keras by {agreement.largest_difference:.2g}, "
        f"more than {MAX_DIFFERENCE:g}"
    )


def too_inaccurate(agreement: Agreement) -> str | None:
    """Why an export that computes with integers is not kept, or None."""
    if agreement.loss <= max(MAX_LOSS, agreement.one_image) + _ROUNDING:
        return None
    return (
        f"its balanced accuracy is {agreement.balanced_accuracy:.3f}, that of Keras "
        f"{agreement.keras_balanced_accuracy:.3f}: more than {MAX_LOSS:g} is lost"
    )
