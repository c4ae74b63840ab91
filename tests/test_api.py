"""The package from Python."""

import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import apple_clf
from apple_clf.errors import ArtifactError, ConfigError
from apple_clf.prediction.inference import Answer
from apple_clf.prediction.predictor import Picture
from apple_clf.runs import Run

pytestmark = pytest.mark.slow

TINY = """\
name: tiny  # kept as it was written
data: {source: simulated, train_samples: 60, validation_samples: 20, test_samples: 24}
preprocessing: {image_size: [10, 10]}
model: {units: [8]}
training: {epochs: 3, batch_size: 16}
"""

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("configs") / "tiny.yaml"
    path.write_text(TINY)
    return path


@pytest.fixture(scope="module")
def run(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return apple_clf.train(config, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def predictor(run: Run) -> apple_clf.Predictor:
    return apple_clf.Predictor(run)


def test_import_is_instant() -> None:
    code = "import sys; old = set(sys.modules); import apple_clf; print(*set(sys.modules) - old)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["apple_clf"]


@pytest.mark.parametrize("name", apple_clf.__all__)
def test_public_name_is_there_and_stands_in_the_docs(name: str) -> None:
    assert getattr(apple_clf, name).__name__ == name
    assert name in dir(apple_clf)
    assert f"`{name}" in (DATA.parent / "docs" / "python.md").read_text("utf-8")


def test_type_checker_sees_public_names_and_misspelt_ones(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import apple_clf\n"
        "run: apple_clf.Run = apple_clf.train('mine.yaml')\n"
        "apple_clf.trian()\n"
        "apple_clf.Predictor(run).predict(3)\n"
    )
    result = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path), str(program)],
        capture_output=True,
        text=True,
        check=False,
        cwd=DATA.parent,
    )
    lines = [line for line in result.stdout.splitlines() if "program.py" in line]
    assert [line.split(":")[1] for line in lines if "error" in line] == ["3", "4"]


def test_misspelt_name_is_told() -> None:
    with pytest.raises(AttributeError, match="module 'apple_clf' has no attribute 'trian'"):
        getattr(apple_clf, "trian")  # noqa: B009 (a type checker would refuse the other form)


def test_predictor_loads_neither_tensorflow_nor_pydantic(run: Run) -> None:
    code = f"""\
import sys, apple_clf
(answer,) = apple_clf.Predictor({str(run.path)!r}).predict({str(DATA / "apple.png")!r})
print(answer.class_name, *sorted({{"tensorflow", "keras", "pydantic", "yaml"}} & set(sys.modules)))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() in {"apple", "not_apple"}


def test_config_from_a_file_with_overrides(config: Path) -> None:
    experiment = apple_clf.load_config(config, "training.epochs=7", "model.units=[4, 2]")
    assert (experiment.training.epochs, len(experiment.model.layers)) == (7, 2)
    assert apple_clf.load_config() == apple_clf.Experiment()
    with pytest.raises(ConfigError, match="is not a key"):
        apple_clf.load_config(str(config), "training.epoch=7")


def test_training_a_file_keeps_its_text(run: Run) -> None:
    assert run.is_finished
    assert run.config.read_text() == TINY


def test_training_an_experiment_gives_the_same_run(config: Path, run: Run, tmp_path: Path) -> None:
    again = apple_clf.train(apple_clf.load_config(config), tmp_path)
    for one, other in (
        (run.history, again.history),
        (run.metrics, again.metrics),
        (run.resolved, again.resolved),
        (again.resolved, again.config),
    ):
        assert one.read_bytes() == other.read_bytes()


def test_training_is_silent_unless_a_reporter_is_given(
    config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told = StringIO()
    apple_clf.train(config, tmp_path)
    apple_clf.train(str(config), str(tmp_path), reporter=apple_clf.Lines(told))
    assert capfd.readouterr() == ("", "")
    assert "Epoch 3 of 3: loss" in told.getvalue()


def test_training_is_silent_in_an_interactive_session_too(config: Path, tmp_path: Path) -> None:
    code = f"""\
