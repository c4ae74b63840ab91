import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.errors import ArtifactError
from apple_clf.images.preprocessing import PREPROCESSING_VERSION, Preprocessing
from apple_clf.runs.model_record import ModelRecord, read_model_record, read_verified

RECORD = ModelRecord(
    class_names=("apple", "not_apple"),
    positive_class="apple",
    preprocessing=Preprocessing(image_size=(28, 20), color_mode="rgb", resize="pad"),
    threshold=0.5,
    threshold_goal="f1",
    temperature=1.0,
    novelty_threshold=70.5,
    keras_version="3.15.1",
    keras_sha256="0" * 64,
    litert_sha256="1" * 64,
)


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "model.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


names = st.text(st.characters(codec="utf-8"))


@given(
    names=st.lists(names, min_size=2, max_size=4, unique=True),
    size=st.tuples(st.integers(1, 1024), st.integers(1, 1024)),
    temperature=st.floats(0, exclude_min=True, allow_infinity=False),
    threshold=st.floats(0, 1),
    novelty=st.none() | st.floats(0, allow_infinity=False),
)
def test_record_survives_its_file(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    size: tuple[int, int],
    temperature: float,
    threshold: float,
    novelty: float | None,
) -> None:
    record = ModelRecord(
        class_names=tuple(names),
        positive_class=names[-1],
        preprocessing=Preprocessing(image_size=size),
        threshold=threshold if len(names) == 2 else None,
        temperature=temperature,
        novelty_threshold=novelty,
        keras_version="3",
        keras_sha256="a",
        litert_sha256="b",
    )
    path = written(tmp_path_factory.getbasetemp(), record.to_json())
    assert read_model_record(path) == record
    assert record.positive == len(names) - 1


def test_fault_40_record_truncated_anywhere_is_corrupt(tmp_path: Path) -> None:
    content = RECORD.to_json().rstrip()
    for length in range(len(content)):
        with pytest.raises(ArtifactError, match=r"model.json: corrupt: .* train again"):
            read_model_record(written(tmp_path, content[:length]))


@given(st.integers(0, len(RECORD.to_json()) - 1), st.integers(0, 7))
def test_fault_40_flipped_bit_is_an_artifact_error_or_a_sound_record(
    tmp_path_factory: pytest.TempPathFactory, at: int, bit: int
) -> None:
    content = bytearray(RECORD.to_json().encode())
    content[at] ^= 1 << bit
    path = written(tmp_path_factory.getbasetemp(), bytes(content))
    try:
        record = read_model_record(path)
    except ArtifactError:
        return
    assert read_model_record(written(path.parent, record.to_json())) == record
    assert record.class_names[record.positive] == record.positive_class


@pytest.mark.parametrize(
    "content",
    [b"", b"null", b"[]", b"3", b"\xff\xfe\x00", b"{}", b"[" * 100_000, b"PK\x03\x04"],
    ids=["empty", "null", "list", "number", "bytes", "object", "deep", "zip"],
)
def test_fault_40_garbage_is_corrupt(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ArtifactError, match=r"model\.json: corrupt"):
        read_model_record(written(tmp_path, content))


LONG = 10**400


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("class_names", "ab"),
        ("class_names", {"apple": 1, "not_apple": 2}),
        ("class_names", ["apple"]),
        ("class_names", ["apple", "apple"]),
        ("class_names", ["apple", 3]),
        ("class_names", ["apple", "\ud800"]),
        ("class_names", ["apple", "b", "c"]),  # and a threshold
        ("positive_class", "pear"),
        ("positive_class", None),
        ("threshold", None),
        ("threshold", 1.5),
        ("threshold", -0.1),
        ("threshold", float("nan")),
        ("threshold", "0.5"),
        ("threshold", True),
        ("temperature", 0),
        ("temperature", -1),
        ("temperature", float("inf")),
        ("temperature", float("nan")),
        ("temperature", LONG),
        ("temperature", "1"),
        ("temperature", None),
        ("threshold_goal", 1),
        ("novelty_threshold", -1),
        ("novelty_threshold", float("nan")),
        ("novelty_threshold", float("inf")),
        ("novelty_threshold", "70"),
        ("keras_version", 3),
        ("litert_sha256", None),
        ("preprocessing", None),
        ("preprocessing", []),
        ("preprocessing.image_size", [28]),
        ("preprocessing.image_size", [28.0, 28]),
        ("preprocessing.image_size", [0, 28]),
        ("preprocessing.image_size", [28, LONG]),
        ("preprocessing.image_size", [True, 28]),
        ("preprocessing.image_size", "28"),
        ("preprocessing.image_size", None),
        ("preprocessing.color_mode", "purple"),
        ("preprocessing.resize", ["pad"]),
        ("preprocessing.polarity", None),
        ("preprocessing.more", 1),
        ("format_version", "1"),
        ("format_version", True),
        ("preprocessing_version", None),
    ],
)
def test_fault_40_value_that_cannot_be_is_corrupt(tmp_path: Path, key: str, value: Any) -> None:
    content = json.loads(RECORD.to_json())
    *parents, last = key.split(".")
    target = content[parents[0]] if parents else content
    target[last] = value
    with pytest.raises(ArtifactError, match=r"model\.json: corrupt") as raised:
        read_model_record(written(tmp_path, json.dumps(content)))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("key", [*json.loads(RECORD.to_json()), "preprocessing.resize"])
