import json
from pathlib import Path

import pytest

from apple_clf.cli.importing import _run_name, _scaling
from apple_clf.errors import ConfigError
from apple_clf.model.backend import keras
from cli.conftest import CLASSES, Cli


@pytest.fixture(scope="session")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as somebody else might have trained it."""
    path = tmp_path_factory.mktemp("theirs") / "their model.keras"
    dense = keras.layers.Dense(1, activation="sigmoid")
    keras.Sequential([keras.Input((64,)), dense]).save(path)
    return path


def test_fault_42_nothing_is_opened_without_trust(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("import", tmp_path / "missing.keras", "--data", tmp_path, "--runs", tmp_path)
    assert outcome.code == 4
    assert "missing.keras: a model file can hold programs to run" in outcome.err
    assert "add --trust" in outcome.err
    assert outcome.err.count("\n") == 1


def test_import_then_predict_and_evaluate(
    cli: Cli, file: Path, pictures: Path, tmp_path: Path
) -> None:
    runs = ("--runs", tmp_path)
    outcome = cli("import", file, "--data", pictures, "--trust", *runs, "--polarity", "auto")
    assert (outcome.code, outcome.out[:18]) == (0, "Trained elsewhere:")
    assert "It gets pixels of 0 to 1, a guess" in outcome.err
    assert "apple-clf predict IMAGE --run" in outcome.out
    answered = cli("predict", pictures, *runs, "--format", "jsonl")
    assert answered.code == 0
    assert list(json.loads(answered.out.splitlines()[0])["probabilities"]) == ["./=pear", "äpfel"]
    assert cli("evaluate", "--data", pictures, *runs).code == 0
    listed = cli("runs", *runs).out
    assert "their-model-001" in listed
    assert "finished" in listed


def test_result_as_json_is_that_of_a_training_without_one(
    cli: Cli, file: Path, pictures: Path, tmp_path: Path
) -> None:
    options = ("--trust", "--quiet", "--runs", tmp_path, "--name", "x", "--format", "json")
    outcome = cli("import", file, "--data", pictures, "--positive-class", CLASSES[1], *options)
    content = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert content["training"] is None
    assert content["positive_class"] == CLASSES[1]
    assert Path(content["run"]).name == "x-001"


@pytest.mark.parametrize(
    ("options", "code"),
    [
        pytest.param(["--name", "a/b"], 2, id="name with a slash"),
        pytest.param(["--scale", "1/0"], 2, id="scale"),
        pytest.param(["--polarity", "upside_down"], 2, id="polarity"),
        pytest.param(["--positive-class", "plum"], 3, id="class"),
    ],
)
def test_wrong_option_makes_no_run(
    cli: Cli, file: Path, pictures: Path, tmp_path: Path, options: list[str], code: int
) -> None:
    outcome = cli("import", file, "--data", pictures, "--trust", "--runs", tmp_path, *options)
    assert outcome.code == code
    assert outcome.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("scale", "offset", "expected"),
    [
        (None, None, None),
        ("1/255", None, (1 / 255, 0.0)),
        ("0.5", -1.0, (0.5, -1.0)),
        (None, -1.0, (1 / 255, -1.0)),
        ("-1/255", 1.0, (-1 / 255, 1.0)),
    ],
)
def test_scale_is_a_number_or_a_fraction(
    scale: str | None, offset: float | None, expected: tuple[float, float] | None
) -> None:
    assert _scaling(scale, offset) == expected


@pytest.mark.parametrize("scale", ["", "a", "1/2/3", "nan", "1/0", "0", "inf", "1e999"])
def test_scale_that_is_no_number_is_refused(scale: str) -> None:
    with pytest.raises(ConfigError, match="not finite numbers"):
        _scaling(scale, None)


@pytest.mark.parametrize(
    ("file", "name"),
    [("a/my model.v2.keras", "my-model.v2"), ("..keras", "imported"), ("äpfel.keras", "pfel")],
)
def test_run_is_named_for_the_file(file: str, name: str) -> None:
    assert _run_name(Path(file)) == name
