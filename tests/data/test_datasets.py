import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ImageFolder, InChild, write_image
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.config.schema import DataConfig, FolderData, NoiseData, NpzData, SimulatedData
from apple_clf.data import SPLITS, Dataset, Split, load_dataset, load_labelled_folder
from apple_clf.errors import DataError
from apple_clf.images import loading
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io import large_arrays

CONTRACT = Preprocessing(image_size=(8, 8), resize="stretch", polarity="as_is")


def load(config: DataConfig, *, seed: int = 1) -> Dataset:
    return load_dataset(config, CONTRACT, seed=seed)


def folder_data(path: Path, **keys: Any) -> FolderData:
    return FolderData(path=os.fspath(path), **keys)


def splits(dataset: Dataset) -> dict[str, Split]:
    return {name: getattr(dataset, name) for name in SPLITS}


def names(dataset: Dataset) -> dict[str, list[str]]:
    return {name: list(split.names) for name, split in splits(dataset).items()}


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archive") / "data.npz"


def save(archive: Path, class_sizes: Mapping[int, int]) -> NpzData:
    """An archive whose image i has the one level i, so that images can be told apart."""
    labels = np.repeat(list(class_sizes), list(class_sizes.values()))
    levels = np.arange(len(labels), dtype=np.uint8)
    np.savez(archive, x=np.tile(levels[:, None, None], (1, 2, 2)), y=labels)
    return NpzData(path=os.fspath(archive))


shares = st.sampled_from([0.0, 0.05, 0.15, 0.3, 0.45])
sizes = st.lists(st.integers(3, 60), min_size=2, max_size=3).map(lambda ns: dict(enumerate(ns)))


@given(sizes, shares, shares, st.integers(0, 2**32 - 1))
def test_splits_are_disjoint_complete_and_keep_the_class_ratio(
    archive: Path, class_sizes: dict[int, int], validation: float, test: float, seed: int
) -> None:
    config = save(archive, class_sizes).model_copy(
        update={"validation_split": validation, "test_split": test}
    )
    dataset = load(config, seed=seed)
    levels = [image[0, 0, 0] for split in splits(dataset).values() for image in split.images]
    assert sorted(levels) == list(range(sum(class_sizes.values())))
    for name, share in (("validation", validation), ("test", test)):
        for code, n in class_sizes.items():
            found = dataset.counts()[name][str(code)]
            assert found == 0 if share == 0 else found >= 1
            assert abs(found - share * n) <= 1
    assert all(dataset.counts()["train"].values())


@given(sizes, st.integers(0, 2**32 - 1))
def test_same_seed_gives_the_same_splits(
    archive: Path, class_sizes: dict[int, int], seed: int
) -> None:
    config = save(archive, class_sizes)
    first, second = load(config, seed=seed), load(config, seed=seed)
    assert names(first) == names(second)
    assert first.fingerprint == second.fingerprint


def test_small_class_has_an_image_in_each_split(archive: Path) -> None:
    config = save(archive, {0: 3, 1: 30}).model_copy(
        update={"validation_split": 0.8, "test_split": 0.1}
    )
    assert [counts["0"] for counts in load(config).counts().values()] == [1, 1, 1]


def test_another_seed_gives_other_splits(archive: Path) -> None:
    config = save(archive, {0: 40, 1: 40})
    assert len({tuple(load(config, seed=seed).test.names) for seed in range(5)}) == 5


def test_labels_stay_with_their_images(image_folder: ImageFolder) -> None:
    dataset = load(folder_data(image_folder({"apple": 9, "fig": 6, "pear": 5})))
    assert dataset.class_names == ("apple", "fig", "pear")
    for split in splits(dataset).values():
        for image, label, name in zip(split.images, split.labels, split.names, strict=True):
            assert Path(name).parent.name == dataset.class_names[label]
            np.testing.assert_array_equal(image, loading.load(Path(name), CONTRACT).pixels)
    assert [len(split) for split in splits(dataset).values()] == [14, 3, 3]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        (("a", "b"), {"train": 14, "validation": 4, "test": 2}),
        (("train/a", "train/b"), {"train": 14, "validation": 4, "test": 2}),
        (("train/a", "train/b", "test/a"), {"train": 16, "validation": 4, "test": 10}),
        (("train/a", "train/b", "val/b"), {"train": 18, "validation": 10, "test": 2}),
        (("train/a", "train/b", "val/a", "test/b"), {"train": 20, "validation": 10, "test": 10}),
    ],
    ids=["classes", "train", "train, test", "train, val", "all three"],
)
def test_splits_that_a_folder_lacks_are_drawn_from_train(
    image_folder: ImageFolder, folders: tuple[str, ...], expected: dict[str, int]
) -> None:
    folder = image_folder(dict.fromkeys(folders, 10))
    dataset = load(folder_data(folder, validation_split=0.2, test_split=0.1))
    assert {name: len(split) for name, split in splits(dataset).items()} == expected
    used = [name for split in splits(dataset).values() for name in split.names]
    assert len(set(used)) == len(used) == 10 * len(folders)
    assert {name for name in used if "/test/" in name} <= set(names(dataset)["test"])
    assert {name for name in used if "/val/" in name} <= set(names(dataset)["validation"])


