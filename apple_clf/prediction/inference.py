"""Run or bundle -> Predictor on LiteRT -> answers; TensorFlow is never imported."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from threading import Lock
from typing import ClassVar, NamedTuple

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from apple_clf.arrays import BoolArray, FloatArray, IntArray, UInt8Array
from apple_clf.errors import ArtifactError, ImageError
from apple_clf.images import loading
from apple_clf.images.decoding import Decoded
from apple_clf.io.files import Skipped, portable, printable
from apple_clf.io.parallel import map_chunks
from apple_clf.io.quiet import quiet_stderr
from apple_clf.metrics.scores import predicted_classes
from apple_clf.prediction.decision.calibration import softmax
from apple_clf.prediction.decision.novelty import is_novel
from apple_clf.runs import Run, find_run
from apple_clf.runs.bundle import read_bundle
from apple_clf.runs.model_record import ModelRecord, read_model_record, read_verified

BATCH = 256
"""Images in memory at a time; more would be no faster."""

LARGE = 256 * 256
"""Pixels, over all channels, above which a decoded picture is prepared at once. Many smaller ones
are decoded first and then prepared, which is faster; many large ones would fill the memory."""

DONT_KNOW = "I don't know"
UNLIKE_TRAINING = "unlike anything it was trained on"
"""What is said of an unsure answer, and why; the class comes after it, if at all."""


class Answer(NamedTuple):  # goes between processes thrice as fast as a dataclass
    """What a model says of one file; `error` tells why it says nothing."""

    file: str
    probabilities: dict[str, float] | None = None  # by class name, sum 1
    class_name: str | None = None
    probability: float | None = None  # of that class
    unsure: bool | None = None  # the picture is unlike anything the model was trained on
    error: str | None = None
    note: str | None = None  # what was left out of the file; for people, not among the public keys

    def as_dict(self) -> dict[str, object]:
        """The answer with the public keys, as JSON shows it."""
        return {
            "file": self.file,
            "class": self.class_name,
            "probability": self.probability,
            "probabilities": self.probabilities,
            "unsure": self.unsure,
            "error": self.error,
        }


def unsure_in_words(answer: Mapping[str, object]) -> str:
    """One line for an unsure answer, which names the class last.

    >>> unsure_in_words({"class": "apple", "probability": 0.93})
    "I don't know: unlike anything it was trained on; closest class: apple 0.930"

    Args:
        answer: from `Answer.as_dict`, without an error.
    """
    name = printable(str(answer["class"]))
    return f"{DONT_KNOW}: {UNLIKE_TRAINING}; closest class: {name} {answer['probability']:.3f}"


class _Prepared(NamedTuple):
    """A picture as the network takes it."""

    pixels: UInt8Array
    note: str | None


class Outputs(NamedTuple):
    """What a network says of n images."""

    logits: FloatArray  # float32, (n, n_classes)
    novelty: FloatArray  # float32, (n,), from 0; all 0 for a model that is never unsure


class Predictor:
    """A trained model that answers at once, in any number of threads."""

    _has_greeted: ClassVar = False
    """Whether LiteRT has told of its delegate, which it does once in a process."""

    def __init__(self, record: ModelRecord, model: bytes) -> None:
        """Prepares a model.

        Args:
            record: class names, preprocessing, temperature and thresholds.
            model: a LiteRT file's content, verified.

        Raises:
            ArtifactError: the file does not fit the record.
        """
        self.record = record
        try:
            with nullcontext() if Predictor._has_greeted else quiet_stderr():
                self._interpreter = Interpreter(model_content=model, num_threads=1)
                self._interpreter.allocate_tensors()
            Predictor._has_greeted = True
            self._input = self._interpreter.get_input_details()[0]
            outputs = self._interpreter.get_signature_runner().get_output_details()
            n_classes = outputs["logits"]["shape_signature"][-1]
            # Only numbers are kept: LiteRT refuses to resize while its own arrays are held.
            self._outputs = {name: int(tensor["index"]) for name, tensor in outputs.items()}
        except (ValueError, RuntimeError, IndexError, KeyError) as error:
            raise ArtifactError(f"the model is not a LiteRT model of this kind: {error}") from error
        shape = tuple(map(int, self._input["shape_signature"][1:]))
        if shape != record.preprocessing.shape or n_classes != len(record.class_names):
            raise ArtifactError(
                f"the model takes images of shape {shape} and knows {n_classes} classes, but its "
                f"model.json says {record.preprocessing.shape} and {len(record.class_names)}. "
                "Copy the run again, or train again."
            )
        if record.novelty_threshold is not None and "novelty" not in self._outputs:
            raise ArtifactError(
                "model.json has a novelty_threshold, but the model scores no novelty. "
                "Copy the run again, or train again."
            )
        self._n_allocated = 1
        self._lock = Lock()  # of the interpreter, which keeps a batch's tensors in itself

    @classmethod
    def load(cls, run: Run) -> "Predictor":
        """The predictor of a run or, if its path is a file, of a bundle.

        Raises:
            ArtifactError: a file is missing, corrupt, too new, or does not fit the others.
        """
        record, model = read_model(run)
        try:
            return cls(record, model)
        except ArtifactError as error:
            raise ArtifactError(f"{printable(run.litert_model)}: {error}") from error

    def predict(self, pixels: UInt8Array) -> FloatArray:
        """Class probabilities, calibrated, float32, (n, n_classes), rows sum to 1.

        Args:
            pixels: prepared images, uint8, (n, height, width, channels).

        Raises:
            ArtifactError: the weights are finite, but so large that an answer is not.
        """
        return self.probabilities(self.outputs(pixels).logits)

    def outputs(self, pixels: UInt8Array) -> Outputs:
        """What the network itself says, from which the other methods make answers.

        Args:
            pixels: prepared images, uint8, (n, height, width, channels).

        Raises:
            ArtifactError: the weights are finite, but so large that an answer is not.
        """
        n = len(pixels)
        outputs = Outputs(
            np.empty((n, len(self.record.class_names)), np.float32), np.zeros(n, np.float32)
        )
        for start in range(0, n, BATCH):
            part = slice(start, start + BATCH)
            with self._lock:
                self._invoke(pixels[part])
                for name, index in self._outputs.items():
                    getattr(outputs, name)[part] = self._interpreter.get_tensor(index)
        if not np.isfinite(outputs.logits).all():
            raise ArtifactError(
                "the model's weights are so large that its answers overflow. "
                "Train it again with a smaller learning rate."
            )
        return outputs

    def _invoke(self, batch: UInt8Array) -> None:
        if len(batch) != self._n_allocated:
            self._n_allocated = 0  # should memory run out now, the next batch tries again
            self._interpreter.resize_tensor_input(self._input["index"], batch.shape)
            self._interpreter.allocate_tensors()
            self._n_allocated = len(batch)
        self._interpreter.set_tensor(self._input["index"], np.ascontiguousarray(batch))
        self._interpreter.invoke()

    def probabilities(self, logits: FloatArray) -> FloatArray:
        """Class probabilities, calibrated, float32, (n, n_classes), rows sum to 1.

        Args:
            logits: from `outputs`.
        """
        return softmax(logits, temperature=self.record.temperature).astype(np.float32)

    def unsure(self, novelty: FloatArray) -> BoolArray:
        """Whether each picture looks unlike anything the model was trained on, bool, (n,).

        Args:
            novelty: from `outputs`.
        """
        threshold = self.record.novelty_threshold
        if threshold is None:
            return np.zeros(len(novelty), np.bool_)
        return is_novel(novelty, threshold=threshold)

    def answer(self, files: Sequence[str | Skipped]) -> list[Answer]:
        """An answer for each file, in order; a bad file's answer has its error set."""
        names = [file.path if isinstance(file, Skipped) else file for file in files]
        return self.answer_sources(names, files)

    def answer_sources(
        self, names: Sequence[str], sources: Sequence[str | bytes | Skipped | ImageError]
    ) -> list[Answer]:
        """As `answer`, for files by their path or their content, or what kept one from coming.

        Args:
            names: what the answers call them.
            sources: as many.
        """
        names = [portable(name) for name in names]
        read = [self._read(source) for source in sources]
        ready = [self._prepared(x) if isinstance(x, Decoded) else x for x in read]
        answers = self.answer_prepared(
            names, [x if isinstance(x, str) else x.pixels for x in ready]
        )
        return [
            answer if isinstance(x, str) or x.note is None else answer._replace(note=x.note)
            for answer, x in zip(answers, ready, strict=True)
        ]

    def answer_prepared(
        self, names: Sequence[str], prepared: Sequence[UInt8Array | str]
    ) -> list[Answer]:
        """As `answer`, for prepared pictures, or the reasons why there are none.

        Args:
            names: what the answers call them.
            prepared: as many; pictures are uint8, of the shape that the contract says.
        """
        shape = self.record.preprocessing.shape
        good = [item for item in prepared if not isinstance(item, str)]
        outputs = self.outputs(np.array(good, np.uint8).reshape(-1, *shape))
        probabilities = self.probabilities(outputs.logits)
        rows = zip(
            self.decide(probabilities).tolist(),
            self.unsure(outputs.novelty).tolist(),
            probabilities.tolist(),
            strict=True,
        )
        return [
            Answer(name, error=item) if isinstance(item, str) else self._answer(name, *next(rows))
            for name, item in zip(names, prepared, strict=True)
        ]

    def _read(self, source: str | bytes | Skipped | ImageError) -> "Decoded | _Prepared | str":
        """The decoded picture, if it is large already prepared, or why there is none."""
        if isinstance(source, Skipped):
            return source.reason
        if isinstance(source, ImageError):
            return str(source)
        try:
            decoded = loading.read(source, self.record.preprocessing)
        except ImageError as error:
            return str(error)
        return decoded if decoded.pixels.size <= LARGE else self._prepared(decoded)

    def _prepared(self, decoded: Decoded) -> "_Prepared":
        return _Prepared(loading.prepare(decoded.pixels, self.record.preprocessing), decoded.note)

    def _answer(self, file: str, code: int, unsure: bool, row: list[float]) -> Answer:
        names = self.record.class_names
        return Answer(
            file,
            probabilities=dict(zip(names, row, strict=True)),
            class_name=names[code],
            probability=row[code],
            unsure=unsure,
        )

    def decide(self, probabilities: FloatArray) -> IntArray:
        """Class codes, int, (n,): the most probable or, of two, what the threshold says.

        Args:
            probabilities: (n, n_classes).
        """
        return predicted_classes(
            probabilities, positive=self.record.positive, threshold=self.record.threshold
        )


