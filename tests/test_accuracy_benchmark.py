from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.accuracy import Result
from benchmarks.drawings import VIEWS, write_imbalanced, write_no_drawings, write_view


def at_least(limit: float) -> Callable[[float], bool]:
    return lambda value: value >= limit


@pytest.mark.parametrize(
    ("values", "verdict"), [([0.9, 0.7], "yes"), ([0.9, 0.6], "**missed**")], ids=["met", "missed"]
)
def test_the_mean_is_held_to_the_target(values: list[float], verdict: str) -> None:
    row = str(Result("A2", "dense", values, ">= 0.800", at_least(0.8), [3, 5]))
    assert f"| {sum(values) / 2:.4f} ± " in row
    assert row.endswith(f"| >= 0.800 | {verdict} | 4 |")


def test_a_result_without_a_target_is_only_shown() -> None:
    assert (
        str(Result("A1", "blog", [0.5]))
        == "| A1 | blog | 0.5000 (0.5000 to 0.5000, 1) | - | - | - |"
    )


def make_drawings(folder: Path, *, n: int) -> None:
    for split in ("train", "test"):
        for name in ("apple", "not_apple"):
            (folder / split / name).mkdir(parents=True)
            for i in range(n):
                pixels = np.zeros((28, 28), np.uint8)
                pixels[5:20, 8 : 12 + i] = 255
                Image.fromarray(pixels).save(folder / split / name / f"{i}.png")


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_keeps_names_and_changes_pictures(name: str, tmp_path: Path) -> None:
    make_drawings(tmp_path / "drawings", n=2)
    write_view(tmp_path / "drawings" / "test", tmp_path / "view", VIEWS[name])
    before = Image.open(tmp_path / "drawings" / "test" / "apple" / "0.png")
    after = Image.open(tmp_path / "view" / "apple" / "0.png")
    assert (before.size, before.tobytes()) != (after.size, after.tobytes())
    assert len(list((tmp_path / "view").rglob("*.png"))) == 4


def test_imbalance_leaves_one_for_so_many_others_and_the_test_images(tmp_path: Path) -> None:
    make_drawings(tmp_path / "drawings", n=10)
    write_imbalanced(tmp_path / "drawings", tmp_path / "few", rare="apple", ratio=5)
    counts = {
        str(path.relative_to(tmp_path / "few")): len(list(path.iterdir()))
        for path in (tmp_path / "few").glob("*/*")
    }
    assert counts == {
        "train/apple": 2,
        "train/not_apple": 10,
        "test/apple": 10,
        "test/not_apple": 10,
    }


def test_no_drawings_are_noise_and_blank(tmp_path: Path) -> None:
    files = write_no_drawings(tmp_path / "none")
    levels = {file.name: len(np.unique(np.asarray(Image.open(file)))) for file in files}
    assert len(files) == 200
    assert all((n == 1) == name.startswith("blank") for name, n in levels.items())