import sys; sys.ps1 = ">>> "
import apple_clf; apple_clf.train({str(config)!r}, {str(tmp_path)!r})
"""
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert (result.stdout, result.stderr) == ("", "")


def rotated(image: Image.Image) -> Image.Image:
    """The same picture, stored lying on its side."""
    image = image.transpose(Image.Transpose.ROTATE_90)
    image.getexif()[0x0112] = 6
    return image


def transparent(image: Image.Image) -> Image.Image:
    image = image.convert("L").convert("RGBA")
    pixels = np.array(image)
    pixels[..., 3] = 255 - pixels[..., 0]
    pixels[..., :3] = 0
    return Image.fromarray(pixels)


@pytest.mark.parametrize(
    "form",
    [
        pytest.param(lambda path: str(path), id="name"),
        pytest.param(Image.open, id="opened image"),
        pytest.param(lambda path: Image.open(path).convert("RGB"), id="RGB"),
        pytest.param(lambda path: Image.open(path).convert("CMYK"), id="CMYK"),
        pytest.param(lambda path: rotated(Image.open(path)), id="turned by EXIF"),
        pytest.param(lambda path: transparent(Image.open(path)), id="black on transparent"),
        pytest.param(lambda path: np.array(Image.open(path).convert("L")), id="2 axes"),
        pytest.param(lambda path: np.array(Image.open(path).convert("L"))[..., None], id="3 axes"),
        pytest.param(lambda path: np.array(Image.open(path).convert("RGB")), id="3 channels"),
        pytest.param(
            lambda path: np.asfortranarray(np.array(Image.open(path).convert("L"))), id="Fortran"
        ),
    ],
)
def test_picture_is_answered_alike_in_every_form(
    form: Callable[[Path], Picture], predictor: apple_clf.Predictor
) -> None:
    path = DATA / "apple_dark_on_light.png"
    expected, answer = predictor.predict(path, form(path))
    assert expected.error is None
    assert answer.probabilities == expected.probabilities
    assert answer.file in {str(path), "picture 2"}


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        ("missing.png", "no such file"),
        (np.zeros((8, 8)), "an array of float64 and shape (8, 8) is not a picture"),
        (np.zeros((8, 8, 4), np.uint8), "an array of uint8 and shape (8, 8, 4) is not a picture"),
        (np.zeros((0, 8), np.uint8), "is not a picture"),
    ],
    ids=["missing file", "floats", "four channels", "empty"],
)
def test_bad_picture_has_its_error_and_keeps_no_other_from_its_answer(
    picture: Picture, reason: str, predictor: apple_clf.Predictor
) -> None:
    good, bad = predictor.predict(DATA / "apple.png", picture)
    assert good.class_name is not None
    assert bad.class_name is None
    assert reason in str(bad.error)


def test_truncated_file_in_a_lazy_image_has_its_error(
    predictor: apple_clf.Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "cut.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:2000])
    with Image.open(path) as image:
        (answer,) = predictor.predict(image)
    assert "cannot be used" in str(answer.error)


def test_many_pictures_are_answered_in_order(predictor: apple_clf.Predictor) -> None:
    pictures = [np.full((10, 10), level % 256, np.uint8) for level in range(600)]
    pictures[300] = np.asarray(Image.open(DATA / "apple.png").convert("L"))
    answers = predictor.predict(*pictures)
    assert [answer.file for answer in answers] == [f"picture {i}" for i in range(1, 601)]
    assert answers[300] == predictor.predict(pictures[300])[0]._replace(file="picture 301")
    assert predictor.predict() == []


def test_predictor_finds_a_run_by_run_path_name_or_the_newest(run: Run) -> None:
    folder = run.path.parent
    expected = apple_clf.Predictor(run).predict(DATA / "apple.png")
    assert isinstance(expected[0], Answer)
    for spec in (run.path, str(run.path), run.name, None):
        predictor = apple_clf.Predictor(spec, folder)
        assert predictor.run.path == run.path
        assert predictor.predict(DATA / "apple.png") == expected
    assert predictor.class_names == ("apple", "not_apple")
    with pytest.raises(ArtifactError, match="no such run"):
        apple_clf.Predictor("absent", folder)


def test_history_has_a_value_per_epoch(run: Run) -> None:
    history = apple_clf.read_history(run)
    assert list(history) == [
        *("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
    ]
    assert history["epoch"] == [1, 2, 3]
    assert all(len(values) == 3 for values in history.values())
    last = run.history.read_text().splitlines()[-1].split(",")
    assert [values[-1] for values in history.values()] == [float(value) for value in last]


def test_metrics_are_those_of_the_file(run: Run) -> None:
    content = apple_clf.read_metrics(run)
    assert content["split"] == "test"
    assert 0 <= content["metrics"]["accuracy"]["value"] <= 1


@pytest.mark.parametrize("read", [apple_clf.read_history, apple_clf.read_metrics])
@pytest.mark.parametrize("damage", [None, b"\xff\x00", b"loss\nx\n"], ids=["gone", "bytes", "text"])
def test_damaged_file_is_told(
    read: Callable[[Run], object], damage: bytes | None, tmp_path: Path
) -> None:
    run = Run(tmp_path)
    if damage is not None:
        run.history.write_bytes(damage)
        run.metrics.write_bytes(damage)
    with pytest.raises(ArtifactError, match="cannot be read"):
        read(run)


def test_sweep_tries_the_values_and_names_the_best(config: Path, tmp_path: Path) -> None:
    swept = apple_clf.sweep(
        config, "training.learning_rate=1e-9,1e-2", "training.epochs=5", folder=tmp_path, workers=1
    )
    assert [record["status"] for record in swept.leaderboard] == ["finished", "finished"]
    assert swept.best is not None
    assert swept.best["parameters"] == {"training.learning_rate": 0.01}
    assert swept.folder.path.parent == tmp_path


def test_sweep_without_values_to_try_is_refused(config: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        apple_clf.sweep(config, folder=tmp_path / "sweeps")
    assert not (tmp_path / "sweeps").exists()


def test_export_is_named_like_the_run_and_answers_as_it_does(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exported = apple_clf.export(run)

    assert exported.path == Path("tiny-001.zip")
    assert exported.agreement.largest_difference < 1e-5
    expected, found = (
        apple_clf.Predictor(model).predict(DATA / "apple.png")[0] for model in (run, exported.path)
    )
    assert found.probabilities == expected.probabilities
    with pytest.raises(ConfigError, match="exists"):
        apple_clf.export(run)


def test_export_to_a_form_that_there_is_none_of_is_told(run: Run) -> None:
    with pytest.raises(ConfigError, match=r"one of litert, .* not 'pickle'"):
        apple_clf.export(run, "pickle")


def test_runs_are_compared(run: Run, config: Path, tmp_path: Path) -> None:
    other = apple_clf.train(apple_clf.load_config(config, "seed=2"), tmp_path)
    (pair,) = apple_clf.compare([run, other]).pairs

    assert pair.outcome in {"better", "worse", "indistinguishable"}
    assert set(pair.differences) >= {"accuracy", "balanced_accuracy"}
