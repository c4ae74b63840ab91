import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from explanation.models import NAMES, convolutional, dense, imported, write_run

from apple_clf.errors import ArtifactError
from apple_clf.runs import Run
from apple_clf.runs.bundle import bundle_bytes
from apple_clf.web.models import Model, read_served_run

pytestmark = pytest.mark.slow


@pytest.fixture
def small(tmp_path: Path) -> Run:
    return write_run(tmp_path / "small", dense())


def loaded(run: Run) -> Model:
    return Model(read_served_run(run), number=1)


def test_answers_are_those_of_the_run_and_layers_are_there(small: Run, apple: Path) -> None:
    model = loaded(small)
    good, bad = model.answer([apple.read_bytes(), b"no picture"])
    assert good.class_name in NAMES
    assert bad.error is not None
    assert model.network is not None
    assert model.snapshots is None


def test_bundle_answers_without_layers(small: Run, tmp_path: Path, apple: Path) -> None:
    served = read_served_run(small)
    path = tmp_path / "model.zip"
    path.write_bytes(bundle_bytes(served.record, served.litert, name="model.zip"))
    model = loaded(Run(path))
    assert (model.network, "bundle" in model.reason) == (None, True)
    assert model.answer([apple.read_bytes()]) == loaded(small).answer([apple.read_bytes()])


def test_without_model_keras_the_reason_is_told(small: Run) -> None:
    small.keras_model.unlink()
    assert "model.keras" in loaded(small).reason


def test_imported_model_answers_without_layers(tmp_path: Path) -> None:
    model = loaded(write_run(tmp_path / "imported", imported()))
    assert (model.network, "layer by layer" in model.reason) == (None, True)


def test_layers_that_disagree_with_the_answers_are_not_shown(small: Run, tmp_path: Path) -> None:
    served = read_served_run(small)
    stranger = read_served_run(write_run(tmp_path / "stranger", convolutional()))
    mixed = Model(type(served)(**vars(served) | {"keras": stranger.keras}), number=1)
    assert (mixed.network, "other logits" in mixed.reason) == (None, True)


def test_damaged_model_is_refused(small: Run) -> None:
    small.litert_model.write_bytes(b"x")
    with pytest.raises(ArtifactError, match="SHA-256"):
        read_served_run(small)


def test_damaged_weights_and_metrics_are_left_out(small: Run) -> None:
    small.weights.write_bytes(b"PK\x03\x04")
    small.metrics.write_text("[")
    served = read_served_run(small)
    assert (served.snapshots, served.metrics) == (None, None)


def test_loaded_models_owe_nothing_to_the_disk(small: Run, apple: Path) -> None:
    served = read_served_run(small)
    before = loaded(small).answer([apple.read_bytes()])
    shutil.rmtree(small.path)
    assert Model(served, number=1).answer([apple.read_bytes()]) == before


def test_serving_imports_no_tensorflow(small: Run, apple: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from apple_clf.runs import Run
from apple_clf.web.app import create_app
from apple_clf.web.inside import explain_picture
from apple_clf.web.models import Model, read_served_run
from apple_clf.web import server
served = read_served_run(Run(Path({str(small.path)!r})))
create_app([served])
assert explain_picture(Model(served, number=1), Path({str(apple)!r}).read_bytes())["layers"]
heavy = {{"tensorflow", "keras", "matplotlib", "pandas", "sklearn", "scipy"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=100)
