import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import InChild

from apple_clf.arrays import UInt8Array, aligned
from apple_clf.errors import FileSystemError
from apple_clf.io import large_arrays
from apple_clf.io.large_arrays import cache_folder, empty_pixels

pytestmark = pytest.mark.slow

SHAPE = (5, 4, 3, 1)


@pytest.fixture
def _no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_arrays, "IN_MEMORY_BYTES", 0)


def is_mapped(array: UInt8Array) -> bool:
    """Whether an array lies in a deleted file; only Linux tells."""
    address = array.ctypes.data
    for line in Path("/proc/self/maps").read_text().splitlines():
        first, _, rest = line.partition("-")
        if int(first, 16) <= address < int(rest.partition(" ")[0], 16):
            return line.endswith("(deleted)")
    return False


linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@linux
@pytest.mark.parametrize(("limit", "mapped"), [(60, False), (59, True)], ids=["fits", "larger"])
def test_beyond_the_limit_pixels_lie_in_a_file_without_a_name(
    limit: int, mapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(large_arrays, "IN_MEMORY_BYTES", limit)
    array = empty_pixels(SHAPE)
    assert is_mapped(array) is mapped
    assert not cache_folder().exists() or not list(cache_folder().iterdir())
    array[...] = np.arange(60).reshape(SHAPE)
    assert array.sum() == 59 * 60 / 2


def test_limit_is_a_constant_whatever_the_machine() -> None:
    assert large_arrays.IN_MEMORY_BYTES == 2**30


@pytest.mark.usefixtures("_no_memory")
def test_mapped_pixels_are_shared_with_tensorflow_as_they_are() -> None:
    array = empty_pixels(SHAPE)
    assert array.shape == SHAPE
    assert array.dtype == np.uint8
    assert aligned(array) is array


@pytest.mark.usefixtures("_no_memory")
def test_nothing_needs_no_file() -> None:
    assert empty_pixels((0, 4, 4, 1)).shape == (0, 4, 4, 1)
    assert not cache_folder().exists()


@pytest.mark.usefixtures("_no_memory")
def test_fault_30_no_room_for_the_file_is_told(in_child: InChild) -> None:
    def try_it() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            empty_pixels((1001,))
        except FileSystemError as error:
            return str(error)
        return "was made"

    assert in_child(try_it) == (
        f"{cache_folder()}: cannot be written: File too large. "
        "Free some space, or choose another place."
    )


@pytest.mark.usefixtures("_no_memory")
def test_fault_30_cache_folder_that_cannot_be_made_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("APPLE_CLF_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(FileSystemError, match="cannot be written: Not a directory"):
        empty_pixels(SHAPE)


def test_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLE_CLF_CACHE", "/somewhere")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.setenv("APPLE_CLF_CACHE", "")
    assert "apple-clf" in cache_folder().parts


PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from apple_clf.io import large_arrays
from apple_clf.model.backend import keras
from apple_clf.config.schema import ModelConfig, NpzData, TrainingConfig
from apple_clf.data import load_dataset
from apple_clf.model.building import build_model
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.training import fit

SIDE = 256
contract = Preprocessing(image_size=(SIDE, SIDE), resize="stretch", polarity="as_is")
seen = []

def held() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("RssAnon:")[2].split()[0]) * 1024

def train(n: int) -> None:
    x = large_arrays.empty_pixels((n, SIDE, SIDE))
    for i, picture in enumerate(x):
        picture[...] = i % 256
    np.savez("x.npz", x=x, y=np.arange(n) % 2)
    data = NpzData(path="x.npz", validation_split=0.1, test_split=0.1)
    dataset = load_dataset(data, contract, seed=0)
    model = build_model(ModelConfig(layers=()), input_shape=contract.shape, n_classes=2)
    fit(
        model, TrainingConfig(epochs=1), train=dataset.train, validation=dataset.validation,
        class_names=dataset.class_names, seed=0, on_epoch=lambda *_: seen.append(held()),
    )

train(700)
large_arrays.IN_MEMORY_BYTES = int(sys.argv[1])
train(1600)
print((seen[1] - seen[0]) / (1600 * SIDE * SIDE))
"""


@linux
@pytest.mark.parametrize(
    ("limit", "at_least", "at_most"), [(2**20, -1, 0.15), (2**30, 0.5, 3)], ids=["file", "memory"]
)
def test_training_beyond_the_limit_holds_few_of_its_pixels_in_memory(
    limit: int, at_least: float, at_most: float, tmp_path: Path
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(limit)],
        cwd=tmp_path,
        env={**os.environ, "APPLE_CLF_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert at_least <= float(told.stdout) <= at_most
