import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from apple_clf.config.schema import ModelConfig
from apple_clf.config.schema.layers import Conv2D, Dense
from apple_clf.exporting.keras_archive import keras_archive, keras_archive_answers
from apple_clf.model.building import build_model
from apple_clf.model.keras_file.loading import load_keras_bytes

SHAPE = (8, 8, 1)
PIXELS = np.random.default_rng(0).integers(0, 256, (20, *SHAPE), dtype=np.uint8)
MODEL = build_model(
    ModelConfig(layers=(Conv2D(filters=3, kernel_size=3), Dense(units=5, activation="relu"))),
    input_shape=SHAPE,
    n_classes=3,
)
CONTENT = keras_archive(MODEL, temperature=2.0, card='{"run": "tiny"}')
PROGRAM = """\
import sys


class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "apple_clf":
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Absent())
import json
import keras
import numpy as np

model = keras.saving.load_model(sys.argv[1])
print(json.dumps(model.predict(np.load(sys.argv[2]), verbose=0).tolist()))
try:
    import apple_clf
except ModuleNotFoundError:
    print("apart")
"""


@pytest.mark.slow
def test_file_opens_where_this_package_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(CONTENT)
    np.save(tmp_path / "pixels.npy", PIXELS)
    (tmp_path / "program.py").write_text(PROGRAM)
    done = subprocess.run(
        [sys.executable, "program.py", "model.keras", "pixels.npy"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        text=True,
        timeout=100,
        check=True,
    )
    answers, apart = done.stdout.splitlines()
    assert apart == "apart"
    np.testing.assert_allclose(json.loads(answers), keras_archive_answers(CONTENT)(PIXELS))


def test_temperature_is_in_the_last_layer() -> None:
    raw = MODEL(PIXELS, training=False).numpy()
    cooled = keras_archive_answers(CONTENT)(PIXELS)
    np.testing.assert_allclose(cooled, raw**0.5 / (raw**0.5).sum(1, keepdims=True), atol=1e-6)


def test_model_that_is_exported_keeps_its_weights_and_its_output() -> None:
    before = [weight.copy() for weight in MODEL.get_weights()]
    keras_archive(MODEL, temperature=3.0, card="{}")
    for old, new in zip(before, MODEL.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert MODEL.layers[-1].name == "output"


def test_import_takes_the_file_for_one_of_known_layers_alone() -> None:
    model = load_keras_bytes(CONTENT)
    np.testing.assert_allclose(
        model.predict(PIXELS, verbose=0), keras_archive_answers(CONTENT)(PIXELS), atol=1e-6
    )