def test_fault_40_missing_key_is_named(tmp_path: Path, key: str) -> None:
    content = json.loads(RECORD.to_json())
    *parents, last = key.split(".")
    del (content[parents[0]] if parents else content)[last]
    with pytest.raises(ArtifactError, match=f"corrupt: '?{last}'? is (missing|None)"):
        read_model_record(written(tmp_path, json.dumps(content)))


def test_record_of_preprocessing_1_means_the_full_range(tmp_path: Path) -> None:
    content = json.loads(RECORD.to_json())
    del content["preprocessing"]["max_value"], content["preprocessing"]["reader"]
    first = json.dumps({**content, "preprocessing_version": 1})
    assert read_model_record(written(tmp_path, first)).preprocessing.max_value == 65535
    with pytest.raises(ArtifactError, match="'reader' is missing"):
        read_model_record(written(tmp_path, json.dumps(content)))


@pytest.mark.parametrize("value", [0, 65536, 4095.0, True, "4095"])
def test_white_that_cannot_be_is_corrupt(tmp_path: Path, value: object) -> None:
    content = json.loads(RECORD.to_json())
    content["preprocessing"]["max_value"] = value
    with pytest.raises(ArtifactError, match="corrupt: max_value"):
        read_model_record(written(tmp_path, json.dumps(content)))


@pytest.mark.parametrize(
    ("key", "step", "cure"),
    [
        ("format_version", 1, "Upgrade apple-clf"),
        ("format_version", -1, "Train again"),
        ("preprocessing_version", 1, "Upgrade apple-clf"),
        ("preprocessing_version", -PREPROCESSING_VERSION, "Train again"),
    ],
)
def test_fault_43_other_version_is_refused_with_both_versions(
    tmp_path: Path, key: str, step: int, cure: str
) -> None:
    content = json.loads(RECORD.to_json())
    ours = content[key]
    content = {key: ours + step, **dict.fromkeys(content.keys() - {key}, "unknown")} | {
        other: content[other]
        for other in ("format_version", "preprocessing_version")
        if other != key
    }
    message = rf"model\.json: {key} is {ours + step}; this version reads {ours}\. {cure}\."
    with pytest.raises(ArtifactError, match=message):
        read_model_record(written(tmp_path, json.dumps(content)))


def test_a_record_of_version_1_reads_pictures_as_they_are(tmp_path: Path) -> None:
    content = json.loads(RECORD.to_json())
    content["preprocessing_version"] = 1
    del content["preprocessing"]["reader"], content["preprocessing"]["max_value"]
    record = read_model_record(written(tmp_path, json.dumps(content)))
    assert record.preprocessing == replace(RECORD.preprocessing, reader="pixels", max_value=65535)


def test_fault_41_missing_record_is_no_finished_run(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="missing, so this is not a finished run"):
        read_model_record(tmp_path / "model.json")
    with pytest.raises(ArtifactError, match="cannot be read: Is a directory"):
        read_model_record(tmp_path)


def test_fault_40_weights_are_read_only_if_they_are_the_ones_written(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    content = bytes(range(256))
    digest = hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    assert read_verified(path, sha256=digest) == content
    for damaged in (content[:-1], b"", content[:9] + b"\0" + content[10:], content + b"\0"):
        path.write_bytes(damaged)
        with pytest.raises(ArtifactError, match=r"model\.tflite: corrupt: its SHA-256 is not"):
            read_verified(path, sha256=digest)
    path.unlink()
    with pytest.raises(ArtifactError, match=r"model\.tflite: cannot be read: No such file"):
        read_verified(path, sha256=digest)
