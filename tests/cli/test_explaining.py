import json
from pathlib import Path

import pytest
from PIL import Image

from apple_clf.runs import Run
from cli.conftest import CLASSES, Cli


@pytest.fixture
def picture(pictures: Path) -> Path:
    return sorted((pictures / CLASSES[1]).glob("*.png"))[0]


def test_text_json_and_page_tell_the_answer_of_predict(
    cli: Cli, run: Run, picture: Path, tmp_path: Path
) -> None:
    (answer,) = json.loads(cli("predict", picture, "--run", run.path, "--format", "json").out)
    page = tmp_path / "page.png"
    outcome = cli("explain", picture, "--run", run.path, "--format", "json", "--out", page)
    explanation = json.loads(outcome.out)
    assert (outcome.code, outcome.err) == (0, "")
    assert explanation["answer"] == answer
    assert explanation["label"] == CLASSES[1]
    assert explanation["nearest"]["n_images"] > 8
    assert explanation["notes"] == []
    with Image.open(page) as drawn:
        assert drawn.width == 800
    text = cli("explain", picture, "--run", run.path, "--layer", "dense_2", "--unit", "3").out
    assert text.startswith(f"{picture}: {answer['class']} {answer['probability']:.3f}\n")
    assert "ONE NEURON IN FULL: unit 3 of dense_2\n" in text
    assert "THE NEAREST TRAINING IMAGES" in text


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["--label", "plum"], 2, "'plum' is not a class"),
        (["--layer", "99"], 2, "not a layer of weighted sums"),
        (["--unit", "32"], 2, "dense_1 has the units 0 to 31"),
        (["--out", "page.jpg"], 2, "Name it like page.png"),
        (["--out", "no/such/folder.png"], 5, "cannot be written"),
        (["--format", "csv"], 2, "csv"),
    ],
    ids=["label", "layer", "unit", "page", "folder", "format"],
)
def test_what_cannot_be_is_told_with_the_code_of_its_kind(
    cli: Cli, run: Run, picture: Path, options: list[str], code: int, told: str
) -> None:
    outcome = cli("explain", picture, "--run", run.path, *options)
    assert (outcome.code, outcome.out) == (code, "")
    assert told in outcome.err


def test_page_never_replaces_the_picture(cli: Cli, run: Run, picture: Path) -> None:
    before = picture.read_bytes()
    outcome = cli("explain", picture, "--run", run.path, "--out", picture)
    assert outcome.code == 2
    assert "is the picture itself" in outcome.err
    assert picture.read_bytes() == before


def test_missing_picture_is_3(cli: Cli, run: Run) -> None:
    outcome = cli("explain", "nowhere.png", "--run", run.path)
    assert outcome.code == 3
    assert "nowhere.png" in outcome.err
