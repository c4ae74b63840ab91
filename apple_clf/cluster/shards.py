"""A shard of images -> its file of answers, as a worker writes it; and what such files hold."""

import io
import json
from pathlib import Path

from apple_clf.cluster.plan import Shard
from apple_clf.cluster.surroundings import Surroundings
from apple_clf.io.files import write_whole
from apple_clf.prediction.inference import Answer, Predictor
from apple_clf.runs.model_record import ModelRecord

CHUNK = 128
"""Images in memory at a time, as in `predict`."""

_latest: tuple[str, Predictor] | None = None  # of this process, which Ray keeps for other shards


def answer_shard(
    shard: Shard, surroundings: Surroundings, model: tuple[ModelRecord, bytes]
) -> None:
    """Writes the answers of a shard, whole or not at all.

    Args:
        shard: what to answer, and into which file.
        surroundings: of the command.
        model: its record, and its verified LiteRT file.

    Raises:
        ArtifactError: the model cannot answer.
        ConfigError, FileSystemError: as `Surroundings.take_on`; or the file cannot be written.
    """
    surroundings.take_on()
    predictor = _predictor(*model)
    names = shard.names()
    answers = [
        answer
        for start in range(0, len(names), CHUNK)
        for answer in predictor.answer(names[start : start + CHUNK])
    ]
    if shard.path.suffix == ".jsonl":
        write_whole(shard.path, jsonl_bytes(answers))
    else:
        write_whole(shard.path, parquet_bytes(answers, class_names=model[0].class_names))


def _predictor(record: ModelRecord, content: bytes) -> Predictor:
    global _latest
    key = record.to_json()
    if _latest is None or _latest[0] != key:
        _latest = key, Predictor(record, content)
    return _latest[1]


def jsonl_bytes(answers: list[Answer]) -> bytes:
    """The answers as `predict --format jsonl` writes them."""
    lines = [
        json.dumps(answer.as_dict(), ensure_ascii=False, allow_nan=False) for answer in answers
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def parquet_bytes(answers: list[Answer], *, class_names: tuple[str, ...]) -> bytes:
    """The same records as a Parquet file, with a column for each key.

    Args:
        answers: in order.
        class_names: fields of the column `probabilities`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    of_each = pa.struct([(name, pa.float64()) for name in class_names])
    schema = pa.schema(
        [
            pa.field("file", pa.string(), nullable=False),
            ("class", pa.string()),
            ("probability", pa.float64()),
            ("probabilities", of_each),
            ("unsure", pa.bool_()),
            ("error", pa.string()),
        ]
    )
    table = pa.Table.from_pylist([answer.as_dict() for answer in answers], schema=schema)
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


_GOOD_END = b'"error": null}\n'


def count(path: Path) -> tuple[int, int]:
    """How many answers a shard's file holds, and how many of them are errors."""
    if path.suffix == ".jsonl":
        with path.open("rb") as lines:
            good = [line.endswith(_GOOD_END) for line in lines]
        return len(good), good.count(False)
    import pyarrow.parquet as pq

    errors = pq.ParquetFile(path).read(columns=["error"]).column("error")
    return len(errors), len(errors) - errors.null_count
