import hashlib
import io
import os
import pickle
import struct
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from apple_clf.arrays import UInt8Array
from apple_clf.config.schema import Cifar100Data
from apple_clf.data.fetching import cifar100
from apple_clf.data.fetching.downloads import Downloads
from apple_clf.errors import DataError
from data.fetching.server import Fault, Site

LABELS = {"train": [0, 53, 57, 0, 99], "test": [0, 83]}
PIXELS = {
    split: np.random.default_rng(len(labels)).integers(0, 256, (len(labels), 3072), np.uint8)
    for split, labels in LABELS.items()
}


class _Python2Pickler(pickle._Pickler):
    """Writes bytes as the texts of Python 2, in which the published archive is pickled."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)

    def save_text(self, text: bytes) -> None:
        self.write(b"T" + struct.pack("<i", len(text)) + text)  # type: ignore[attr-defined]  # private
        self.memoize(text)  # type: ignore[attr-defined]  # private

    dispatch[bytes] = save_text


def python2_pickle(content: object) -> bytes:
    file = io.BytesIO()
    _Python2Pickler(file, 2).dump(content)
    return file.getvalue().replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def archive(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(f"cifar-100-python/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


def split_pickle(split: str, **keys: object) -> bytes:
    content = {b"data": PIXELS[split], b"fine_labels": LABELS[split], b"batch_label": b"1 of 1"}
    return python2_pickle(content | {key.encode(): value for key, value in keys.items()})


def publish(content: bytes, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes an archive the published one."""
    site.files["/~kriz/cifar-100-python.tar.gz"] = content
    monkeypatch.setattr(cifar100, "MD5", hashlib.md5(content).hexdigest())
    monkeypatch.setattr(cifar100, "SHA256", hashlib.sha256(content).hexdigest())


@pytest.fixture
def published(site: Site, monkeypatch: pytest.MonkeyPatch) -> bytes:
    content = archive({split: split_pickle(split) for split in LABELS})
    publish(content, site, monkeypatch)
    return content


def photos(folder: Path, **keys: Any) -> Iterator[tuple[str, str, UInt8Array]]:
    downloads = Downloads(folder, on_progress=lambda name, done, total: None)
    return cifar100.photos(Cifar100Data(**keys), downloads)


def test_there_are_100_classes_in_the_order_of_their_codes() -> None:
    assert len(cifar100.NAMES) == 100
    assert list(cifar100.NAMES) == sorted(set(cifar100.NAMES))
    assert cifar100.NAMES[53] == "orange"


def test_photos_come_with_split_and_class(published: bytes, tmp_path: Path) -> None:
    found = list(photos(tmp_path))

    assert [(split, name) for split, name, _ in found] == [
        ("train", "apple"),
        ("train", "orange"),
        ("train", "pear"),
        ("train", "apple"),
        ("train", "worm"),
        ("test", "apple"),
        ("test", "sweet_pepper"),
    ]
    picture = found[1][2]
    assert picture.shape == (32, 32, 3)
    assert picture[2, 5, 1] == PIXELS["train"][1, 1024 + 2 * 32 + 5]


def test_only_the_classes_asked_for_come(published: bytes, tmp_path: Path) -> None:
    found = photos(tmp_path, classes=("pear", "sweet_pepper"))

    assert [(split, name) for split, name, _ in found] == [
        ("train", "pear"),
        ("test", "sweet_pepper"),
    ]


@pytest.mark.slow
def test_photos_are_those_of_keras(published: bytes, tmp_path: Path) -> None:
    from keras.src.datasets.cifar import load_batch

    (tmp_path / "archive").write_bytes(published)
    with tarfile.open(tmp_path / "archive") as tar:
        tar.extractall(tmp_path, filter="data")

    for split in LABELS:
        pixels, labels = load_batch(tmp_path / "cifar-100-python" / split, "fine_labels")
        ours = cifar100.read_split(tmp_path / "archive", split)
        assert ours[0] == labels
        np.testing.assert_array_equal(ours[1], pixels.transpose(0, 2, 3, 1))


class _Trap:
    """Makes a file when it is made from a pickle."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (os.fspath(self.path),))


def trapped(tmp_path: Path) -> bytes:
    return archive({"train": pickle.dumps(_Trap(tmp_path / "sprung")), "test": b""})


def test_an_archive_with_another_checksum_is_not_opened(
    published: bytes, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar100, "_Unpickler", pickle.Unpickler)  # as if nothing were restricted
    site.files["/~kriz/cifar-100-python.tar.gz"] = trapped(tmp_path)

    with pytest.raises(DataError, match="its checksum is not the one"):
        list(photos(tmp_path / "downloads"))

    assert not any((tmp_path / "downloads").iterdir())
    assert not (tmp_path / "sprung").exists()


def test_an_archive_that_only_md5_takes_for_the_published_one_is_not_opened(
    published: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar100, "SHA256", "0" * 64)
    monkeypatch.setattr(cifar100, "read_split", lambda path, split: pytest.fail("opened"))

    with pytest.raises(DataError, match="its SHA-256 is not that of the published archive"):
        list(photos(tmp_path))

    assert not (tmp_path / "cifar-100-python.tar.gz").exists()


def test_a_pickle_of_anything_else_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(trapped(tmp_path), site, monkeypatch)

    with pytest.raises(DataError, match=r"posix.mkdir is refused"):
        list(photos(tmp_path / "downloads"))

    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        archive({"test": b""}),
        archive({"train": b""}),
        archive({"train": b"no pickle"}),
        archive({"train": pickle.dumps([])}),
        archive({"train": pickle.dumps({b"data": 3, b"fine_labels": [0]})}),
        archive({"train": split_pickle("train", fine_labels=[0])}),
        archive({"train": split_pickle("train", fine_labels=[0, 1, 2, 3, 100])}),
        archive({"train": split_pickle("train", data=PIXELS["train"].astype(float))}),
        archive({"train": split_pickle("train")})[:-3000],
    ],
    ids=["empty", "page", "no-train", "no-bytes", "text", "list", "number", "labels", "code",
         "floats", "cut"],
)  # fmt: skip
def test_other_archives_are_refused(
    content: bytes, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(content, site, monkeypatch)

    with pytest.raises(DataError, match="is not the CIFAR-100 archive: train"):
        list(photos(tmp_path))


def test_an_interrupted_archive_is_resumed_to_the_same_bytes(
    published: bytes, site: Site, tmp_path: Path
) -> None:
    site.faults.append(Fault(drop_after=len(published) // 2))
    list(photos(tmp_path))

    assert (tmp_path / "cifar-100-python.tar.gz").read_bytes() == published
