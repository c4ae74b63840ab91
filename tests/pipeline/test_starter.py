import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import ImageFolder, write_image
from PIL import Image

from apple_clf.config import load_experiment, parse_experiment
from apple_clf.config.photo_network import photo_layers
from apple_clf.config.schema import Experiment, FolderData, SimulatedData
from apple_clf.data import load_dataset
from apple_clf.data.folders import list_labelled_files
from apple_clf.errors import DataError
from apple_clf.pipeline.starter import starter_text
from apple_clf.pipeline.starter.look import look_at
from apple_clf.pipeline.starter.recipe import (
    BUDGET,
    FEWEST_EPOCHS,
    START,
    Recipe,
    for_drawings,
    for_photos,
)

CONFIGS = Path(__file__).parents[2] / "configs"


def start(folder: Path | None, *, name: str = "mine") -> tuple[str, Experiment]:
    text = starter_text(Path(f"{name}.yaml"), folder)
    return text, parse_experiment(text.encode("utf-8"), filename="starter.yaml")


def make(
    folder: Path, picture: np.ndarray, *, names: tuple[str, ...] = ("a", "b"), each: int = 3
) -> Path:
    """Writes three pictures a class, all alike but for the level of one pixel."""
    for n, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for i in range(each):
            different = picture.copy()
            different[-1, -1] = each * n + i
            Image.fromarray(different).save(folder / name / f"{i}.png")
    return folder


