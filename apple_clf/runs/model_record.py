"""`model.json`: all that prediction must know besides the weights, and proof they are intact."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

from apple_clf.errors import ArtifactError
from apple_clf.images.preprocessing import (
    PREPROCESSING_VERSION,
    ColorMode,
    Polarity,
    Preprocessing,
    Reader,
    Resize,
)
from apple_clf.io.files import printable

FORMAT_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class ModelRecord:
    """What turns a weights file into answers."""

    class_names: tuple[str, ...]
    positive_class: str
    preprocessing: Preprocessing
    threshold: float | None
    """A model of two classes answers the positive one from this probability on; null for more."""
    threshold_goal: str | None = None
    """What it was chosen for, on validation images; null if it was given."""
    temperature: float
    """Logits are divided by it before the softmax; 1 leaves probabilities as trained."""
    novelty_threshold: float | None = None
    """Pictures that score higher are answered `unsure`; null for a model that never is."""
    keras_version: str
    keras_sha256: str
    litert_sha256: str

    @property
    def positive(self) -> int:
        """Code of the positive class."""
        return self.class_names.index(self.positive_class)

    def to_json(self) -> str:
        """The text of model.json."""
        content = {
            "format_version": FORMAT_VERSION,
            "preprocessing_version": PREPROCESSING_VERSION,
            **asdict(self),
        }
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_model_record(path: Path) -> ModelRecord:
    """The record that a model.json holds.

    Raises:
        ArtifactError: it is missing, damaged, or made by a newer version.
    """
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(
            f"{printable(path)}: missing, so this is not a finished run. "
            "List the finished ones: apple-clf runs"
        ) from None
    except OSError as error:
        raise ArtifactError(f"{printable(path)}: cannot be read: {error.strerror}") from error
    return parse_model_record(text, where=path)


def parse_model_record(text: bytes, *, where: Path) -> ModelRecord:
    """The record that the content of a model.json holds.

    Args:
        text: JSON.
        where: what errors name.

    Raises:
        ArtifactError: it is damaged, or made by a newer version.
    """
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        raise _corrupt(where, "it is not JSON") from None
    if not isinstance(content, dict):
        raise _corrupt(where, "it is not JSON object")
    _check_versions(where, content)
    try:
        return _parse(content)
    except KeyError as error:
        raise _corrupt(where, f"{error.args[0]!r} is missing") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise _corrupt(where, str(error)) from None


def _check_versions(path: Path, content: dict[str, Any]) -> None:
    for key, oldest, newest in (
        ("format_version", FORMAT_VERSION, FORMAT_VERSION),
        ("preprocessing_version", 1, PREPROCESSING_VERSION),
    ):
        theirs = content.get(key)
        if type(theirs) is not int:
            raise _corrupt(path, f"{key} is {theirs!r}")
        if not oldest <= theirs <= newest:
            cure = "Upgrade apple-clf" if theirs > newest else "Train again"
            raise ArtifactError(
                f"{printable(path)}: {key} is {theirs}; this version reads {newest}. {cure}."
            )


def _parse(content: dict[str, Any]) -> ModelRecord:
    if not isinstance(content["class_names"], list):
        raise TypeError("class_names is not a list")
    class_names = tuple(_text(name) for name in content["class_names"])
    threshold, goal = content["threshold"], content["threshold_goal"]
    novelty = content["novelty_threshold"]
    record = ModelRecord(
        class_names=class_names,
        positive_class=_text(content["positive_class"]),
        preprocessing=_preprocessing(
            content["preprocessing"], version=content["preprocessing_version"]
        ),
        threshold=None if threshold is None else _number(threshold),
        threshold_goal=None if goal is None else _text(goal),
        temperature=_number(content["temperature"]),
        novelty_threshold=None if novelty is None else _number(novelty),
        keras_version=_text(content["keras_version"]),
        keras_sha256=_text(content["keras_sha256"]),
        litert_sha256=_text(content["litert_sha256"]),
    )
    if len(set(class_names)) != len(class_names) or len(class_names) < 2:
        raise ValueError(f"class_names {class_names!r} are not two or more different names")
    if record.positive_class not in class_names:
        raise ValueError(f"positive_class {record.positive_class!r} is none of {class_names!r}")
    if (record.threshold is None) != (len(class_names) > 2):
        raise ValueError("a threshold goes with two classes, and only with two")
    if not (0 <= (record.threshold or 0) <= 1 and 0 < record.temperature < float("inf")):
        raise ValueError("threshold or temperature is out of range")
    if not 0 <= (record.novelty_threshold or 0) < float("inf"):
        raise ValueError(f"novelty_threshold is {record.novelty_threshold!r}")
    return record


def _preprocessing(content: dict[str, Any], *, version: int) -> Preprocessing:
    """The contract; dataclasses do not check what JSON holds."""
    if version == 1:
        content = {**content, "reader": "pixels", "max_value": 65535}
    for key, choices in (
        ("color_mode", ColorMode),
        ("resize", Resize),
        ("polarity", Polarity),
        ("reader", Reader),
    ):
        if content[key] not in get_args(choices):
            raise ValueError(f"{key} is {content[key]!r}")
    if type(content["max_value"]) not in (int, type(None)):
        raise ValueError(f"max_value is {content['max_value']!r}")
    size = content["image_size"]
    if [type(side) for side in size] != [int, int]:
        raise ValueError(f"image_size is {size!r}")
    return Preprocessing(**content | {"image_size": tuple(size)})


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    value.encode()  # JSON can hold half a character, which no output could
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is not a number")
    return float(value)


def read_verified(path: Path, *, sha256: str) -> bytes:
    """The bytes of a weights file, once they are known to be the ones that were written.

    Raises:
        ArtifactError: it is missing, unreadable, or its SHA-256 differs.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ArtifactError(
            f"{printable(path)}: cannot be read: {error.strerror}. "
            "Copy the run again, or train again."
        ) from error
    check_sha256(content, sha256=sha256, where=path)
    return content


def check_sha256(content: bytes, *, sha256: str, where: Path) -> None:
    """Refuses bytes that are not the ones that were written.

    Raises:
        ArtifactError: their SHA-256 differs.
    """
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _corrupt(where, "its SHA-256 is not the one in model.json")


def _corrupt(path: Path, cause: str) -> ArtifactError:
    return ArtifactError(
        f"{printable(path)}: corrupt: {cause}. Copy the run again, or train again."
    )
