import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import h5py
import numpy as np
import pytest

from apple_clf.config.schema import ModelConfig
from apple_clf.config.schema.layers import Initializer
from apple_clf.config.schema.model import KINDS
from apple_clf.errors import ArtifactError
from apple_clf.images.preprocessing import Preprocessing
from apple_clf.model.backend import keras
from apple_clf.model.building import build_model
from apple_clf.model.files import keras_bytes
from apple_clf.model.keras_file.archive import read_archive
from apple_clf.model.keras_file.loading import (
    load_keras_bytes,
    load_keras_model,
    naming,
    read_keras_file,
)
from apple_clf.runs import Run
from apple_clf.runs.model_record import ModelRecord
from model.keras_file.hostile import Part, arrays, model, network, pack, part, weights

pytestmark = pytest.mark.slow


def _load(path: Path) -> keras.Model:
    with naming(path):
        return load_keras_bytes(read_keras_file(path))


IMAGES = np.random.default_rng(1).random((3, 2, 2, 1), np.float32)


def test_model_answers_as_the_one_that_was_saved() -> None:
    model = build_model(ModelConfig(), input_shape=(4, 4, 1), n_classes=3)
    pixels = np.random.default_rng(0).integers(256, size=(5, 4, 4, 1), dtype=np.uint8)
    again = load_keras_bytes(keras_bytes(model))
    np.testing.assert_array_equal(again(pixels), model(pixels))
    assert read_archive(keras_bytes(again)).weights == read_archive(keras_bytes(model)).weights


EVERY_LAYER = """[
    {"type": "random_flip", "mode": "horizontal"}, {"type": "random_rotation", "factor": 0.1},
    {"type": "random_zoom", "height_factor": 0.1}, {"type": "random_contrast", "factor": 0.1},
    {"type": "random_translation", "height_factor": 0.1, "width_factor": 0.1},
    {"type": "random_invert", "factor": 0.5},
    {"type": "conv2d", "filters": 2, "kernel_size": 3, "kernel_regularizer": {"l2": 0.1}},
    {"type": "residual", "layers": [{"type": "conv2d", "filters": 4, "kernel_size": 1}]},
    {"type": "depthwise_conv2d", "kernel_size": 2}, {"type": "prelu", "shared_axes": [1, 2]},
    {"type": "separable_conv2d", "filters": 4, "kernel_size": 2, "padding": "same"},
    {"type": "gaussian_noise", "stddev": 0.1},
    {"type": "max_pooling2d"}, {"type": "average_pooling2d"}, {"type": "layer_normalization"},
    {"type": "batch_normalization"}, {"type": "global_average_pooling2d"},
    {"type": "dense", "units": 3, "activation": "gelu"}, {"type": "dropout", "rate": 0.1},
    {"type": "activation", "activation": "softsign"}
]"""


def test_every_layer_of_this_project_comes_back() -> None:
    config = ModelConfig.model_validate_json(f'{{"layers": {EVERY_LAYER}}}')
    named = {layer.type for layer in config.layers}
    kinds = {get_args(kind.model_fields["type"].annotation)[0] for kind in KINDS}
    assert named | {"flatten"} == kinds
    model = build_model(config, input_shape=(12, 12, 1), n_classes=3)
    pixels = np.random.default_rng(0).integers(256, size=(5, 12, 12, 1), dtype=np.uint8)
    again = load_keras_bytes(keras_bytes(model))
    np.testing.assert_array_equal(again(pixels, training=False), model(pixels, training=False))


@pytest.mark.parametrize("initializer", get_args(Initializer))
def test_every_initializer_of_this_project_comes_back(initializer: str) -> None:
    layer = f'{{"type": "dense", "units": 4, "kernel_initializer": "{initializer}"}}'
    config = ModelConfig.model_validate_json(f'{{"layers": [{layer}]}}')
    load_keras_bytes(keras_bytes(build_model(config, input_shape=(2, 2, 1), n_classes=2)))


def test_functional_model_with_a_skip_and_a_model_inside_answers_the_same() -> None:
    image = keras.Input((4, 4, 1))
    inner = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(1, 3, padding="same")])
    x = keras.layers.Add()([inner(image), image])
    model = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(x)))
    model.compile("adam", "mse")
    pixels = np.random.default_rng(0).random((5, 4, 4, 1), np.float32)
    np.testing.assert_array_equal(load_keras_bytes(keras_bytes(model))(pixels), model(pixels))