def find_model(spec: str | None, *, folder: Path) -> Run:
    """What can answer: a bundle, by its path or in a folder of runs, or what `find_run` finds.

    Raises:
        ArtifactError: there is none.
        FileSystemError: the folder cannot be read.
    """
    if spec is not None:
        for path in (Path(spec), folder / spec):
            if path.is_file():
                return Run(path)
    return find_run(spec, folder=folder)


def read_record(run: Run) -> ModelRecord:
    """The record of a run or, if its path is a file, of a bundle.

    Raises:
        ArtifactError: it is missing, damaged, or made by a newer version.
    """
    if run.path.is_file():
        return read_bundle(run.path)[0]
    return read_model_record(run.model_record)


def read_model(run: Run) -> tuple[ModelRecord, bytes]:
    """The record and the verified LiteRT file of a run or, if its path is a file, of a bundle.

    Raises:
        ArtifactError: a file is missing, corrupt, or too new.
    """
    if run.path.is_file():
        return read_bundle(run.path)
    record = read_model_record(run.model_record)
    return record, read_verified(run.litert_model, sha256=record.litert_sha256)


class _AnswerWorker:
    """A predictor of its own for each process, since an interpreter cannot be sent."""

    def __init__(self, run: Run) -> None:
        self.predictor = Predictor.load(run)

    def __call__(self, files: list[str | Skipped]) -> list[Answer]:
        return self.predictor.answer(files)


def predict_files(run: Run, files: Iterable[str | Skipped]) -> Iterator[Answer]:
    """An answer for each file, in order, computed on all cores with flat memory.

    Raises:
        ArtifactError: the run has no usable model.
    """
    for answers in map_chunks(partial(_AnswerWorker, run), files):
        yield from answers
