import io
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from apple_clf.errors import ArtifactError
from apple_clf.model.keras_file.weights import check_weights
from model.keras_file.hostile import arrays, weights

TERABYTE = 10**12


def test_bytes_of_all_arrays_are_counted() -> None:
    assert check_weights(weights()) == 4 * (4 * 2 + 2)
    assert check_weights(weights({})) == 0


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("/etc/other.h5", "x", shape=(4,))
    file.create_virtual_dataset("virtual", layout)


def _unallocated(file: h5py.File) -> None:
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)
    space = h5py.h5s.create_simple((TERABYTE,))
    h5py.h5d.create(file.id, b"large", h5py.h5t.NATIVE_FLOAT, space, plan)


def _cycle(file: h5py.File) -> None:
    file["layers/dense/again"] = file["layers"]


def _named_like_a_way(file: h5py.File) -> None:
    """An HDF5 library would follow the name through the link beside it."""
    file["zz"] = h5py.ExternalLink("/etc/other.h5", "/")
    file["axb"] = np.zeros(1)


CHANGES: dict[str, Callable[[h5py.File], object]] = {
    "external link": lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/other.h5", "/")),
    "soft link": lambda f: f.__setitem__("x", h5py.SoftLink("/layers")),
    "external storage": lambda f: f.create_dataset(
        "x", (4,), "f4", external=[("/etc/passwd", 0, 16)]
    ),
    "virtual": _virtual,
    "in pieces": lambda f: f.create_dataset("x", (4,), "f4", chunks=(2,)),
    "packed terabyte": lambda f: f.create_dataset(
        "x", (TERABYTE,), "f4", chunks=(1 << 20,), compression="gzip"
    ),
    "terabyte not stored": _unallocated,
    "cycle": _cycle,
    "texts": lambda f: f.__setitem__("x", ["a text"]),
    "records": lambda f: f.__setitem__("x", np.zeros(2, [("a", "f4")])),
    "long doubles": lambda f: f.__setitem__("x", np.zeros(2, np.longdouble)),
    "a type": lambda f: f.__setitem__("x", np.dtype("f4")),
    "array with attributes": lambda f: f["layers/dense/vars/0"].attrs.update(dtype="bfloat16"),
    "nothing": lambda f: f.create_dataset("x", data=h5py.Empty("f4")),
    "deep": lambda f: f.create_group("a/" * 100),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_fault_42_what_keras_does_not_write_is_refused(change: Callable[[h5py.File], None]) -> None:
    with pytest.raises(ArtifactError, match=r"model\.weights\.h5"):
        check_weights(weights(arrays(), change))


def test_fault_42_other_file_behind_a_link_is_not_opened(tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(weights())
    content = weights(arrays(), lambda file: file.__setitem__("x", h5py.ExternalLink(other, "/")))
    with h5py.File(io.BytesIO(content)) as file:
        assert isinstance(file["x"], h5py.Group)  # so the attack is real
    with pytest.raises(ArtifactError, match="is a link"):
        check_weights(content)


def test_fault_42_name_with_a_slash_is_refused() -> None:
    content = weights(arrays(), _named_like_a_way)
    assert content.count(b"axb") == 1
    content = content.replace(b"axb", b"zz/")
    with h5py.File(io.BytesIO(content)) as file:
        assert "zz/" in list(file)  # so the attack is real
    with pytest.raises(ArtifactError, match=r"/zz/? is a link"):
        check_weights(content)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.6, 0.99])
def test_fault_40_truncated_weights_are_corrupt(share: float) -> None:
    content = weights()
    with pytest.raises(ArtifactError, match="corrupt"):
        check_weights(content[: int(share * len(content))])


def test_same_array_under_many_names_does_not_count_as_more_than_the_file() -> None:
    def alias(file: h5py.File) -> None:
        for i in range(200):
            file[f"x{i}"] = file["layers/dense/vars/0"]

    with pytest.raises(ArtifactError, match="larger than itself"):
        check_weights(weights(arrays((500, 20)), alias))
