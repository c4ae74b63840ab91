import io
import pickle
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from apple_clf.data.npz import read_npz
from apple_clf.errors import DataError
from apple_clf.io import large_arrays

X = np.arange(4 * 5 * 6, dtype=np.uint8).reshape(4, 5, 6)
Y = np.array([0, 1, 1, 0])


@pytest.fixture(autouse=True, params=[large_arrays.IN_MEMORY_BYTES, 0], ids=["memory", "file"])
def _limit(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests twice, the second time as if every array were too large for memory."""
    monkeypatch.setattr(large_arrays, "IN_MEMORY_BYTES", request.param)


def saved(folder: Path, **arrays: Any) -> Path:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return path


def test_x_and_y(tmp_path: Path) -> None:
    archive = read_npz(saved(tmp_path, x=X, y=Y))
    np.testing.assert_array_equal(archive.x, X)
    np.testing.assert_array_equal(archive.y, Y)
    assert archive.class_names == ("0", "1")
    assert archive.x_test is None
    assert archive.y_test is None


def test_test_arrays_share_the_class_codes(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        x_train=X,
        y_train=np.array([7, 7, 9, 9], np.uint64),
        x_test=X[:2],
        y_test=np.array([9, -3], np.int8),
    )
    archive = read_npz(path)
    assert archive.class_names == ("-3", "7", "9")
    assert archive.y.tolist() == [1, 1, 2, 2]
    assert archive.y_test is not None
    assert archive.y_test.tolist() == [2, 0]
    np.testing.assert_array_equal(archive.x_test, X[:2])


@pytest.mark.parametrize(
    ("arrays", "names", "codes"),
    [
        (
            {"y": np.array(["pear", "apple", "apple", "fig"])},
            ("apple", "fig", "pear"),
            [2, 0, 0, 1],
        ),
        ({"y": np.array([b"b", b"\xc3\xa4", b"b", b"\xff"])}, ("\\xff", "b", "ä"), [1, 2, 1, 0]),
        ({"y": Y[:, None]}, ("0", "1"), [0, 1, 1, 0]),
        (
            {"y": Y, "class_names": np.array(["no", "yes", "maybe"])},
            ("no", "yes", "maybe"),
            [0, 1, 1, 0],
        ),
        ({"y": Y, "class_names": np.array([b"no", b"yes"])}, ("no", "yes"), [0, 1, 1, 0]),
        ({"y": np.array(["=cmd", "a", "a", "a"])}, ("./=cmd", "a"), [0, 1, 1, 1]),
        ({"y": Y, "other": np.array(["objects"], object)}, ("0", "1"), [0, 1, 1, 0]),
    ],
    ids=["texts", "bytes", "column", "class_names", "byte names", "formula", "other array"],
)
def test_labels(
    tmp_path: Path, arrays: dict[str, Any], names: tuple[str, ...], codes: list[int]
) -> None:
    archive = read_npz(saved(tmp_path, x=X, **arrays))
    assert archive.class_names == names
    assert archive.y.tolist() == codes


@given(hnp.arrays(np.float32, (2, 3, 3), elements=st.floats(0, 1, width=32)))
def test_floats_from_0_to_1_become_levels(tmp_path_factory: pytest.TempPathFactory, x: Any) -> None:
    pixels = read_npz(saved(tmp_path_factory.getbasetemp(), x=x, y=[0, 1])).x
    assert pixels.dtype == np.uint8
    assert np.abs(pixels / 255 - x).max() <= 0.5 / 255 + 1e-7


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_come_last(tmp_path: Path, channels: int) -> None:
    x = np.zeros((4, 5, 6, channels), np.uint8)
    assert read_npz(saved(tmp_path, x=x, y=Y)).x.shape == ((4, 5, 6) + (3,) * (channels == 3))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "it holds x; needed are x and y, or x_train, y_train, x_test, y_test"),
        ({"a\x1b": X}, r"it holds a\\x1b; needed"),
        ({"x_train": X, "y_train": Y}, "it holds x_train, y_train; needed"),
        ({}, "it holds nothing"),
        ({"x": X[0], "y": Y}, r"x has shape \(5, 6\)"),
        ({"x": X[..., None, None], "y": Y}, r"x has shape \(4, 5, 6, 1, 1\)"),
        ({"x": np.zeros((4, 5, 6, 4), np.uint8), "y": Y}, r"x has shape \(4, 5, 6, 4\)"),
        ({"x": np.zeros((4, 0, 6), np.uint8), "y": Y}, r"x has shape \(4, 0, 6\)"),
        ({"x": np.uint8(3), "y": Y}, r"x has shape \(\)"),
        ({"x": X.astype(np.int64), "y": Y}, "x is int64; needed is uint8"),
        ({"x": X.astype(complex), "y": Y}, "x is complex128"),
        ({"x": X.astype(float), "y": Y}, "x holds floats outside 0 to 1"),
        ({"x": np.full(X.shape, np.nan), "y": Y}, "x holds floats outside 0 to 1"),
        ({"x": X, "y": Y[:3]}, "x has 4 images but 3 labels"),
        ({"x": X, "y": np.eye(4)}, "the labels are not one a picture"),
        ({"x": X, "y": np.int64(1)}, "the labels are not one a picture"),
        ({"x": X, "y": Y / 2}, "labels are float64; needed are whole numbers or texts"),
        ({"x": X, "y": Y == 1}, "labels are bool"),
        ({"x": X, "y": Y.astype("M8[s]")}, "labels are datetime64"),
        (
            {"x": X, "y": Y, "class_names": np.array(["a"])},
            "labels run from 0 to 1 but class_names",
        ),
        ({"x": X, "y": Y - 1, "class_names": np.array(["a", "b"])}, "labels run from -1 to 0"),
        ({"x": X, "y": Y, "class_names": np.array(["a", "a"])}, "class_names has a name twice"),
        (
            {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y.astype(str)},
            "labels are int64 and <U21",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    tmp_path: Path, arrays: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=f"data.npz: cannot be used as data: {message}"):
        read_npz(saved(tmp_path, **arrays))


class Bomb:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


@pytest.mark.parametrize("as_archive", [True, False], ids=["object array", "pickle"])
def test_pickles_are_refused_and_nothing_is_executed(tmp_path: Path, as_archive: bool) -> None:
    path, mark = tmp_path / "data.npz", tmp_path / "executed"
    if as_archive:
        np.savez(path, x=X, y=np.array([Bomb(mark)], object))
    else:
        path.write_bytes(pickle.dumps(Bomb(mark)))
    with pytest.raises(DataError, match="archive of plain arrays"):
        read_npz(path)
    assert not mark.exists()
    pickle.loads(pickle.dumps(Bomb(mark)))
    assert mark.exists()  # the bomb would have worked


def write_single_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, X)


def write_text_member(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "text")
        archive.writestr("y", "text")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "No such file or directory"),
        (Path.mkdir, "Is a directory"),
        (Path.touch, "it is no .npz archive"),
        (lambda path: path.write_text("text"), "it is no .npz archive"),
        (write_single_array, "it is a single array"),
        (write_text_member, "it is no .npz archive of plain arrays"),
    ],
    ids=["missing", "folder", "empty", "text", "npy", "zip of texts"],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, write: Any, message: str) -> None:
    path = tmp_path / "data.npz"
    write(path)
    with pytest.raises(DataError, match=f"data.npz: cannot be used as data: {message}"):
        read_npz(path)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': ',1', 'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '|u1', b'fortran_order': False, 'shape': (1,)}",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (1",
        b"{'descr': '|u1', 'fortran_order': False, 'shape': (-1,)}",
        b"\xff",
        b"",
    ],
    ids=["syntax", "types", "open bracket", "negative", "no Latin", "empty"],
)
def test_impossible_header_is_refused(tmp_path: Path, header: bytes) -> None:
    path = tmp_path / "data.npz"
    with zipfile.ZipFile(path, "w") as archive:
        content = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + bytes(9)
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", content)
    with pytest.raises(DataError, match="archive of plain arrays"):
        read_npz(path)


def test_header_that_promises_more_than_there_is_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "data.npz"
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999, 5, 6)}"
    content = b"\x93NUMPY\x01\0" + len(header).to_bytes(2, "little") + header + bytes(90)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", content)
    with pytest.raises(DataError, match="archive of plain arrays"):
        read_npz(path)


def test_array_by_columns_is_read_as_it_is(tmp_path: Path) -> None:
    archive = read_npz(saved(tmp_path, x=np.asfortranarray(X), y=Y))
    np.testing.assert_array_equal(archive.x, X)


@pytest.mark.filterwarnings("ignore::UserWarning:numpy")
@pytest.mark.parametrize("seed", range(20))
def test_damaged_archive_is_refused_or_intact(tmp_path: Path, seed: int) -> None:
    """Bytes of the archive, or of an array's header in it, are changed at random."""
    rng = random.Random(seed)
    path = tmp_path / "data.npz"
    for attempt in range(40):
        header = io.BytesIO()
        np.save(header, X)
        inner = bytearray(header.getvalue())
        if attempt % 2:
            inner[rng.randrange(70)] = rng.randrange(256)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("x.npy", bytes(inner))
            labels = io.BytesIO()
            np.save(labels, Y)
            archive.writestr("y.npy", labels.getvalue())
        if not attempt % 2:
            content = bytearray(path.read_bytes())
            content[rng.randrange(len(content))] = rng.randrange(256)
            path.write_bytes(content[: rng.choice((None, rng.randrange(len(content))))])
        try:
            archive_read = read_npz(path)
        except DataError:
            continue
        assert archive_read.x.size <= X.size
