from pathlib import Path

import numpy as np
import pytest
from conftest import InChild
from PIL import Image

from apple_clf.data.folders import list_labelled_files
from apple_clf.data.simulation import CLASS_NAMES, simulate
from apple_clf.data.simulation.folder import write_simulated_folder
from apple_clf.errors import ConfigError, FileSystemError
from apple_clf.io.files import find_images


def test_folder_holds_the_pictures_of_the_simulation(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    sheet = write_simulated_folder(out, 12, size=16, seed=3)
    drawn = simulate(12, image_size=(16, 16), seed=3)
    files = sorted(list_labelled_files(out).files, key=lambda file: Path(file.path).name)
    assert [file.class_name for file in files] == [CLASS_NAMES[label] for label in drawn.labels]
    assert [Path(file.path).stem.partition("-")[2] for file in files] == list(drawn.kinds)
    for file, pixels in zip(files, drawn.images, strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(file.path)), pixels)
    assert len(list(find_images(out))) == 12  # the sheet is none of them
    assert sheet.parent == out.parent
    with Image.open(sheet) as picture:
        assert min(picture.size) >= 16


def test_another_seed_draws_other_pictures(tmp_path: Path) -> None:
    sheets = [
        write_simulated_folder(tmp_path / str(seed), 4, size=16, seed=seed) for seed in (1, 2)
    ]
    assert sheets[0].read_bytes() != sheets[1].read_bytes()


@pytest.mark.parametrize("taken", ["folder", "file"])
def test_place_that_is_taken_is_left_alone(tmp_path: Path, taken: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("mine")
    (tmp_path / "file").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ConfigError, match="is not empty"):
        write_simulated_folder(tmp_path / taken, 4, size=16, seed=1)
    assert sorted(tmp_path.rglob("*")) == before


def test_empty_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    sheet = write_simulated_folder(Path(), 4, size=16, seed=1)
    assert sheet == tmp_path / "here_contact_sheet.png"
    assert len(list(find_images(here))) == 4


def test_contact_sheet_that_is_there_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out_contact_sheet.png").write_text("mine")
    with pytest.raises(ConfigError, match=r"out_contact_sheet\.png: is there already"):
        write_simulated_folder(tmp_path / "out", 4, size=16, seed=1)
    assert (tmp_path / "out_contact_sheet.png").read_text() == "mine"


def test_place_below_a_file_is_a_file_system_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileSystemError, match="out: cannot be written: Not a directory"):
        write_simulated_folder(tmp_path / "file" / "out", 4, size=16, seed=1)


def test_locked_place_is_a_file_system_error(open_folder: Path, as_nobody: InChild) -> None:
    (open_folder / "out").mkdir(mode=0)

    def write() -> str:
        with pytest.raises(FileSystemError) as raised:
            write_simulated_folder(open_folder / "out", 4, size=16, seed=1)
        return str(raised.value)

    assert "out: cannot be written: Permission denied" in as_nobody(write)
