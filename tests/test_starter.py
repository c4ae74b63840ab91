import os
from pathlib import Path

import numpy as np
import pytest
from conftest import ImageFolder, write_image
from PIL import Image

from apple_clf.config import parse_experiment
from apple_clf.config.schema import Experiment, FolderData, SimulatedData
from apple_clf.datasets import load_dataset
from apple_clf.errors import DataError
from apple_clf.starter import starter_text


def start(folder: Path | None, *, name: str = "mine") -> tuple[str, Experiment]:
    text = starter_text(Path(f"{name}.yaml"), folder)
    return text, parse_experiment(text.encode("utf-8"), filename="starter.yaml")


def make(folder: Path, picture: np.ndarray, *, names: tuple[str, ...] = ("a", "b")) -> Path:
    """Writes three pictures a class, all alike but for the level of one pixel."""
    for n, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(3):
            different = picture.copy()
            different[-1, -1] = 3 * n + i
            Image.fromarray(different).save(folder / name / f"{i}.png")
    return folder


def drawing(side: int) -> np.ndarray:
    pixels = np.full((side, side), 255, np.uint8)
    pixels[side // 4 : side // 2, side // 3 : side // 2] = 0
    return pixels


def photo(side: int) -> np.ndarray:
    levels = np.linspace(0, 255, 2 * side).astype(np.uint8)
    return np.tile(levels[None, :, None], (side, 1, 3))


def test_without_a_folder_it_is_about_simulated_images() -> None:
    text, experiment = start(None)
    assert "An experiment for simulated apples and look-alikes." in text
    assert isinstance(experiment.data, SimulatedData)
    assert experiment.preprocessing.resize == "center"
    assert experiment.name == "mine"


def test_drawings_are_centred(tmp_path: Path) -> None:
    text, experiment = start(make(tmp_path / "d", drawing(200)))
    assert "6 images (3 a, 3 b) that look like drawings" in text
    assert experiment.preprocessing.image_size == (28, 28)
    assert (experiment.preprocessing.resize, experiment.preprocessing.polarity) == (
        "center",
        "auto",
    )


@pytest.mark.parametrize(("side", "size"), [(8, 16), (33, 33), (400, 48)])
def test_photos_are_cropped_to_about_their_size(tmp_path: Path, side: int, size: int) -> None:
    text, experiment = start(make(tmp_path / "p", photo(side)))
    assert "that look like photos" in text
    assert experiment.preprocessing.image_size == (size, size)
    assert (experiment.preprocessing.resize, experiment.preprocessing.polarity) == ("crop", "as_is")


@pytest.mark.parametrize(
    ("folders", "note", "asks_for_splits"),
    [
        (("apple", "pear"), "holds a folder of images for each class", True),
        (("train/apple", "train/pear", "val/pear"), "holds the splits train, validation,", True),
        (
            ("train/apple", "train/pear", "val/apple", "test/pear"),
            "holds the splits train, validation, test,",
            False,
        ),
    ],
    ids=["classes", "train and validation", "all splits"],
)
def test_layout_is_told(
    image_folder: ImageFolder, folders: tuple[str, ...], note: str, asks_for_splits: bool
) -> None:
    folder = image_folder(dict.fromkeys(folders, 3))
    text, experiment = start(folder)
    assert note in text
    assert ("test_split" in text) == asks_for_splits
    assert isinstance(experiment.data, FolderData)
    assert Path(experiment.data.path) == folder
    assert experiment.data.positive_class == "apple"
    load_dataset(experiment.data, experiment.preprocessing, seed=experiment.seed)


HOSTILE = {
    "braces": "{positive}",
    "quotes": "a \"b\" 'c'",
    "backslash": "a\\n",
    "comment": "a #b: - !x",
    "number": "1e3",
    "null": "null",
    "newline": "a\nb",
    "escape": "\x1b[31m",
    "delete": "a\x7f",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "byte order mark": "\ufeffa",
    "no character": "a\uffff",
    "no UTF-8": os.fsdecode(b"\xff"),
    "emoji": "🍎 \U000e0041",
    "formula": "=cmd",
    "percent": "%TAG",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
def test_fault_29_hostile_class_names_make_a_config_that_loads(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / "images", drawing(28), names=(name, "\U0010ffff"))
    text, experiment = start(folder)
    assert all(line.isprintable() for line in text.splitlines())
    dataset = load_dataset(experiment.data, experiment.preprocessing, seed=1)
    assert dataset.positive_class == dataset.class_names[0]
    assert len(dataset.class_names) == 2


UNWRITABLE = ("newline", "escape", "delete", "next line", "no character", "no UTF-8")


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in UNWRITABLE])
def test_fault_29_hostile_folder_is_named(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / HOSTILE[name], drawing(28))
    _, experiment = start(folder)
    assert isinstance(experiment.data, FolderData)
    assert Path(experiment.data.path) == folder


@pytest.mark.parametrize("name", UNWRITABLE)
def test_fault_29_folder_that_no_config_can_name_is_refused(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / HOSTILE[name], drawing(28))
    with pytest.raises(DataError, match=r"no experiment can name\. Rename it\.") as raised:
        starter_text(Path("mine.yaml"), folder)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize(
    ("name", "run_name"),
    [
        ("fruit", "fruit"),
        ("my fruit+2", "my-fruit-2"),
        ("..", "experiment"),
        ("-", "experiment"),
        ("-x", "x"),
        ("2024", "2024"),
        ("1e3", "1e3"),
        ("null", "null"),
        ("no", "no"),
        ("Äpfel", "pfel"),
        ("a" * 99, "a" * 64),
        ("a\n#b: c", "a--b--c"),
    ],
)
def test_name_becomes_one_that_a_run_can_have(name: str, run_name: str) -> None:
    assert start(None, name=name)[1].name == run_name


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"a": 3}, "two or more classes are needed"),
        ({"a": 3, "b": 0}, "no image of class b"),
    ],
    ids=["one class", "empty class"],
)
def test_fault_20_folder_that_cannot_be_trained_on_is_refused(
    image_folder: ImageFolder, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        starter_text(Path("mine.yaml"), image_folder(counts))


def test_folder_of_bad_images_is_refused(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 0, "b": 0})
    for name in ("a", "b"):
        (folder / name / "empty.png").touch()
    with pytest.raises(DataError, match="none of its images can be read"):
        starter_text(Path("mine.yaml"), folder)
    write_image(folder / "a" / "good.png", 0)
    assert "2 a, 1 b" in starter_text(Path("mine.yaml"), folder)


def test_real_pictures_are_told_apart(shared_data: Path) -> None:
    assert "look like photos" in starter_text(Path("grocery.yaml"), shared_data / "grocery")
    assert "look like drawings" in starter_text(Path("drawings.yaml"), shared_data / "quickdraw")
