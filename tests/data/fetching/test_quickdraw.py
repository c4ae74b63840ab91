import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.config.schema import QuickDrawData
from apple_clf.data.fetching.downloads import Downloads
from apple_clf.data.fetching.quickdraw import draw, drawings, read_bitmaps, read_strokes
from apple_clf.data.fetching.quickdraw_names import NAMES
from apple_clf.errors import DataError
from data.fetching.server import Site

BITMAPS = np.random.default_rng(0).integers(0, 256, (50, 784), np.uint8)
LINE = [[[0, 255], [0, 0]]]  # one stroke along the top


def npy(array: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def record(strokes: Any, **keys: object) -> bytes:
    return json.dumps({"word": "apple", "recognized": True, "drawing": strokes} | keys).encode()


def obtain(config: QuickDrawData, folder: Path) -> list[tuple[str, Any]]:
    downloads = Downloads(folder, on_progress=lambda name, done, total: None)
    return list(drawings(config, downloads))


def test_there_are_345_classes() -> None:
    assert len(set(NAMES)) == 345
    assert {"apple", "hot dog", "The Mona Lisa", "zigzag"} <= set(NAMES)


@pytest.mark.parametrize("n", [1, 49, 50, 51])
def test_the_first_bitmaps_are_read(n: int) -> None:
    pictures = read_bitmaps(npy(BITMAPS), n, where="apple.npy")

    np.testing.assert_array_equal(pictures, BITMAPS[:n].reshape(-1, 28, 28))


def test_the_start_of_a_file_is_enough() -> None:
    assert len(read_bitmaps(npy(BITMAPS)[: 128 + 3 * 784], 3, where="apple.npy")) == 3


class _Spy:
    """Tells when it is made from a pickle."""

    def __reduce__(self) -> tuple[object, ...]:
        return (pytest.fail, ("a pickle was read",))


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "it is no .npy file"),
        (b"<html>not found</html>", "it is no .npy file"),
        (npy(BITMAPS)[:40], "it is no .npy file"),
        (npy(BITMAPS)[:-1], "it ends too early"),
        (npy(BITMAPS.astype(np.float32)), "it holds float32"),
        (npy(BITMAPS[:, :783]), r"of shape \(50, 783\)"),
        (npy(np.asfortranarray(BITMAPS)), "not rows"),
        (npy(BITMAPS.ravel()), "not rows"),
        (npy(np.array([_Spy()], object), allow_pickle=True), "it holds object"),
    ],
    ids=["empty", "page", "header", "cut", "floats", "narrow", "columns", "flat", "pickle"],
)
def test_other_files_are_refused(content: bytes, cause: str) -> None:
    with pytest.raises(DataError, match=f"^apple.npy: what came is damaged: .*{cause}"):
        read_bitmaps(content, 50, where="apple.npy")


def test_bitmaps_come_class_by_class_and_no_more_bytes_than_needed(
    site: Site, tmp_path: Path
) -> None:
    for name in ("apple", "hot dog"):
        site.files[f"/quickdraw_dataset/full/numpy_bitmap/{name}.npy"] = npy(BITMAPS)

    found = obtain(QuickDrawData(classes=("apple", "hot dog"), per_class=2), tmp_path)

    assert [name for name, _ in found] == ["apple", "apple", "hot dog", "hot dog"]
    np.testing.assert_array_equal(found[1][1], BITMAPS[1].reshape(28, 28))
    assert site.ranges == ["bytes=0-2591"] * 2


def test_strokes_are_fetched_until_there_are_enough(site: Site, tmp_path: Path) -> None:
    lines = [record(LINE, recognized=i % 10 == 0, key_id=str(i) * 100) for i in range(100)]
    for name in ("apple", "pear"):
        content = b"\n".join(lines) + b"\n"
        site.files[f"/quickdraw_dataset/full/simplified/{name}.ndjson"] = content
    config = QuickDrawData(
        classes=("apple", "pear"), per_class=5, form="strokes", drawings="recognized", size=40
    )

    found = obtain(config, tmp_path)

    assert [name for name, _ in found] == ["apple"] * 5 + ["pear"] * 5
    assert {picture.shape for _, picture in found} == {(40, 40)}
    assert site.ranges[:3] == ["bytes=0-4999", "bytes=0-9999", "bytes=0-19999"]


