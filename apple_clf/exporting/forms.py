"""Each format: how it is written, how it is opened again, and what it may differ from Keras by."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from apple_clf import __version__
from apple_clf.arrays import FloatArray, UInt8Array
from apple_clf.errors import DataError
from apple_clf.exporting.agreement import Agreement, Answers, too_different, too_inaccurate
from apple_clf.exporting.graph import INPUT, OUTPUT, probabilities_graph
from apple_clf.exporting.header import header_content, header_text
from apple_clf.exporting.litert import (
    float_litert,
    int8_litert,
    litert_answers,
    output_quantization,
    with_files,
)
from apple_clf.exporting.onnx_file import onnx_answers, onnx_bytes
from apple_clf.images.preprocessing import PREPROCESSING_VERSION
from apple_clf.io.files import printable, write_whole
from apple_clf.io.quiet import quiet_stderr
from apple_clf.model.backend import keras, tf
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run
from apple_clf.runs.bundle import bundle_bytes, read_bundle
from apple_clf.runs.model_record import ModelRecord, read_verified

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


@dataclass(frozen=True)
class Form:
    """One format."""

    write: Callable[[Path, Source], None]
    open: Callable[[Path], Answers]
    refused: Callable[[Agreement], str | None]
    is_folder: bool = False


def _write_litert(place: Path, source: Source) -> None:
    content = float_litert(source.model, temperature=source.record.temperature)
    place.write_bytes(with_files(content, source.files()))


def _write_int8(place: Path, source: Source) -> None:
    place.write_bytes(with_files(_int8(source), source.files()))


def _int8(source: Source) -> bytes:
    if source.training_images is None:
        raise DataError(
            f"{printable(source.run.path)}: integers are calibrated on the training images, which "
            "are no longer there as they were. Restore them, or export it as litert."
        )
    return int8_litert(
        source.model,
        temperature=source.record.temperature,
        training_images=source.training_images,
    )


def _open_litert(place: Path) -> Answers:
    return litert_answers(place.read_bytes())


def _write_header(place: Path, source: Source) -> None:
    content, record = _int8(source), source.record
    contract = asdict(record.preprocessing)
    text = header_text(
        content,
        title=f"{source.run.path.resolve().name}, made by apple-clf {__version__}",
        shape=record.preprocessing.shape,
        class_names=record.class_names,
        positive=record.positive,
        threshold=record.threshold,
        preprocessing=", ".join(f"{key} {value}" for key, value in contract.items()),
        quantization=output_quantization(content),
    )
    place.write_text(text, encoding="utf-8")


def _open_header(place: Path) -> Answers:
    return litert_answers(header_content(place.read_text(encoding="utf-8")))


def _write_onnx(place: Path, source: Source) -> None:
    graph = probabilities_graph(source.model, temperature=source.record.temperature)
    metadata = {"class_names": json.dumps(source.record.class_names), "apple_clf": source.card()}
    place.write_bytes(onnx_bytes(graph, metadata=metadata))


def _open_onnx(place: Path) -> Answers:
    return onnx_answers(place.read_bytes())


def _write_saved_model(place: Path, source: Source) -> None:
    graph = probabilities_graph(source.model, temperature=source.record.temperature)
    with quiet_stderr():
        tf.saved_model.save(tf.Module(), str(place), signatures=graph)
    for name, text in source.files().items():
        write_whole(place / name, text)


def _open_saved_model(place: Path) -> Answers:
    loaded = tf.saved_model.load(str(place))
    serve = loaded.signatures["serving_default"]

    def answer(pixels: UInt8Array) -> FloatArray:
        probabilities: FloatArray = serve(**{INPUT: tf.constant(pixels)})[OUTPUT].numpy()
        return probabilities

    answer.loaded = loaded  # type: ignore[attr-defined]  # or TensorFlow drops what it serves
    return answer


def _write_bundle(place: Path, source: Source) -> None:
    model = read_verified(source.run.litert_model, sha256=source.record.litert_sha256)
    place.write_bytes(bundle_bytes(source.record, model, name=source.name))


def _open_bundle(place: Path) -> Answers:
    return Predictor(*read_bundle(place)).predict


FORMS = {
    "litert": Form(_write_litert, _open_litert, too_different),
    "litert-int8": Form(_write_int8, _open_litert, too_inaccurate),
    "onnx": Form(_write_onnx, _open_onnx, too_different),
    "saved_model": Form(_write_saved_model, _open_saved_model, too_different, is_folder=True),
    "c-header": Form(_write_header, _open_header, too_inaccurate),
    "bundle": Form(_write_bundle, _open_bundle, too_different),
}
