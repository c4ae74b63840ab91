"""The install without TensorFlow of docs/deploy.md, by keeping its imports from being found."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from apple_clf.runs import Run
from cli.conftest import PROGRAM

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ABSENT = ("tensorflow", "keras", "h5py", "matplotlib", "scipy", "sklearn", "onnx", "mlflow")
BLOCK = f"""\
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCK)
    return {**os.environ, "PYTHONPATH": str(tmp_path / "site")}


def call(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_block_blocks(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import keras"], env=environment, capture_output=True, check=False
    )
    assert b"ModuleNotFoundError" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        *("--help", "predict {p} --run {r}", "evaluate {r} --data {p}", "runs"),
        *("report {r}", "diagnose {r}", "config check", "lesson list"),
    ],
)
def test_what_needs_no_tensorflow_works(
    environment: dict[str, str], run: Run, pictures: Path, words: str
) -> None:
    filled = [word.format(p=pictures, r=run.path) for word in words.split()]
    done = call(environment, *filled)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize(
    ("words", "package"),
    [
        ("train -q", "tensorflow"),
        ("verify {r} -q", "tensorflow"),
        ("lesson run perceptron -q", "tensorflow"),
        ("export {r} --to bundle", "tensorflow"),
        ("import x.keras --data {p} --trust", "h5py"),
        ("data check {p}", "tensorflow"),
    ],
)
def test_what_needs_more_says_so_in_one_line_and_leaves_nothing(
    environment: dict[str, str],
    run: Run,
    pictures: Path,
    tmp_path: Path,
    words: str,
    package: str,
) -> None:
    runs = tmp_path / "runs"
    filled = [word.format(p=pictures, r=run.path) for word in words.split()]
    done = call(environment | {"APPLE_CLF_RUNS": str(runs)}, *filled)
    assert (done.returncode, done.stdout) == (2, "")
    (last,) = [line for line in done.stderr.splitlines() if line.startswith("Error")]
    assert last == (f"Error: This needs {package}, which is not installed: pip install apple-clf")
    assert not runs.exists()


def test_pinned_requirements_are_the_ones_tested() -> None:
    tested = set((ROOT / "constraints.txt").read_text().splitlines())
    for name in ("requirements-predict.txt", "requirements-serve.txt"):
        lines = (ROOT / name).read_text().splitlines()
        pins = {line for line in lines if line and line[0] not in "#-"}
        assert pins <= tested
        assert not any(pin.startswith(("tensorflow", "keras")) for pin in pins)