def test_a_class_gives_as_many_drawings_as_it_has(site: Site, tmp_path: Path) -> None:
    for name in ("apple", "pear"):
        content = record(LINE) + b"\n" + record(LINE, recognized=False)
        site.files[f"/quickdraw_dataset/full/simplified/{name}.ndjson"] = content
    config = QuickDrawData(classes=("apple", "pear"), per_class=1000, form="strokes")

    assert [name for name, _ in obtain(config, tmp_path)] == ["apple"] * 2 + ["pear"] * 2


@pytest.mark.parametrize(
    "line",
    [
        b"<html>",
        b"[]",
        b"3",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        record([]),
        record("strokes"),
        record([[]]),
        record([[[0], [0, 1]]]),
        record([[[], []]]),
        record([[[0, 256], [0, 0]]]),
        record([[[0.5], [0]]]),
        record([[[True], [0]]]),
        record([[["1"], ["2"]]]),
        record(LINE, recognized="yes"),
    ],
    ids=lambda line: line[-40:].decode("latin-1"),
)
def test_a_line_that_is_no_drawing_is_named(line: bytes) -> None:
    with pytest.raises(DataError, match=r"apple.ndjson: .*: line 2 is not a drawing"):
        read_strokes([record(LINE), line], where="apple.ndjson")


coordinates = st.integers(0, 255)
points = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=8)
figures = st.lists(points, min_size=1, max_size=4).map(
    lambda strokes: [[list(axis) for axis in zip(*stroke, strict=True)] for stroke in strokes]
)


@given(figures, st.integers(8, 64))
def test_every_drawing_shows_something_on_a_black_border(strokes: Any, size: int) -> None:
    picture = draw(strokes, size)

    assert picture.shape == (size, size)
    assert picture.dtype == np.uint8
    assert picture.max() > 0
    assert max(picture[0].max(), picture[:, 0].max()) < 255


@given(figures, st.integers(8, 64))
def test_where_a_drawing_lies_does_not_matter(strokes: Any, size: int) -> None:
    left = min(min(xs) for xs, _ in strokes)
    moved = [[[x - left for x in xs], ys] for xs, ys in strokes]

    np.testing.assert_array_equal(draw(moved, size), draw(strokes, size))


def test_a_line_is_drawn_across_the_middle_and_antialiased() -> None:
    picture = draw(LINE, 64)
    rows = np.flatnonzero(picture.max(axis=1))
    columns = np.flatnonzero(picture.max(axis=0))

    assert abs(rows.mean() - 31.5) <= 0.5
    assert abs(columns.mean() - 31.5) <= 0.5
    # 16 and 256 + 16 of a canvas of 304
    assert len(rows) == pytest.approx(16 / 304 * 64, abs=1.5)
    assert len(columns) == pytest.approx(272 / 304 * 64, abs=1.5)
    assert len(np.unique(picture)) > 2


def test_strokes_look_like_the_bitmaps_of_their_publisher(shared_data: Path) -> None:
    """The same share of ink and the same strength, over many apples."""
    from PIL import Image

    files = sorted((shared_data / "quickdraw" / "train" / "apple").glob("*.png"))[:200]
    published = np.mean([np.asarray(Image.open(file)) for file in files])
    t = np.linspace(0, 2 * np.pi, 40)
    circle = [[(127.5 + 127.5 * np.cos(t)).astype(int).tolist(),
               (127.5 + 127.5 * np.sin(t)).astype(int).tolist()]]  # fmt: skip
    stalk = [[120, 127], [0, 40]]

    assert 0.9 < draw([*circle, stalk], 28).mean() / published < 1.05
