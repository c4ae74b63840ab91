import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apple_clf.arrays import UInt8Array
from apple_clf.config import parse_experiment
from apple_clf.config.schema import Cifar100Data, QuickDrawData
from apple_clf.data import load_dataset
from apple_clf.data.fetching import (
    fetch,
    fetch_command,
    fetched_folder,
    image_counts,
    is_fetched,
    licence,
    train_command,
)
from apple_clf.data.fetching.downloads import alone_in
from apple_clf.data.fetching.transfer import CHUNK
from apple_clf.errors import DataError, FileSystemError, LockedError
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.io.large_arrays import cache_folder
from apple_clf.pipeline.workflow import train
from data.fetching.server import Fault, Site
from data.fetching.test_cifar100 import archive, publish, split_pickle
from data.fetching.test_quickdraw import npy

pytestmark = pytest.mark.slow

CLASSES = ("apple", "pear", "hot dog")
N_DOWNLOADED = 1024 + 20 * 784


def bitmaps(seed: int, n: int = 50) -> UInt8Array:
    return np.random.default_rng(seed).integers(0, 256, (n, 784), np.uint8)


def quickdraw(**keys: Any) -> QuickDrawData:
    everything: dict[str, Any] = {"classes": CLASSES, "per_class": 20} | keys
    return QuickDrawData(**everything)


@pytest.fixture(autouse=True)
def _published(site: Site) -> None:
    for seed, name in enumerate(CLASSES):
        site.files[f"/quickdraw_dataset/full/numpy_bitmap/{name}.npy"] = npy(bitmaps(seed))


@pytest.fixture
def out(tmp_path: Path) -> str:
    return str(tmp_path / "drawings")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_folder_holds_a_folder_for_each_class(out: str) -> None:
    folder = fetch(quickdraw(path=out))

    assert folder == Path(out)
    assert names(folder) == ["LICENCE.txt", "apple", "fetched.json", "hot dog", "pear"]
    assert image_counts(folder) == dict.fromkeys(CLASSES, 20)
    np.testing.assert_array_equal(
        np.asarray(Image.open(folder / "pear" / "pear-000003.png")),
        bitmaps(1)[3].reshape(28, 28),
    )


def test_licence_citation_and_checksums_stand_beside_the_images(out: str, site: Site) -> None:
    folder = fetch(quickdraw(path=out))
    manifest = json.loads((folder / "fetched.json").read_text())

    assert "CC BY 4.0" in (folder / "LICENCE.txt").read_text()
    assert "Quick, Draw! Dataset, Google" in manifest["citation"]
    assert [file["bytes"] for file in manifest["files"]] == [N_DOWNLOADED] * 3
    assert manifest["files"][2]["url"].endswith("/hot%20dog.npy")
    assert all(len(file["sha256"]) == 64 for file in manifest["files"])


def test_one_vs_rest_merges_the_others_and_keeps_their_names(out: str) -> None:
    folder = fetch(quickdraw(path=out, one_vs_rest="apple"))

    assert image_counts(folder) == {"apple": 20, "not_apple": 40}
    assert {name.split("-")[0] for name in names(folder / "not_apple")} == {"pear", "hot dog"}


def test_photos_keep_the_splits_of_their_publisher(
    out: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(archive({name: split_pickle(name) for name in ("train", "test")}), site, monkeypatch)

    folder = fetch(Cifar100Data(path=out, one_vs_rest="apple"))

    assert image_counts(folder) == {
        "train/apple": 2, "train/not_apple": 3, "test/apple": 1, "test/not_apple": 1
    }  # fmt: skip
    with Image.open(folder / "train" / "apple" / "apple-000000.png") as image:
        assert (image.mode, image.size) == ("RGB", (32, 32))


def test_what_is_there_is_not_asked_for_again(site: Site) -> None:
    folder = fetch(quickdraw())
    asked = len(site.asked)

    assert fetch(quickdraw(positive_class="pear", validation_split=0.3)) == folder
    assert fetched_folder(quickdraw()) == folder
    assert len(site.asked) == asked == 3


def test_other_requests_have_other_folders_and_share_downloads(site: Site) -> None:
    folders = {fetch(quickdraw()), fetch(quickdraw(one_vs_rest="apple"))}

    assert len(folders) == 2
    assert len(site.asked) == 3


@pytest.mark.parametrize("key", [{"per_class": 5}, {"classes": ("apple", "pear")}], ids=str)
def test_a_folder_of_another_request_is_left_alone(out: str, key: dict[str, Any]) -> None:
    before = content(fetch(quickdraw(path=out)))

    for call in (fetch, fetched_folder):
        with pytest.raises(DataError, match="holds something else than what is asked for"):
            call(quickdraw(path=out, **key))
    assert content(Path(out)) == before


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b"\xff", b'{"request": 3}'])
def test_a_folder_with_a_damaged_manifest_is_left_alone(out: str, manifest: bytes) -> None:
    (fetch(quickdraw(path=out)) / "fetched.json").write_bytes(manifest)

    with pytest.raises(DataError, match="holds something else"):
        fetch(quickdraw(path=out))


