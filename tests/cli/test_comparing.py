import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from apple_clf.runs import Run
from cli.conftest import Cli


@pytest.fixture
def two(run: Run, tmp_path: Path) -> Path:
    """A run, and the same with another batch size."""
    for number in (1, 2):
        shutil.copytree(run.path, tmp_path / f"tiny-{number:03d}")
    resolved = Run(tmp_path / "tiny-002").resolved
    text = resolved.read_text(encoding="utf-8")
    resolved.write_text(text.replace("batch_size: 32", "batch_size: 8"), encoding="utf-8")
    return tmp_path


def test_verdict_comes_first_and_numbers_follow(cli: Cli, two: Path) -> None:
    outcome = cli("compare", "tiny-001", "tiny-002", "--runs", two)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("tiny-002 and tiny-001 are indistinguishable at n = 4: ")
    assert "training.batch_size  32        8" in outcome.out
    assert "on the same 4 images:" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 80


def test_formats_hold_the_same_numbers(cli: Cli, two: Path) -> None:
    arguments = ("compare", two / "tiny-001", two / "tiny-002", "--format")
    whole, line = (json.loads(cli(*arguments, format_).out) for format_ in ("json", "jsonl"))
    assert whole == line
    differences = whole["comparisons"][0]["differences"]
    rows = {row["metric"]: row for row in csv.DictReader(io.StringIO(cli(*arguments, "csv").out))}
    assert rows.keys() == differences.keys()
    for metric, row in rows.items():
        assert float(row["high"]) == differences[metric]["high"]
        assert (row["outcome"], row["same_images"]) == ("indistinguishable", "true")


def test_plot_is_written_only_if_asked_for(cli: Cli, two: Path, tmp_path: Path) -> None:
    before = sorted(two.rglob("*"))
    assert cli("compare", "tiny-001", "tiny-002", "--runs", two).code == 0
    assert sorted(two.rglob("*")) == before
    plot = tmp_path / "curves.png"
    assert cli("compare", "tiny-001", "tiny-002", "--runs", two, "--plot", plot).code == 0
    with Image.open(plot) as image:
        assert image.size[0] == 800


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param([], 2, "Missing argument", id="none"),
        pytest.param(["tiny-001"], 2, "name two runs or more", id="one"),
        pytest.param(["tiny-001", "tiny-001"], 2, "named twice", id="twice"),
        pytest.param(["tiny-001", "tiny-009"], 4, "no such run", id="missing"),
        pytest.param(["tiny-001", "tiny-003"], 4, "tiny-003: its training is not over", id="open"),
        pytest.param(["tiny-001", "tiny-004"], 4, "tiny-004: cannot be compared", id="damaged"),
        pytest.param(["tiny-001", "tiny-002", "--plot", "a.svg"], 2, "a PNG", id="no_png"),
    ],
)
def test_errors_name_what_is_wrong(
    cli: Cli, two: Path, arguments: list[str], code: int, message: str
) -> None:
    shutil.copytree(two / "tiny-001", two / "tiny-003")
    Run(two / "tiny-003").metrics.unlink()
    shutil.copytree(two / "tiny-001", two / "tiny-004")
    Run(two / "tiny-004").metrics.write_text("{}")
    outcome = cli("compare", *arguments, "--runs", two)
    assert (outcome.code, outcome.out) == (code, "")
    assert message in outcome.err
    assert "Traceback" not in outcome.err
