import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from conftest import ImageFolder, InChild, write_image

from apple_clf.data.decode_cache import DecodedFiles, decode_files
from apple_clf.images import loading
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io.large_arrays import cache_folder
from apple_clf.io.parallel import SERIAL_BELOW

CONTRACT = Preprocessing(image_size=(8, 8), resize="stretch", polarity="as_is")


@dataclass
class Looked:
    """A decoding, and how many files it had to read."""

    files: DecodedFiles
    n_read: int


def look(folder: Path, contract: Preprocessing = CONTRACT, pattern: str = "**/*.png") -> Looked:
    """Decodes a folder and checks every row against the file it stands for."""
    paths = sorted(folder.glob(pattern))
    totals = [0]
    files = decode_files(
        [str(path) for path in paths],
        contract,
        root=folder,
        on_progress=lambda done, total: totals.append(total),
    )
    assert len(files.rows) == len(paths)
    for i, (path, row) in enumerate(zip(paths, files.rows, strict=True)):
        assert (row < 0) == (i in files.reasons)
        if row >= 0:
            np.testing.assert_array_equal(files.pixels[row], loading.load(path, contract).pixels)
    return Looked(files, totals[-1])


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock at which the files of the test are old."""
    monkeypatch.setattr(time, "time_ns", lambda now=time.time_ns: now() + 10 * 10**9)


def cached(name: str) -> Path:
    """The one file of this name in the cache."""
    (path,) = cache_folder().glob(f"decoded/*/{name}")
    return path


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("n", [3, SERIAL_BELOW + 3], ids=["serial", "processes"])
def test_nothing_is_read_the_second_time(image_folder: ImageFolder, n: int) -> None:
    folder = image_folder({"a": n})
    first = look(folder)
    assert (first.n_read, first.files.n_decoded) == (n, n)
    second = look(folder)
    assert (second.n_read, second.files.n_decoded) == (0, 0)
    assert second.files.rows == first.files.rows


@pytest.mark.usefixtures("settled")
def test_one_changed_file_is_decoded_alone(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 5})
    look(folder)
    write_image(folder / "a" / "002.png", 99)
    again = look(folder)
    assert (again.n_read, again.files.n_decoded) == (1, 1)
    assert len(again.files.pixels) == 5


@pytest.mark.usefixtures("settled")
def test_content_that_is_known_is_not_decoded_under_another_name(
    image_folder: ImageFolder,
) -> None:
    folder = image_folder({"a": 3})
    look(folder)
    (folder / "a" / "000.png").rename(folder / "a" / "moved.png")
    (folder / "a" / "copy.png").write_bytes((folder / "a" / "001.png").read_bytes())
    again = look(folder)
    assert again.files.n_decoded == 0
    assert again.files.rows[0] == again.files.rows[2]  # 001 and copy
    assert len(again.files.pixels) == 3


@pytest.mark.usefixtures("settled")
def test_deleted_file_leaves_the_cache(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 4})
    look(folder)
    size = cached("pixels").stat().st_size
    (folder / "a" / "001.png").unlink()
    again = look(folder)
    assert (again.n_read, len(again.files.pixels)) == (0, 3)
    assert cached("pixels").stat().st_size == size * 3 // 4
    assert b"001.png" not in cached("index").read_bytes()


@pytest.mark.usefixtures("settled")
def test_files_that_are_not_asked_for_stay_in_the_cache(image_folder: ImageFolder) -> None:
    folder = image_folder({"train": 3, "test": 2})
    look(folder)
    assert look(folder, pattern="test/*.png").n_read == 0
    assert look(folder).n_read == 0


@pytest.mark.usefixtures("settled")
def test_file_that_was_touched_is_read_but_not_decoded(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 2})
    look(folder)
    os.utime(folder / "a" / "000.png", ns=(0, 0))
    again = look(folder)
    assert (again.n_read, again.files.n_decoded) == (1, 0)
    assert look(folder).n_read == 0


def test_file_that_is_new_is_read_again(image_folder: ImageFolder) -> None:
    """Within one tick of its times a file may change twice and look the same."""
    folder = image_folder({"a": 2})
    path = folder / "a" / "000.png"
    look(folder)
    status = path.stat()
    path.write_bytes(write_image(folder.parent / "other.png", 9).read_bytes())
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    again = look(folder)  # compares the pixels too
    assert (again.n_read, again.files.n_decoded) == (2, 1)


@pytest.mark.parametrize("year", [1970, 2100])
def test_fault_47_files_from_any_time_are_decoded_once(
    image_folder: ImageFolder, year: int
) -> None:
    folder = image_folder({"a": 3})
    for path in folder.glob("a/*"):
        os.utime(path, (0, (year - 1970) * 31_556_952))
    assert look(folder).files.n_decoded == 3
    assert look(folder).files.n_decoded == 0


@pytest.mark.parametrize(
    "other",
    [
        Preprocessing(image_size=(9, 8), resize="stretch", polarity="as_is"),
        Preprocessing(image_size=(8, 8), resize="stretch", polarity="dark_on_light"),
        Preprocessing(image_size=(8, 8), resize="stretch", polarity="as_is", color_mode="rgb"),
    ],
    ids=["size", "polarity", "colours"],
)
def test_another_contract_has_another_cache(
    image_folder: ImageFolder, other: Preprocessing
) -> None:
    folder = image_folder({"a": 2})
    for contract in (CONTRACT, other):
        assert look(folder, contract).files.n_decoded == 2
    for contract in (CONTRACT, other):
        assert look(folder, contract).files.n_decoded == 0


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + path.read_bytes())


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def nest(path: Path) -> None:
    path.write_bytes(b"[" * 100_000)


def remove(path: Path) -> None:
    path.unlink()


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.usefixtures("settled")
@pytest.mark.parametrize("name", ["pixels", "index"])
@pytest.mark.parametrize("damage", [truncate, extend, flip, empty, nest, remove, make_folder])
def test_damaged_cache_is_made_again(
    image_folder: ImageFolder, name: str, damage: Callable[[Path], None]
) -> None:
    folder = image_folder({"a": 3})
    look(folder)
    damage(cached(name))
    assert look(folder).files.n_decoded == 3
    if damage is not make_folder:
        assert look(folder).n_read == 0


@pytest.mark.usefixtures("settled")
def test_bad_files_are_told_each_time(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 2})
    bad = folder / "a" / "bad.png"
    for content in (b"", b"text", b""):
        bad.write_bytes(content)
        decoded = look(folder)
        assert list(decoded.files.reasons) == [2]
        assert len(decoded.files.pixels) == 2
    write_image(bad, 7)
    assert look(folder).files.reasons == {}
    bad.write_bytes(b"")
    assert look(folder).files.reasons == {2: "empty file"}


def test_folder_of_bad_files_has_no_pixels(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 0})
    (folder / "a" / "bad.png").touch()
    for _ in range(2):
        assert look(folder).files.pixels.shape == (0, 8, 8, 1)


def test_fault_28_file_that_is_gone_is_bad(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 2})
    decoded = decode_files(
        [str(folder / "a" / "000.png"), str(folder / "a" / "gone.png")], CONTRACT, root=folder
    )
    assert decoded.rows == [0, -1]
    assert decoded.reasons == {1: "no such file"}


def test_fault_28_file_that_changes_while_it_is_read_is_bad(
    image_folder: ImageFolder, in_child: InChild
) -> None:
    folder = image_folder({"a": 1})
    path = folder / "a" / "000.png"

    def decode() -> str:
        def change(event: str, arguments: tuple[object, ...]) -> None:
            if event == "open" and arguments[0] == os.fspath(path):
                os.truncate(path, 60)

        sys.addaudithook(change)  # cannot be taken back, hence a process of its own
        return repr(decode_files([str(path)], CONTRACT, root=folder).reasons)

    assert in_child(decode) == "{0: 'changed while it was read'}"


def test_fault_22_unreadable_file_is_bad(open_folder: Path, as_nobody: InChild) -> None:
    paths = [write_image(open_folder / name / f"{name}.png", 0) for name in ("good", "no", "in")]
    look(open_folder)  # loads what decoding needs; root's cache is no other user's
    paths[1].chmod(0)
    paths[2].parent.chmod(0)

    def decode() -> str:
        return repr(decode_files([str(path) for path in paths], CONTRACT, root=open_folder).reasons)

    reason = "'no permission to read it'"
    assert as_nobody(decode) == f"{{1: {reason}, 2: {reason}}}"


def test_cache_that_cannot_be_written_is_done_without(
    image_folder: ImageFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = image_folder({"a": 2})
    (tmp_path / "file").touch()
    monkeypatch.setenv("APPLE_CLF_CACHE", str(tmp_path / "file" / "below"))
    for _ in range(2):
        assert look(folder).files.n_decoded == 2


def test_read_only_cache_is_done_without(
    open_folder: Path, as_nobody: InChild, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(open_folder / "images" / "a.png", 0)
    (open_folder / "cache").mkdir()
    monkeypatch.setenv("APPLE_CLF_CACHE", str(open_folder / "cache"))

    def decode() -> str:
        return repr([look(open_folder / "images").files.n_decoded for _ in range(2)])

    look(open_folder)  # loads what decoding needs
    (open_folder / "cache").chmod(0o555)
    assert as_nobody(decode) == "[1, 1]"


def test_two_processes_that_write_the_cache_do_no_harm(
    image_folder: ImageFolder, in_child: InChild
) -> None:
    folder = image_folder({"a": 6})
    with ThreadPoolExecutor(1) as executor:
        for attempt in range(1, 6):
            for i, path in enumerate(sorted(folder.glob("a/*"))):
                write_image(path, 100 * attempt + i)
            other = executor.submit(in_child, lambda: repr(look(folder).files.reasons))
            assert look(folder).files.reasons == {}
            assert other.result() == "{}"
            assert look(folder).files.n_decoded == 0


def test_names_of_any_bytes_are_cached(tmp_path: Path) -> None:
    paths = [
        str(write_image(tmp_path / os.fsdecode(name), i))
        for i, name in enumerate((b"\xff.png", b"a\nb.png", b"=1.png"))
    ]
    for n_decoded in (3, 0):
        assert decode_files(paths, CONTRACT, root=tmp_path).n_decoded == n_decoded