def drawing(side: int) -> np.ndarray:
    pixels = np.full((side, side), 255, np.uint8)
    pixels[side // 4 : side // 2, side // 3 : side // 2] = 0
    return pixels


def photo(side: int) -> np.ndarray:
    """From black to yellow, twice as wide as high."""
    levels = np.linspace(0, 255, 2 * side).astype(np.uint8)
    return np.tile(levels[None, :, None], (side, 1, 3)) * np.array([1, 1, 0], np.uint8)


def gray_photo(side: int) -> np.ndarray:
    return np.repeat(photo(side)[:, :, :1], 3, axis=2)


def test_without_a_folder_it_is_about_simulated_images() -> None:
    text, experiment = start(None)
    assert "An experiment for simulated apples and look-alikes." in text
    assert isinstance(experiment.data, SimulatedData)
    assert experiment.preprocessing.resize == "center"
    assert experiment.name == "mine"


@pytest.mark.parametrize(("side", "size"), [(16, 28), (28, 40), (200, 40)])
def test_drawings_are_centred_for_a_dense_network(tmp_path: Path, side: int, size: int) -> None:
    text, experiment = start(make(tmp_path / "d", drawing(side)))
    assert "6 images (3 a, 3 b) that look like drawings" in text
    assert "# drawings: dense layers, because" in text
    preprocessing = experiment.preprocessing
    assert preprocessing.image_size == (size, size)
    assert (preprocessing.color_mode, preprocessing.resize) == ("grayscale", "center")
    assert preprocessing.polarity == "auto"
    assert experiment.model == load_experiment(CONFIGS / "quickdraw.yaml").model


@pytest.mark.parametrize(("side", "size"), [(8, 16), (33, 33), (400, 64)])
def test_colour_photos_are_cropped_for_convolutions(tmp_path: Path, side: int, size: int) -> None:
    text, experiment = start(make(tmp_path / "p", photo(side)))
    assert "that look like photos in colour" in text
    assert "# colour photos: convolutions, because" in text
    preprocessing = experiment.preprocessing
    assert preprocessing.image_size == (size, size)
    assert (preprocessing.color_mode, preprocessing.resize) == ("rgb", "crop")
    assert preprocessing.polarity == "as_is"
    assert experiment.model.layers == photo_layers(size)


def test_photos_get_the_network_of_the_recipe_for_photos(tmp_path: Path) -> None:
    _, experiment = start(make(tmp_path / "p", photo(100)))
    assert experiment.model == load_experiment(CONFIGS / "photos.yaml").model


def test_gray_photos_stay_gray(tmp_path: Path) -> None:
    text, experiment = start(make(tmp_path / "p", gray_photo(100)))
    assert "that look like photos in gray" in text
    assert "0 of the 6 images looked at have colour" in text
    assert experiment.preprocessing.color_mode == "grayscale"


@pytest.mark.parametrize("names", [("a", "b"), ("c", "d")], ids=["within classes", "by class"])
def test_mixture_is_treated_as_photos_and_said_to_be_one(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    folder = make(tmp_path / "m", photo(100), names=("a", "b"))
    drawings = make(tmp_path / "drawings", drawing(100), names=("a", "b"))
    for old, new in zip(("a", "b"), names, strict=True):
        (folder / new).mkdir(exist_ok=True)
        for file in (drawings / old).iterdir():
            file.rename(folder / new / f"drawn-{file.name}")
    text, experiment = start(folder)
    assert "a mixture: 6 of the 12 images looked at are drawings" in text
    assert ("one class has photos where another has drawings" in text) == ("c" in names)
    assert experiment.preprocessing.color_mode == "rgb"


def test_rare_class_is_looked_at_too(tmp_path: Path) -> None:
    folder = make(tmp_path / "m", drawing(20), names=("a",), each=150)
    make(tmp_path / "m", photo(20), names=("z",), each=2)
    look = look_at(list_labelled_files(folder), folder)
    assert look.seen == {"a": 32, "z": 2}
    assert look.photos == {"a": 0, "z": 2}


def test_few_pictures_are_all_trained_on_and_their_test_is_not_trusted(tmp_path: Path) -> None:
    folder = make(tmp_path / "d", drawing(28), names=("apple", "not_apple"), each=5)
    text, experiment = start(folder)
    assert "With 2 test images the measured accuracy may be off by 0.50." in text
    assert "A class has only 5 pictures to learn from: collect 30 or more of each." in text
    assert f"apple-clf predict {folder} --runs built-in" in text
    assert isinstance(experiment.data, FolderData)
    assert (experiment.data.validation_split, experiment.data.test_split) == (0, 0.2)
    assert experiment.training.early_stopping is None
    assert experiment.training.epochs == 300
    dataset = load_dataset(experiment.data, experiment.preprocessing, seed=1)
    assert [len(split) for split in (dataset.train, dataset.validation, dataset.test)] == [8, 0, 2]


@pytest.mark.parametrize(
    ("names", "picture"),
    [(("apple", "pear"), drawing(28)), (("apple", "not_apple"), photo(28))],
    ids=["other classes", "photos"],
)
def test_built_in_experiment_is_named_for_drawings_of_apples_alone(
    tmp_path: Path, names: tuple[str, str], picture: np.ndarray
) -> None:
    text, _ = start(make(tmp_path / "d", picture, names=names))
    assert "built-in" not in text


def test_class_of_a_single_picture_has_none_in_the_test(tmp_path: Path) -> None:
    text, experiment = start(make(tmp_path / "d", drawing(28), each=1))
    assert "No image is left for a test" in text
    load_dataset(experiment.data, experiment.preprocessing, seed=1)


def test_more_pictures_are_validated_on(tmp_path: Path) -> None:
    text, experiment = start(make(tmp_path / "d", drawing(28), each=70))
    assert "With 20 test images the measured accuracy may be off by 0.22." in text
    assert isinstance(experiment.data, FolderData)
    assert experiment.data.validation_split == 0.15
    assert "collect" not in text


@pytest.mark.parametrize("n_train", [1, 8, 255, 4_000, 100_000, 10_000_000])
@pytest.mark.parametrize("recipe", [for_drawings, for_photos])
def test_training_keeps_to_its_time_while_enough_epochs_are_left(
    recipe: Callable[[int, int], Recipe], n_train: int
) -> None:
    made = recipe(n_train, 64)
    assert 10 <= made.epochs <= 300
    assert made.seconds <= START + BUDGET or made.epochs == FEWEST_EPOCHS


def test_time_of_the_training_is_said(tmp_path: Path) -> None:
    text, _ = start(make(tmp_path / "d", drawing(28)))
    assert "#   time             about 20 s on a fast machine, 2 minutes on a slow one" in text


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