def test_archive_with_a_test_set_keeps_it(archive: Path) -> None:
    levels, y = np.arange(8, dtype=np.uint8), np.array([0, 1] * 3)
    x = np.tile(levels[:, None, None], (1, 2, 2))
    np.savez(archive, x_train=x[:6], y_train=y, x_test=x[6:], y_test=y[:2])
    dataset = load(NpzData(path=os.fspath(archive), validation_split=0.2, test_split=0.4))
    assert dataset.test.images.min() == 6
    assert {name: sum(n.values()) for name, n in dataset.counts().items()} == {
        "train": 4,
        "validation": 2,
        "test": 2,
    }


@pytest.mark.parametrize("positive", [None, "b"])
def test_positive_class_is_the_one_asked_for_or_the_first(
    image_folder: ImageFolder, positive: str | None
) -> None:
    dataset = load(folder_data(image_folder({"a": 3, "b": 3}), positive_class=positive))
    assert dataset.class_names[dataset.positive] == (positive or "a")


def test_unknown_positive_class_is_refused(image_folder: ImageFolder) -> None:
    with pytest.raises(DataError, match="positive_class 'c' is not a class of the data: a, b"):
        load(folder_data(image_folder({"a": 3, "b": 3}), positive_class="c"))


@pytest.mark.parametrize("source", [SimulatedData, NoiseData])
def test_generated_sources_have_the_sizes_asked_for(
    source: type[SimulatedData] | type[NoiseData],
) -> None:
    config = source(train_samples=6, validation_samples=0, test_samples=3)
    dataset = load(config)
    assert [len(split) for split in splits(dataset).values()] == [6, 0, 3]
    assert dataset.validation.images.shape == (0, 8, 8, 1)
    assert load(config).fingerprint == dataset.fingerprint
    assert load(config, seed=2).fingerprint != dataset.fingerprint
    assert not np.array_equal(dataset.train.images[:3], dataset.test.images)


