"""All checks together, and what they write."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ImageFolder
from PIL import Image, ImageOps

from apple_clf.checks import CheckedData, check_data
from apple_clf.checks.sheets import write_sheets
from apple_clf.config.schema import Experiment, FolderData, SimulatedData
from apple_clf.images.preprocessing import Preprocessing

CONTRACT = Preprocessing(image_size=(8, 8), resize="stretch", polarity="as_is")


def check(folder: Path, **keys: str) -> CheckedData:
    data = FolderData.model_validate({"path": os.fspath(folder), **keys})
    return check_data(Experiment(data=data, preprocessing=CONTRACT), n_folds=0)


def told(checked: CheckedData) -> dict[str, tuple[str, int]]:
    return {finding.check: (finding.level, finding.count) for finding in checked.findings}


@pytest.fixture
def sick_folder(image_folder: ImageFolder) -> Path:
    folder = image_folder({"train/a": 8, "train/b": 30, "test/a": 4, "test/b": 4})
    shutil.copy(folder / "train/b/000.png", folder / "test/b/copy.png")
    shutil.copy(folder / "train/b/001.png", folder / "train/a/wrong.png")
    shutil.copy(folder / "train/b/002.png", folder / "train/b/again.png")
    with Image.open(folder / "train/b/003.png") as picture:
        ImageOps.mirror(picture).save(folder / "test/b/mirrored.png")
    (folder / "train/a/empty.png").touch()
    return folder


def test_everything_is_found_and_the_gravest_comes_first(sick_folder: Path) -> None:
    checked = check(sick_folder)
    assert told(checked) == {
        "unreadable files": ("blocks", 1),
        "duplicates under two classes": ("blocks", 1),
        "duplicates in two splits": ("blocks", 1),
        "near duplicates in two splits": ("warning", 1),
        "class imbalance": ("warning", 1),
        "duplicates": ("note", 1),
    }
    assert [finding.level for finding in checked.findings] == sorted(
        (finding.level for finding in checked.findings),
        key=["blocks", "warning", "note"].index,
    )
    assert checked.n_blocking == 3


def test_what_is_allowed_does_not_block(sick_folder: Path) -> None:
    checked = check(sick_folder, bad_files="skip", duplicates="allow")
    assert checked.n_blocking == 0
    assert told(checked)["duplicates in two splits"] == ("warning", 1)


def test_clean_folder_has_no_findings(image_folder: ImageFolder) -> None:
    assert not check(image_folder({"a": 20, "b": 20})).findings


def test_generated_data_can_be_checked() -> None:
    data = SimulatedData(train_samples=30, validation_samples=0, test_samples=5)
    checked = check_data(Experiment(data=data), n_folds=0)
    assert checked.n_blocking == 0


def test_sheets_show_the_pairs_and_leave_the_data_alone(sick_folder: Path, tmp_path: Path) -> None:
    before = sorted(sick_folder.rglob("*"))
    written = write_sheets(check(sick_folder), tmp_path / "out" / "sheets")
    assert [path.name for path in written] == [
        "findings.json",
        "duplicates_under_two_classes.png",
        "duplicates_in_two_splits.png",
        "near_duplicates_in_two_splits.png",
        "duplicates.png",
    ]
    for path in written[1:]:
        with Image.open(path) as sheet:
            sheet.load()
    record = json.loads(written[0].read_bytes())
    assert record[0]["items"] == [
        {"files": [f"{sick_folder}/train/a/empty.png"], "detail": "empty file"}
    ]
    assert sorted(sick_folder.rglob("*")) == before


def test_checks_without_wrong_labels_need_no_tensorflow(image_folder: ImageFolder) -> None:
    code = f"""
import sys
from apple_clf.checks import check_data
from apple_clf.config.schema import Experiment, FolderData
check_data(Experiment(data=FolderData(path={str(image_folder({"a": 5, "b": 5}))!r})), n_folds=0)
print({{"tensorflow", "keras", "matplotlib", "sklearn"}} & set(sys.modules))
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert answer.stdout == b"set()\n"
