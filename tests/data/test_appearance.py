from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apple_clf.config.schema import FolderData, NpzData, SimulatedData
from apple_clf.data import load_dataset
from apple_clf.data.appearance import LOOKED_AT, Appearance, appearance_of, evenly
from apple_clf.images.preprocessing import Preprocessing

GRAY = Preprocessing(image_size=(8, 8))


def photo(side: int, seed: int = 0) -> np.ndarray:
    """Noise in all colours, coarse enough to survive a look from afar."""
    coarse = np.random.default_rng(seed).integers(256, size=(6, 6, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((side, side)))


def drawing(side: int) -> np.ndarray:
    page = np.full((side, side), 255, np.uint8)
    page[side // 2] = 0
    return page


@pytest.mark.parametrize("n", [0, 1, LOOKED_AT, LOOKED_AT + 1, 1000])
def test_sample_spreads_over_all_images(n: int) -> None:
    places = evenly(n)
    assert len(places) == len(set(places)) == min(n, LOOKED_AT)
    assert all(0 <= place < n for place in places)
    assert places[-1:] == [] or places[-1] >= n - 1 - n // LOOKED_AT


def test_shares_are_counted() -> None:
    pictures = [photo(20, seed) for seed in range(3)] + [drawing(40)]
    assert appearance_of(pictures) == Appearance(looked_at=4, photos=0.75, in_colour=0.75, side=20)


def test_nothing_readable_looks_like_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.png").write_bytes(b"bad")
    assert appearance_of([str(tmp_path / "bad.png"), str(tmp_path / "gone.png")]) is None


def test_files_are_looked_at_in_colour_whatever_the_network_sees(tmp_path: Path) -> None:
    for n, name in enumerate(("a", "b")):
        for split, count in (("train", 5), ("test", 5)):
            folder = tmp_path / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                picture = photo(30, 100 * n + i) if split == "train" else drawing(30 + 10 * n + i)
                Image.fromarray(picture).save(folder / f"{i}.png")
    dataset = load_dataset(FolderData(path=str(tmp_path)), GRAY, seed=1)
    assert dataset.as_dict()["appearance"] == {
        "looked_at": 10, "photos": 1.0, "in_colour": 1.0, "side": 30,
    }  # fmt: skip


def test_arrays_are_looked_at_in_colour_too(tmp_path: Path) -> None:
    pictures = np.stack([photo(30, seed) for seed in range(40)])
    np.savez(tmp_path / "a.npz", x=pictures, y=np.arange(40) % 2)
    dataset = load_dataset(NpzData(path=str(tmp_path / "a.npz")), GRAY, seed=1)
    assert dataset.appearance == Appearance(looked_at=LOOKED_AT, photos=1.0, in_colour=1.0, side=30)


def test_pictures_made_on_the_spot_have_none() -> None:
    config = SimulatedData(train_samples=4, validation_samples=2, test_samples=2)
    assert load_dataset(config, GRAY, seed=1).as_dict()["appearance"] is None