def test_an_empty_folder_is_filled_and_a_file_is_left_alone(out: str, tmp_path: Path) -> None:
    Path(out).mkdir()
    assert is_fetched(quickdraw(path=str(fetch(quickdraw(path=out)))))

    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="holds something else"):
        fetch(quickdraw(path=str(tmp_path / "file")))


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("aple", "apple"),
        ("Apple", "apple"),
        ("hotdog", "hot dog"),
        ("hot_dog", "hot dog"),
        ("the mona lisa", "The Mona Lisa"),
    ],
)
def test_an_unknown_class_is_named_with_the_nearest_before_anything_is_asked(
    name: str, near: str, site: Site
) -> None:
    with pytest.raises(DataError, match=f"has no class '{name}'. Did you mean {near}"):
        fetch(quickdraw(classes=("pear", name)))
    assert site.asked == []


def test_an_unknown_photo_class_is_named_with_the_nearest() -> None:
    with pytest.raises(DataError, match="Did you mean sweet_pepper"):
        fetch(Cifar100Data(one_vs_rest="sweet pepper"))


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(DataError, match=r"has no class 'x\\\\x1b\[2J'\.$"):
        fetch(quickdraw().model_copy(update={"classes": ("pear", "x\x1b[2J")}))


def test_a_class_that_is_gone_is_said_in_a_line(site: Site) -> None:
    del site.files["/quickdraw_dataset/full/numpy_bitmap/pear.npy"]

    with pytest.raises(DataError, match=r"pear.npy: there is no such file\.$"):
        fetch(quickdraw())


