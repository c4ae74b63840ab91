"""The export formats: what each is called, how it is written, opened again, and judged.

A new format is one entry of `FORMS` with two functions: one writes a file from a `Source`, one
opens what was written and returns its answers. The command line, the Python API and the
comparison with Keras take everything else from the entry. Whatever loads TensorFlow is imported
inside these functions, so that the names cost `apple-clf --help` nothing.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from apple_clf.arrays import FloatArray, UInt8Array
    from apple_clf.exporting.agreement import Agreement, Answers
    from apple_clf.exporting.source import Source


@dataclass(frozen=True)
class Form:
    """One export format.

    Attributes:
        name: as `apple-clf export` takes it.
        suffix: what the name of the file or folder ends with.
        what: what it is, in a few words.
        write: writes it to a path that does not exist yet or, for a folder, is empty.
        open: what it answers, as the program that is to run it computes it.
        refused: why an export that agrees only this well with Keras is not kept, or None.
        extra: the optional part that must be installed, or None.
        marker: a file that each such folder has; None if the export is one file.
    """

    name: str
    suffix: str
    what: str
    write: "Callable[[Path, Source], None]"
    open: "Callable[[Path], Answers]"
    refused: "Callable[[Agreement], str | None]"
    extra: str | None = None
    marker: str | None = None


def _judge_floats(agreement: "Agreement") -> str | None:
    from apple_clf.exporting.agreement import too_different

    return too_different(agreement)


def _judge_integers(agreement: "Agreement") -> str | None:
    from apple_clf.exporting.agreement import too_inaccurate

    return too_inaccurate(agreement)


def _write_litert(place: Path, source: "Source") -> None:
    from apple_clf.exporting.litert import float_litert, with_files

    content = float_litert(source.model, temperature=source.record.temperature)
    place.write_bytes(with_files(content, source.files()))


def _write_int8(place: Path, source: "Source") -> None:
    from apple_clf.exporting.litert import with_files

    place.write_bytes(with_files(source.int8(), source.files()))


def _open_litert(place: Path) -> "Answers":
    from apple_clf.exporting.litert import litert_answers

    return litert_answers(place.read_bytes())


def _write_header(place: Path, source: "Source") -> None:
    from apple_clf import __version__
    from apple_clf.exporting.header import header_text
    from apple_clf.exporting.litert import output_quantization

    content, record = source.int8(), source.record
    preprocessing = asdict(record.preprocessing)
    text = header_text(
        content,
        title=f"{source.run.path.resolve().name}, made by apple-clf {__version__}",
        shape=record.preprocessing.shape,
        class_names=record.class_names,
        positive=record.positive,
        threshold=record.threshold,
        preprocessing=", ".join(f"{key} {value}" for key, value in preprocessing.items()),
        quantization=output_quantization(content),
    )
    place.write_text(text, encoding="utf-8")


def _open_header(place: Path) -> "Answers":
    from apple_clf.exporting.header import header_content
    from apple_clf.exporting.litert import litert_answers

    return litert_answers(header_content(place.read_text(encoding="utf-8")))


def _write_onnx(place: Path, source: "Source") -> None:
    from apple_clf.exporting.graph import probabilities_graph
    from apple_clf.exporting.onnx_file import onnx_bytes

    graph = probabilities_graph(source.model, temperature=source.record.temperature)
    metadata = {"class_names": json.dumps(source.record.class_names), "apple_clf": source.card()}
    place.write_bytes(onnx_bytes(graph, metadata=metadata))


def _open_onnx(place: Path) -> "Answers":
    from apple_clf.exporting.onnx_file import onnx_answers

    return onnx_answers(place.read_bytes())


def _write_saved_model(place: Path, source: "Source") -> None:
    from apple_clf.exporting.graph import probabilities_graph
    from apple_clf.io.files import write_whole
    from apple_clf.io.quiet import quiet_stderr
    from apple_clf.model.backend import tf

    graph = probabilities_graph(source.model, temperature=source.record.temperature)
    with quiet_stderr():
        tf.saved_model.save(tf.Module(), str(place), signatures=graph)
    for name, text in source.files().items():
        write_whole(place / name, text)


def _open_saved_model(place: Path) -> "Answers":
    from apple_clf.exporting.graph import INPUT, OUTPUT
    from apple_clf.model.backend import tf

    loaded = tf.saved_model.load(str(place))
    serve = loaded.signatures["serving_default"]

    def answer(pixels: "UInt8Array") -> "FloatArray":
        probabilities: FloatArray = serve(**{INPUT: tf.constant(pixels)})[OUTPUT].numpy()
        return probabilities

    answer.loaded = loaded  # type: ignore[attr-defined]  # or TensorFlow drops what it serves
    return answer


def _write_keras(place: Path, source: "Source") -> None:
    from apple_clf.exporting.keras_archive import keras_archive

    temperature = source.record.temperature
    place.write_bytes(keras_archive(source.model, temperature=temperature, card=source.card()))


def _open_keras(place: Path) -> "Answers":
    from apple_clf.exporting.keras_archive import keras_archive_answers

    return keras_archive_answers(place.read_bytes())


def _write_bundle(place: Path, source: "Source") -> None:
    from apple_clf.runs.bundle import bundle_bytes
    from apple_clf.runs.model_record import read_verified

    model = read_verified(source.run.litert_model, sha256=source.record.litert_sha256)
    place.write_bytes(bundle_bytes(source.record, model, name=source.name))


def _open_bundle(place: Path) -> "Answers":
    from apple_clf.prediction.inference import Predictor
    from apple_clf.runs.bundle import read_bundle

    return Predictor(*read_bundle(place)).predict


_ALL = (
    Form(
        name="litert",
        suffix=".tflite",
        what="a `.tflite` file of floats, any number of pictures at a time",
        write=_write_litert,
        open=_open_litert,
        refused=_judge_floats,
    ),
    Form(
        name="litert-int8",
        suffix="-int8.tflite",
        what="a `.tflite` file of integers alone, a quarter as large, one picture at a time",
        write=_write_int8,
        open=_open_litert,
        refused=_judge_integers,
    ),
    Form(
        name="onnx",
        suffix=".onnx",
        what="an `.onnx` file for ONNX Runtime, also in a browser",
        write=_write_onnx,
        open=_open_onnx,
        refused=_judge_floats,
        extra="onnx",
    ),
    Form(
        name="saved_model",
        suffix="-saved_model",
        what="a folder for TensorFlow Serving and the like",
        write=_write_saved_model,
        open=_open_saved_model,
        refused=_judge_floats,
        marker="saved_model.pb",
    ),
    Form(
        name="keras",
        suffix=".keras",
        what="a `.keras` file of Keras's own layers, for any program with Keras 3",
        write=_write_keras,
        open=_open_keras,
        refused=_judge_floats,
    ),
    Form(
        name="c-header",
        suffix=".h",
        what="the file of integers as a C array, for TensorFlow Lite Micro",
        write=_write_header,
        open=_open_header,
        refused=_judge_integers,
    ),
    Form(
        name="bundle",
        suffix=".zip",
        what="a `.zip` that `predict`, `evaluate` and `serve` take as a run, without TensorFlow",
        write=_write_bundle,
        open=_open_bundle,
        refused=_judge_floats,
    ),
)

FORMS = {form.name: form for form in _ALL}
"""Every export format, by its name."""