def test_data_too_large_for_memory_are_the_same(
    archive: Path, image_folder: ImageFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_data(image_folder({"a": 9, "b": 8}))
    generated = SimulatedData(train_samples=20)
    sources: tuple[DataConfig, ...] = (save(archive, {0: 10, 1: 9}), generated, folder)
    in_memory = [load(config) for config in sources]
    monkeypatch.setattr(large_arrays, "IN_MEMORY_BYTES", 0)
    monkeypatch.setenv("APPLE_CLF_CACHE", os.fspath(archive.parent / "cache"))
    for config, dataset in zip((*sources, folder), (*in_memory, in_memory[-1]), strict=True):
        again = load(config)
        assert (again.fingerprint, names(again)) == (dataset.fingerprint, names(dataset))
        assert not again.train.images.flags.owndata
    assert again.n_decoded == 0  # from the cache


def test_fingerprint_tells_pixels_labels_classes_and_splits_apart(archive: Path) -> None:
    def dataset(
        level: int = 0, label: int = 0, name: str = "a", n_train: int = 2, width: int = 4
    ) -> Dataset:
        x = np.full((4, 4 // width, width, 1), level, np.uint8)
        y = np.array([label, 1, 0, 1], np.int32)
        split = Split(x, y, "wxyz")
        train, validation, test = map(split.take, np.split(np.arange(4), [n_train, 3]))
        return Dataset(
            "x", (name, "b"), "b", train, validation, test, preprocessing=Preprocessing()
        )

    variants = [
        dataset(),
        dataset(level=1),
        dataset(label=1),
        dataset(name="c"),
        dataset(n_train=1),
        dataset(width=2),
    ]
    assert len({variant.fingerprint for variant in variants}) == len(variants)
    assert dataset().fingerprint == variants[0].fingerprint


@pytest.mark.parametrize(
    ("counts", "message"),
    [({"a": 4, "b": 0}, "no image of class b"), ({"a": 4}, "two or more classes")],
    ids=["empty class", "one class"],
)
def test_fault_20_classes_without_images_are_refused(
    image_folder: ImageFolder, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load(folder_data(image_folder(counts)))


def test_fault_20_one_class_in_an_archive_is_refused(archive: Path) -> None:
    with pytest.raises(
        DataError, match="two or more classes are needed to tell apart; found only 7"
    ):
        load(save(archive, {7: 5}))


def test_fault_20_data_are_checked_without_tensorflow() -> None:
    code = "import sys, apple_clf.data; print({'tensorflow', 'keras'} & set(sys.modules))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert answer.stdout == b"set()\n"


@pytest.mark.parametrize(
    ("keys", "needed"),
    [({}, 3), ({"test_split": 0.0}, 2), ({"validation_split": 0.0}, 2)],
    ids=["both", "validation", "test"],
)
def test_fault_21_one_image_per_class_is_refused(
    image_folder: ImageFolder, keys: dict[str, float], needed: int
) -> None:
    folder = image_folder({"a": 1, "b": 1})
    with pytest.raises(DataError, match=f"class a has 1 usable image to .* at least {needed} are"):
        load(folder_data(folder, **keys))


def test_one_image_per_class_is_enough_without_other_splits(image_folder: ImageFolder) -> None:
    dataset = load(
        folder_data(image_folder({"a": 1, "b": 1}), validation_split=0.0, test_split=0.0)
    )
    assert dataset.counts()["train"] == {"a": 1, "b": 1}


def test_fault_22_unreadable_image_is_refused(open_folder: Path, as_nobody: InChild) -> None:
    for seed, name in enumerate(("a/1", "a/2", "a/3", "b/1", "b/2", "b/3")):
        write_image(open_folder / f"{name}.png", seed)
    load(folder_data(open_folder))  # loads what decoding needs
    (open_folder / "a" / "2.png").chmod(0)

    def refuse() -> str:
        with pytest.raises(DataError) as raised:
            load(folder_data(open_folder))
        return str(raised.value)

    assert as_nobody(refuse).endswith("/a/2.png: no permission to read it")


@pytest.fixture
def folder_with_bad_files(image_folder: ImageFolder) -> Path:
    folder = image_folder({"a": 4, "b": 4})
    (folder / "a" / "empty.png").touch()
    (folder / "b" / "text.jpg").write_text("no picture")
    (folder / "b" / "notes.txt").touch()
    return folder


def test_fault_23_bad_images_are_all_listed(folder_with_bad_files: Path) -> None:
    with pytest.raises(DataError) as raised:
        load(folder_data(folder_with_bad_files))
    first, *rest = str(raised.value).splitlines()
    assert "2 images cannot be used" in first
    assert "data.bad_files=skip" in first
    assert [line.partition("images/")[2] for line in rest] == [
        "a/empty.png: empty file",
        "b/text.jpg: not an image: its content is none of JPEG, PNG, BMP, GIF, WEBP, TIFF",
    ]


def test_fault_23_bad_images_are_left_out_and_counted(folder_with_bad_files: Path) -> None:
    dataset = load(folder_data(folder_with_bad_files, bad_files="skip"))
    assert sum(len(split) for split in splits(dataset).values()) == 8
    assert [Path(bad.path).name for bad in dataset.bad_files] == ["empty.png", "text.jpg"]
    assert [Path(skip.path).name for skip in dataset.skipped] == ["notes.txt"]
    for split in splits(dataset).values():
        for label, name in zip(split.labels, split.names, strict=True):
            assert f"/{dataset.class_names[label]}/" in name


def test_fault_23_class_of_bad_images_alone_is_refused(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 4, "b": 0})
    (folder / "b" / "empty.png").touch()
    with pytest.raises(DataError, match="class b has 0 usable images"):
        load(folder_data(folder, bad_files="skip"))


@pytest.mark.timeout(20)
def test_fault_27_links_and_pipes_are_skipped(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 3, "b": 3})
    os.mkfifo(folder / "a" / "pipe.png")
    (folder / "a" / "loop").symlink_to(folder)
    (folder / "a" / "self.png").symlink_to(folder / "a" / "self.png")
    dataset = load(folder_data(folder))
    assert sum(len(split) for split in splits(dataset).values()) == 6
    assert {Path(skip.path).name for skip in dataset.skipped} == {"pipe.png", "loop", "self.png"}


def test_fault_28_files_may_go_once_the_data_are_loaded(image_folder: ImageFolder) -> None:
    folder = image_folder({"a": 3, "b": 3})
    dataset = load(folder_data(folder))
    before = dataset.train.images.copy()
    for path in folder.rglob("*.png"):
        path.write_bytes(b"overwritten")
        path.unlink()
    np.testing.assert_array_equal(dataset.train.images, before)


def test_labelled_folder_is_the_test_split_if_there_is_one(image_folder: ImageFolder) -> None:
    folder = image_folder({"train/a": 2, "train/b": 2, "test/b": 3})
    split, bad = load_labelled_folder(folder, CONTRACT, class_names=("b", "a"))
    assert split.labels.tolist() == [0, 0, 0]
    assert list(bad) == []
    split, _ = load_labelled_folder(folder / "train", CONTRACT, class_names=("b", "a"))
    assert split.labels.tolist() == [1, 1, 0, 0]


def test_labelled_folder_tells_its_bad_files(folder_with_bad_files: Path) -> None:
    split, bad = load_labelled_folder(folder_with_bad_files, CONTRACT, class_names=("a", "b"))
    assert len(split) == 8
    assert [Path(skip.path).name for skip in bad] == ["empty.png", "text.jpg"]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"a": 1, "c": 1}, "the model knows no class 'c'; it knows a, b"),
        ({"a": 0}, "holds no image that can be used"),
    ],
    ids=["unknown class", "no image"],
)
def test_labelled_folder_that_does_not_fit_is_refused(
    image_folder: ImageFolder, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        load_labelled_folder(image_folder(counts), CONTRACT, class_names=("a", "b"))


def test_real_photos_load(shared_data: Path) -> None:
    split, bad = load_labelled_folder(
        shared_data / "grocery", CONTRACT, class_names=("apple", "not_apple")
    )
    assert not bad
    assert set(split.labels.tolist()) == {0, 1}