def test_without_a_network_the_command_to_run_is_named(
    out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("APPLE_CLF_MIRROR", "http://127.0.0.1:1")

    command = "apple-clf data fetch quickdraw --classes 'apple,pear,hot dog' --per-class 20 --out"
    with pytest.raises(DataError, match=f"reached .* What came is kept. .* {command}"):
        fetch(quickdraw(path=out))
    with pytest.raises(DataError, match=f"not fetched yet. Run: {command}"):
        fetched_folder(quickdraw(path=out))
    assert not Path(out).exists()


def test_commands_name_what_is_not_the_default() -> None:
    config = quickdraw(per_class=1000, form="strokes", size=64, one_vs_rest="apple", test_split=0.1)

    assert fetch_command(config) == (
        "apple-clf data fetch quickdraw --classes 'apple,pear,hot dog' --one-vs-rest apple "
        "--form strokes --size 64"
    )
    assert fetch_command(Cifar100Data()) == "apple-clf data fetch cifar100"


def test_the_command_that_trains_has_the_same_data() -> None:
    config = quickdraw(one_vs_rest="apple", path="a b")
    overrides = shlex.split(train_command(config))[3::2]

    assert parse_experiment("seed: 1", filename="x", overrides=overrides).data == config


def test_a_damaged_file_leaves_no_folder_and_is_asked_for_again(out: str, site: Site) -> None:
    site.faults.extend([Fault(), Fault(flips_byte=3)])

    with pytest.raises(DataError, match=r"it is no \.npy file"):
        fetch(quickdraw(path=out))
    assert not Path(out).exists()

    fetch(quickdraw(path=out))
    assert len(site.asked) == 4


def test_a_failed_write_leaves_no_folder_and_a_later_fetch_makes_it(
    out: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = content(fetch(quickdraw(path=f"{out}2")))
    n_written = 0

    def fail_later(*_: object) -> None:
        nonlocal n_written
        n_written += 1
        if n_written == 30:
            raise OSError(28, "No space left on device")

    save = Image.Image.save

    def save_or_fail(image: Image.Image, *arguments: Any) -> None:
        fail_later()
        save(image, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", save_or_fail)
        with pytest.raises(FileSystemError, match="No space left on device"):
            fetch(quickdraw(path=out))
    assert names(Path(out).parent) == ["drawings2"]

    assert content(fetch(quickdraw(path=out))) == expected
    assert names(Path(out).parent) == ["drawings", "drawings2"]


def test_a_second_process_is_kept_out() -> None:
    with (
        alone_in(cache_folder() / "downloads" / "quickdraw"),
        pytest.raises(LockedError, match="another process is fetching"),
    ):
        fetch(quickdraw())


def test_an_experiment_loads_what_was_fetched() -> None:
    config = quickdraw(one_vs_rest="pear", test_split=0.2, validation_split=0.2)
    fetch(config)

    dataset = load_dataset(config, Preprocessing(polarity="as_is", resize="stretch"), seed=1)

    assert dataset.source == "quickdraw"
    assert dataset.class_names == ("not_pear", "pear")
    assert dataset.positive_class == "pear"
    assert dataset.counts()["test"] == {"not_pear": 8, "pear": 4}


def test_copies_that_a_publisher_left_stop_no_training(site: Site) -> None:
    for path in site.files:
        site.files[path] = npy(bitmaps(0))
    fetch(quickdraw())

    load_dataset(quickdraw(), Preprocessing(), seed=1)


def test_nothing_is_downloaded_by_loading(site: Site) -> None:
    with pytest.raises(DataError, match="not fetched yet"):
        load_dataset(quickdraw(), Preprocessing(), seed=1)
    assert site.asked == []


class Listener:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.fetched: list[str] = []

    def stage(self, text: str) -> None:
        self.said.append(text)

    def fetching(self, name: str, done: int, total: int) -> None:
        self.fetched.append(name)

    def decoding(self, done: int, total: int) -> None: ...

    def epoch(self, epoch: int, epochs: int, logs: Any) -> None: ...


def test_a_training_fetches_what_its_experiment_asks_for_once(tmp_path: Path, site: Site) -> None:
    text = """\
        data: {source: quickdraw, classes: [apple, pear], per_class: 20}
        preprocessing: {image_size: [8, 8]}
        training: {epochs: 1}
        """
    experiment = parse_experiment(text, filename="x.yaml")
    first, second = Listener(), Listener()

    run = train(experiment, source=b"", folder=tmp_path, reporter=first)
    train(experiment, source=b"", folder=tmp_path, reporter=second)

    assert first.said[0] == "Fetching quickdraw, which the experiment asks for."
    assert licence(experiment.data) in first.said[1]  # type: ignore[arg-type]  # it is quickdraw's
    assert set(first.fetched) == {"apple-20.npy", "pear-20.npy"}
    assert second.fetched == []
    assert len(site.asked) == 2
    assert json.loads(run.dataset.read_text())["source"] == "quickdraw"


@pytest.mark.parametrize("stopped_class", [0, 2])
def test_a_fetch_killed_midway_goes_on_to_the_same_files(
    out: str, site: Site, stopped_class: int
) -> None:
    n = 300
    for seed, path in enumerate(site.files):
        site.files[path] = npy(bitmaps(seed, n))
    arguments = ["data", "fetch", "quickdraw", "--classes", ",".join(CLASSES), "--out", out]
    arguments += ["--per-class", str(n)]
    site.faults.extend([*[Fault()] * stopped_class, Fault(stall_after=200_000)])
    process = subprocess.Popen([sys.executable, "-m", "apple_clf", *arguments], stderr=-3)
    part = cache_folder() / "downloads" / "quickdraw" / f"{CLASSES[stopped_class]}-{n}.npy.part"
    assert site.stalled.wait(60)
    while not (part.exists() and part.stat().st_size == 3 * CHUNK):
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not Path(out).exists()

    asked = len(site.asked)
    folder = fetch(quickdraw(path=out, per_class=n))

    assert site.ranges[asked] == f"bytes={3 * CHUNK}-{1023 + n * 784}"
    assert names(Path(out).parent) == ["drawings"]
    assert not list(cache_folder().glob("downloads/*/tmp*"))
    resumed = content(folder)
    shutil.rmtree(cache_folder())
    assert content(fetch(quickdraw(path=f"{out}2", per_class=n))) == resumed
