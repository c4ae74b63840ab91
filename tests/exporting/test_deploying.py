"""The programs of docs/deploy.md, run with nothing to import but what it says they need."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apple_clf.exporting.forms import FORMS
from apple_clf.exporting.writing import export
from apple_clf.prediction.inference import Predictor
from apple_clf.runs import Run

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DEPLOY = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")
WITH_US, WITHOUT_US = re.findall(r"```python\n(.*?)```", DEPLOY, re.DOTALL)
ABSENT = ("tensorflow", "keras", "pydantic", "typer", "click", "yaml", "rich", "jinja2", "filelock")
BLOCK = """\
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


def run_program(text: str, folder: Path, *arguments: Path, absent: tuple[str, ...]) -> list[str]:
    """The lines that a program prints which cannot import some packages."""
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(BLOCK.format(absent=absent))
    (folder / "program.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "program.py", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "site")},
        stdout=subprocess.PIPE,
        text=True,
        timeout=100,
        check=True,
    )
    return done.stdout.splitlines()


def test_program_on_a_bundle_answers_as_predict_does(run: Run, tmp_path: Path) -> None:
    export(run, "bundle", target=tmp_path / "model.zip")
    pictures = sorted((ROOT / "data").glob("*.png"))
    answers = Predictor.load(run).answer([str(path) for path in pictures])
    lines = run_program(WITH_US, tmp_path, *pictures, absent=ABSENT)
    assert lines == [
        f"{each.file} {each.class_name} {each.probability} {each.unsure} None" for each in answers
    ]


def test_program_without_this_one_answers_prepared_pictures(run: Run, tmp_path: Path) -> None:
    export(run, "litert", target=tmp_path / "model.tflite")
    pixels = np.random.default_rng(0).integers(0, 256, (3, 12, 12), dtype=np.uint8)
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for path, picture in zip(paths, pixels, strict=True):
        Image.fromarray(picture).save(path)
    expected = FORMS["litert"].open(tmp_path / "model.tflite")(pixels[..., None])
    lines = run_program(WITHOUT_US, tmp_path, *paths, absent=(*ABSENT, "apple_clf"))
    for line, path, row in zip(lines, paths, expected, strict=True):
        name, class_name, probability = line.split()
        assert (name, class_name) == (str(path), ("apple", "not_apple")[row.argmax()])
        assert float(probability) == pytest.approx(row.max(), abs=1e-6)
