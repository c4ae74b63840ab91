import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from conftest import ImageFolder

from cli.conftest import Cli


@pytest.fixture
def clean(image_folder: ImageFolder) -> Path:
    return image_folder({"train/a": 9, "train/b": 9, "test/a": 4, "test/b": 4})


@pytest.fixture
def sick(clean: Path) -> Path:
    shutil.copy(clean / "train/a/000.png", clean / "test/a/copy.png")
    return clean


def check(cli: Cli, *arguments: str | Path, folds: int = 0) -> tuple[int, str, str]:
    outcome = cli("data", "check", *arguments, "--folds", str(folds), "--quiet")
    return outcome.code, outcome.out, outcome.err


def test_clean_folder_is_0_and_says_so(cli: Cli, clean: Path) -> None:
    expected = f"{clean}: 26 images of a, b\nNothing to look at was found.\n"
    assert check(cli, clean) == (0, expected, "")


def test_what_blocks_a_training_is_3_and_named(cli: Cli, sick: Path) -> None:
    code, out, err = check(cli, sick)
    assert code == 3
    assert "blocks: duplicates in two splits. 1 pair" in out
    assert f"For example {sick}/train/a/000.png = {sick}/test/a/copy.png: the same bytes" in out
    assert "training would refuse these data" in err


def test_json_holds_everything(cli: Cli, sick: Path) -> None:
    content = json.loads(check(cli, sick, "--format", "json")[1])
    assert content["blocked"] is True
    (finding,) = content["findings"]
    assert finding["level"] == "blocks"
    assert finding["items"] == [
        {
            "files": [f"{sick}/train/a/000.png", f"{sick}/test/a/copy.png"],
            "detail": "the same bytes",
        }
    ]


def test_csv_and_json_lines_have_a_line_for_each_finding(cli: Cli, sick: Path) -> None:
    (row,) = csv.DictReader(io.StringIO(check(cli, sick, "--format", "csv")[1]))
    (line,) = check(cli, sick, "--format", "jsonl")[1].splitlines()
    record = json.loads(line)
    assert row["check"] == record["check"] == "duplicates in two splits"
    assert row["example"] == record["example"]
    assert len(record["items"]) == 1


def test_experiment_and_overrides_are_taken(cli: Cli, sick: Path, tmp_path: Path) -> None:
    config = tmp_path / "e.yaml"
    config.write_text(
        f"data: {{source: folder, path: '{sick}'}}\npreprocessing: {{resize: stretch}}\n"
    )
    assert check(cli, config)[0] == 3
    assert check(cli, config, "--set", "data.duplicates=allow")[0] == 0
    assert check(cli, sick, "--set", "data.duplicates=allow")[0] == 0


def test_wrong_labels_are_looked_for_and_sheets_written(
    cli: Cli, sick: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sheets"
    changes = ("training.epochs=1", "training.learning_rate=1e-3", "model.units=[2]")
    fast = tuple(part for change in changes for part in ("--set", change))
    code, _, err = check(cli, sick, *fast, "--out", out, folds=3)
    assert code == 3
    assert (out / "findings.json").exists()
    assert f"Wrote {out}/duplicates_in_two_splits.png" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(("--out", "train"), "lies among the data", id="out among the data"),
        pytest.param(("--folds", "2"), "3 or more networks", id="two folds"),
        pytest.param(("--set", "data.dupes=fail"), "duplicates", id="unknown key"),
    ],
)
def test_wrong_usage_is_2(
    cli: Cli, clean: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, str], message: str
) -> None:
    monkeypatch.chdir(clean)
    outcome = cli("data", "check", ".", "--quiet", *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err


def test_folder_that_is_not_there_is_2(cli: Cli, tmp_path: Path) -> None:
    assert check(cli, tmp_path / "none")[0] == 2


def test_training_on_such_data_is_3_and_makes_no_run(cli: Cli, sick: Path, tmp_path: Path) -> None:
    config = tmp_path / "e.yaml"
    config.write_text(f"data: {{source: folder, path: '{sick}'}}\n")
    outcome = cli("train", config, "--runs", tmp_path / "runs", "--quiet")
    assert outcome.code == 3
    assert "the same pixels are in two splits" in outcome.err
    assert not (tmp_path / "runs").exists()