def test_parts_that_the_other_tests_build_from_are_a_sound_file() -> None:
    model = load_keras_bytes(pack())
    np.testing.assert_allclose(model(IMAGES).numpy().sum(axis=1), 1, atol=1e-6)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of which only the Keras model is there."""
    run = Run(tmp_path / "run-001")
    run.path.mkdir()
    _write(run, pack())
    return run


def _write(run: Run, content: bytes, *, keras_version: str = "3.15.1") -> None:
    record = ModelRecord(
        class_names=("a", "b"),
        positive_class="a",
        preprocessing=Preprocessing(),
        threshold=0.5,
        temperature=1.0,
        keras_version=keras_version,
        keras_sha256=hashlib.sha256(content).hexdigest(),
        litert_sha256="",
    )
    run.model_record.write_text(record.to_json())
    run.keras_model.write_bytes(content)


def test_model_of_a_run_is_loaded(run: Run) -> None:
    assert load_keras_model(run).output_shape == (None, 2)


def test_fault_40_model_of_a_run_is_hashed_before_it_is_opened(run: Run) -> None:
    content = bytearray(pack())
    content[len(content) // 2] ^= 1
    run.keras_model.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"model\.keras: corrupt: its SHA-256"):
        load_keras_model(run)


def test_fault_41_missing_model_of_a_run_is_named(run: Run) -> None:
    run.keras_model.unlink()
    with pytest.raises(ArtifactError, match=r"model\.keras: cannot be read"):
        load_keras_model(run)


def test_fault_42_run_of_somebody_else_whose_hash_fits_is_checked_too(run: Run) -> None:
    _write(run, pack(network(part("TFSMLayer", filepath="/tmp"))))
    with pytest.raises(ArtifactError, match=r"model\.keras: keras\.layers\.TFSMLayer"):
        load_keras_model(run)


@pytest.mark.parametrize("theirs", ["3.16.0", "4.0.0", "3.99.dev1"])
def test_fault_43_newer_keras_shows_both_versions(theirs: str) -> None:
    with pytest.raises(ArtifactError, match=rf"{theirs}; installed is {keras.__version__}"):
        load_keras_bytes(pack(metadata={"keras_version": theirs}))


@pytest.mark.parametrize("theirs", ["3.0.0", "3.15.99", "2.15.0"])
def test_older_keras_is_opened(theirs: str) -> None:
    load_keras_bytes(pack(metadata={"keras_version": theirs}))


def test_fault_42_lambda_is_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / "evil.keras"
    source = f"lambda x: (__import__('pathlib').Path({str(mark)!r}).touch(), x)[1]"
    layer = keras.layers.Lambda(eval(source), output_shape=(2, 2, 1))
    keras.Sequential([keras.Input((2, 2, 1)), layer, keras.layers.Flatten()]).save(path)
    mark.unlink(missing_ok=True)
    keras.saving.load_model(path, safe_mode=False)(IMAGES)
    assert mark.exists()  # so the attack is real
    mark.unlink()
    with pytest.raises(ArtifactError, match=r"evil\.keras: keras\.layers\.Lambda holds program"):
        _load(path)
    assert not mark.exists()


def test_fault_42_refusal_needs_no_tensorflow(tmp_path: Path) -> None:
    path = tmp_path / "evil.keras"
    path.write_bytes(pack(network(part("StringLookup", vocabulary="/etc/passwd"))))
    program = (
        "import sys; from pathlib import Path; from apple_clf.errors import ArtifactError\n"
        "from apple_clf.model.keras_file.loading import load_keras_bytes, naming, read_keras_file\n"
        "path = Path(sys.argv[1])\n"
        "try:\n"
        "    with naming(path): load_keras_bytes(read_keras_file(path))\n"
        "except ArtifactError as error: print(error)\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    assert "StringLookup opens a file that it names. Nothing was run." in ended.stdout


def test_fault_42_external_link_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(weights())

    def link(file: h5py.File) -> None:
        del file["layers"]
        file["layers"] = h5py.ExternalLink(other, "/layers")

    with pytest.raises(ArtifactError, match="/layers is a link"):
        load_keras_bytes(pack(h5=weights(change=link)))


@pytest.mark.parametrize(
    ("description", "reason"),
    [
        pytest.param(
            network(part("Dense", units=10**6, name="a"), part("Dense", units=10**6, name="b")),
            "wants 4,000,0",
            id="4 TB of weights",
        ),
        pytest.param(
            network(part("Dense", units=10**30, name="a")), "wants 40,000", id="more than counts"
        ),
        pytest.param(
            network(part("Dense", units=3, name="a")), "wants", id="more weights than stored"
        ),
        pytest.param(
            network(
                part("ZeroPadding2D", padding=10**5),
                part("GlobalMaxPooling2D"),
                part("Reshape", target_shape=[1, 1, 1]),
                part("ZeroPadding2D", padding=[[0, 1], [0, 1]]),
            ),
            "numbers of one image",
            id="160 GB of padding",
        ),
        pytest.param(
            network(part("Dense", units="x", name="a")), "cannot build", id="units are a text"
        ),
        pytest.param(
            network(part("Dense", units=1, evil=1, name="a")), "cannot build", id="unknown argument"
        ),
        pytest.param(
            network(part("Dense", units=2, activation="x", name="a")), "cannot", id="activation"
        ),
        pytest.param(
            network(part("Reshape", target_shape=[5])), "cannot build", id="shapes do not fit"
        ),
        pytest.param(
            network(part("GlobalMaxPooling2D"), image=(None, 2, 1)), "fixed size", id="any height"
        ),
        pytest.param(model(), "fixed size", id="no layer"),
        pytest.param(part("Functional", module="keras"), "cannot build", id="empty"),
    ],
)
def test_fault_42_network_that_cannot_be_built_is_refused(description: Part, reason: str) -> None:
    with pytest.raises(ArtifactError, match=reason):
        load_keras_bytes(pack(description))
    load_keras_bytes(pack())  # and nothing of it is left behind


@pytest.mark.parametrize("kernel", [(4, 3), (5, 2), (2, 4)], ids=str)
def test_fault_44_weights_of_another_shape_are_refused(kernel: tuple[int, int]) -> None:
    with pytest.raises(ArtifactError, match="cannot build the network"):
        load_keras_bytes(pack(h5=weights(arrays(kernel))))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: None, "cannot be read: No such file", id="missing"),
        pytest.param(Path.mkdir, "SavedModel", id="folder"),
        pytest.param(os.mkfifo, "not a regular file", id="fifo"),
        pytest.param(lambda path: path.write_bytes(weights()), "HDF5", id="h5 renamed"),
        pytest.param(lambda path: path.write_bytes(pack()[:99]), "corrupt", id="truncated"),
    ],
)
def test_fault_41_what_is_no_keras_file_is_refused_with_its_name(
    tmp_path: Path, make: Callable[[Path], object], reason: str
) -> None:
    path = tmp_path / "model.keras"
    make(path)
    with pytest.raises(ArtifactError, match=rf"model\.keras: .*{reason}"):
        _load(path)
