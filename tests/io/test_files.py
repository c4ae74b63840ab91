import csv
import io
import json
import os
import signal
from pathlib import Path

import pytest
from conftest import InChild, write_image
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.errors import FileSystemError
from apple_clf.io.files import (
    Skipped,
    find_images,
    json_text,
    portable,
    printable,
    remove_leftovers,
    whole_file,
    write_whole,
)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_json_text_reads_the_same_and_refuses_what_json_has_no_word_for() -> None:
    text = json_text({"name": "äpfel", "values": [1.5, None]})
    assert json.loads(text) == {"name": "äpfel", "values": [1.5, None]}
    assert "äpfel" in text
    assert text.endswith("}\n")
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text(float("nan"))


@pytest.mark.parametrize(
    "content", ["", "ä\r\n\u2028", b"\x00\xff\r\n"], ids=["none", "text", "bytes"]
)
def test_write_whole_keeps_every_byte(tmp_path: Path, content: bytes | str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    write_whole(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert names_in(tmp_path) == ["file"]


def test_reader_of_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with path.open("rb") as reader:
        write_whole(path, b"new")
        assert reader.read() == b"old"


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whole_file_leaves_the_old_file_if_the_block_fails(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_half() -> None:
        with whole_file(path) as file:
            file.write(b"half of the n")
            file.flush()
            assert path.read_bytes() == b"old"
            raise error

    with pytest.raises(error):
        write_half()
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_fault_30_full_disk_leaves_the_old_file(tmp_path: Path, in_child: InChild) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write() -> str:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        with pytest.raises(FileSystemError) as raised:
            write_whole(path, b"new" * 1000)
        return str(raised.value)

    assert "file: cannot be written: File too large." in in_child(write)
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["file"]


def test_fault_33_kill_while_writing_leaves_the_old_file(tmp_path: Path, in_child: InChild) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write_half() -> str:
        with whole_file(path) as file:
            file.write(b"half of the n")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        return "survived"

    assert in_child(write_half) == ""
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    ("place", "cause"),
    [("missing/file", "No such file"), ("file/below", "Not a directory"), ("folder", "directory")],
    ids=["no folder", "below a file", "over a folder"],
)
def test_impossible_place_is_a_file_system_error(tmp_path: Path, place: str, cause: str) -> None:
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileSystemError, match=rf"{place}: cannot be written: .*{cause}"):
        write_whole(tmp_path / place, "new")
    assert names_in(tmp_path) == ["file", "folder"]


def walk(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Names of the images in their order, and the reasons of what was skipped."""
    images, skipped = [], {}
    for found in find_images(folder):
        if isinstance(found, Skipped):
            skipped[os.path.relpath(found.path, folder)] = found.reason
        else:
            images.append(os.path.relpath(found, folder))
    return images, skipped


def test_images_are_found_by_suffix_in_order_of_their_names(tmp_path: Path) -> None:
    names = [
        "b.JPG",
        "a.png",
        "B.TiFf",
        "sub/deep/c.webp",
        "Sub/a.gif",
        "a.png.txt",
        "png",
        ".a.png",
    ]
    for name in [*names, ".hidden/a.png"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    images, skipped = walk(tmp_path)
    assert images == ["B.TiFf", "a.png", "b.JPG", "Sub/a.gif", "sub/deep/c.webp"]
    reason = "not an image file by its name"
    assert skipped == {"a.png.txt": reason, "png": reason}


def test_walk_of_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileSystemError, match="missing: cannot be read: No such file"):
        list(find_images(tmp_path / "missing"))


@pytest.mark.timeout(20)
def test_fault_27_links_and_pipes_are_skipped_with_a_reason(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    good = write_image(folder / "good.png", 0)
    outside = write_image(tmp_path / "outside.png", 1)
    (folder / "sub").mkdir()
    os.mkfifo(folder / "pipe.png")
    for name, target in {
        "broken.png": folder / "gone.png",
        "inside.png": good,
        "loop": folder,
        "out.png": outside,
        "self.png": folder / "self.png",
        "sub/up": folder,
        "sub/sideways.png": outside,
    }.items():
        (folder / name).symlink_to(target)
    images, skipped = walk(folder)
    assert images == ["good.png", "inside.png"]
    assert skipped == {
        "broken.png": "a broken link",
        "loop": "a link to a folder",
        "out.png": "a link out of the folder",
        "pipe.png": "not a regular file",
        "self.png": "cannot be read: Too many levels of symbolic links",
        "sub/sideways.png": "a link out of the folder",
        "sub/up": "a link to a folder",
    }


def test_fault_22_locked_subfolder_is_skipped_with_a_reason(
    open_folder: Path, as_nobody: InChild
) -> None:
    write_image(open_folder / "good.png", 0)
    write_image(open_folder / "locked" / "a.png", 1)
    (open_folder / "link.png").symlink_to(open_folder / "locked" / "a.png")
    (open_folder / "locked").chmod(0)
    assert json.loads(as_nobody(lambda: json.dumps(walk(open_folder)))) == [
        ["good.png"],
        {
            "link.png": "cannot be read: Permission denied",
            "locked": "cannot be read: Permission denied",
        },
    ]


HOSTILE = {
    "newline": ("a\nb", "a\nb", "a\\nb"),
    "escape": ("\x1b[31mred", "\x1b[31mred", "\\x1b[31mred"),
    "markup": ("<script>", "<script>", "<script>"),
    "formula": ("=cmd|'/c calc'!A0", "./=cmd|'/c calc'!A0", "=cmd|'/c calc'!A0"),
    "option": ("-rf", "./-rf", "-rf"),
    "tab": ("\t=1", "./\t=1", "\\t=1"),
    "line break first": ("\n=1", "./\n=1", "\\n=1"),
    "no UTF-8": (os.fsdecode(b"\xff\xe9.png"), "\\xff\\xe9.png", "\\xff\\xe9.png"),
    "half a character": ("\ud800", "\\ud800", "\\ud800"),
    "right to left": ("a\u202egnp.exe", "a\u202egnp.exe", "a\\u202egnp.exe"),
    "no-break space": ("a\xa0b", "a\xa0b", "a\\xa0b"),
    "emoji": ("🍎é", "🍎é", "🍎é"),
}


@pytest.mark.parametrize(("name", "as_data", "as_text"), HOSTILE.values(), ids=HOSTILE)
def test_fault_29_hostile_name_is_escaped(name: str, as_data: str, as_text: str) -> None:
    assert portable(name) == as_data
    assert portable(Path(name)) == as_data
    assert printable(name) == as_text


any_text = st.text(st.characters(codec=None))


@given(any_text)
def test_fault_29_portable_survives_csv_and_json_and_is_no_formula(name: str) -> None:
    text = portable(name)
    out = io.StringIO(newline="")
    csv.writer(out).writerow([text, "end"])
    assert next(csv.reader(io.StringIO(out.getvalue(), newline=""))) == [text, "end"]
    assert json.loads(json.dumps(text, ensure_ascii=False).encode()) == text
    assert not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))


@given(any_text)
def test_fault_29_printable_is_one_line_that_any_terminal_takes(name: str) -> None:
    text = printable(name)
    assert text.isprintable()
    assert text.encode().decode() == text
    assert printable(text) == text


@given(st.text(st.characters(categories=["L", "N"])))
def test_plain_name_stays_as_it_is(name: str) -> None:
    assert portable(name) == name
    assert printable(name) == name


def test_leftovers_of_killed_writers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    kept = [".lock", "a.tmp", ".a.tmp", "a.12.tmp"]
    for name in [*kept, ".a.12.tmp", "inner/.b.json.7.tmp"]:
        (tmp_path / name).write_text("")
    remove_leftovers(tmp_path)
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(left) == sorted(kept)
