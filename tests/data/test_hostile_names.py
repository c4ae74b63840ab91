"""FAULT 29: names that would break a line, a table, a page or a terminal."""

import csv
import io
import json
import os
from pathlib import Path

import numpy as np
import pytest
from conftest import ImageFolder, write_image

from apple_clf.config.schema import FolderData
from apple_clf.data import load_dataset
from apple_clf.errors import DataError
from apple_clf.evaluation import Evaluation
from apple_clf.images.preprocessing import Preprocessing

CONTRACT = Preprocessing(image_size=(8, 8), resize="stretch", polarity="as_is")
HOSTILE = [b"a\nb", b"\x1b[31mred", b"<script>", b"=cmd", b"\xff\xfe", b'"quoted", twice']


def test_fault_29_hostile_names_make_valid_json_and_csv(tmp_path: Path) -> None:
    for i, name in enumerate(HOSTILE):
        for j in range(4):
            file = os.fsdecode(name) + f"-{j}.png"
            write_image(tmp_path / os.fsdecode(name) / file, 10 * i + j)
        (tmp_path / os.fsdecode(name) / os.fsdecode(name + b".txt")).touch()
        (tmp_path / os.fsdecode(name) / os.fsdecode(name + b".png")).touch()
    dataset = load_dataset(FolderData(path=os.fspath(tmp_path), bad_files="skip"), CONTRACT, seed=1)

    text = json.dumps(dataset.as_dict(), ensure_ascii=False)
    described = json.loads(text.encode("utf-8"))
    assert described["class_names"] == list(dataset.class_names)
    assert len(described["bad_files"]) == len(described["skipped"]) == len(HOSTILE)

    n, n_classes = len(dataset.train), len(HOSTILE)
    evaluation = Evaluation(
        class_names=dataset.class_names,
        positive_class=dataset.positive_class,
        split=dataset.train,
        probabilities=np.full((n, n_classes), 1 / n_classes, np.float32),
        as_trained=np.full((n, n_classes), 1 / n_classes, np.float32),
        predicted=dataset.train.labels,
        unsure=np.zeros(n, np.bool_),
        estimates={},
    )
    content = evaluation.predictions_csv().encode("utf-8").decode("utf-8")
    header, *rows = csv.reader(io.StringIO(content, newline=""))
    assert [len(row) for row in rows] == [len(header)] * n
    assert [row[:2] for row in rows] == [
        [name, dataset.class_names[label]]
        for name, label in zip(dataset.train.names, dataset.train.labels, strict=True)
    ]
    assert not [cell for row in [header, *rows] for cell in row if cell[:1] in "=+-@\t\r\n"]


def test_fault_29_bad_files_are_listed_on_a_line_each(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 3, "b": 3})
    for name in HOSTILE:
        (folder / "a" / os.fsdecode(name + b".png")).touch()
    with pytest.raises(DataError) as raised:
        load_dataset(FolderData(path=os.fspath(folder)), CONTRACT, seed=1)
    lines = str(raised.value).splitlines()
    assert len(lines) == 1 + len(HOSTILE)
    assert all(line.isprintable() for line in lines)
