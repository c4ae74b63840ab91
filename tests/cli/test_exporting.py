import csv
import json
import shutil
from pathlib import Path

import pytest

from apple_clf.runs import Run
from cli.conftest import Cli


def test_text_tells_what_was_written_and_how_it_agrees(
    cli: Cli, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = cli("export", run.path, "--to", "litert")
    assert (outcome.code, outcome.err) == (0, "")
    written, compared, accuracy = outcome.out.splitlines()
    assert written.startswith("Wrote tiny-001.tflite: ")
    assert written.endswith("probabilities of ./=pear, äpfel.")
    assert "test images: " in compared
    assert accuracy.startswith("Balanced accuracy ")
    assert (tmp_path / "tiny-001.tflite").stat().st_size > 1000


def test_json_has_the_same_numbers(cli: Cli, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    outcome = cli("export", run.path, "--to", "onnx", "--out", target, "--format", "json")
    content = json.loads(outcome.out)
    assert content["path"] == str(target)
    assert content["class_names"] == ["./=pear", "äpfel"]
    assert content["same_answers"] == content["n_images"] > 0
    assert content["largest_difference"] < 1e-4
    assert content["balanced_accuracy"] == content["keras_balanced_accuracy"]


def test_old_way_to_name_the_formats_still_works_with_a_note(
    cli: Cli, run: Run, tmp_path: Path
) -> None:
    words = ("export", run.path, "--out", tmp_path / "m.tflite", "--force")
    new = cli(*words, "--to", "litert", "--format", "json")
    old = cli(*words, "--format", "litert", "--answer", "json")
    assert (new.code, new.err) == (old.code, "") == (0, "")
    assert old.out == new.out != ""
    assert old.err.splitlines() == [
        "Note: --format litert still works; write --to litert.",
        "Note: --answer json still works; write --format json.",
    ]


def test_csv_has_a_row(cli: Cli, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "m.tflite"
    outcome = cli("export", run.path, "--to", "litert", "--out", target, "--format", "csv")
    head, row = csv.reader(outcome.out.splitlines())
    record = dict(zip(head, row, strict=True))
    assert (record["format"], record["path"]) == ("litert", str(target))
    assert record["class_names"] == "./=pear, äpfel"


def test_bundle_answers_as_the_run_does(cli: Cli, run: Run, pictures: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "model.zip"
    assert cli("export", run.path, "--to", "bundle", "--out", bundle).code == 0
    for words in (["predict", pictures, "--run"], ["evaluate", "--data", pictures]):
        of_run, of_bundle = (
            cli(*words, each, "--format", "json").out.replace(str(each), "")
            for each in (run.path, bundle)
        )
        assert of_bundle == of_run != ""


def test_damaged_bundle_is_4(cli: Cli, pictures: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "model.zip"
    bundle.write_bytes(b"PK\x03\x04")
    outcome = cli("predict", pictures, "--run", bundle)
    assert (outcome.code, outcome.out) == (4, "")
    assert "model.zip: no bundle of model.json" in outcome.err


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        ([], 2, "export: name a format: --to litert, --to"),
        (["--to", "pickle"], 2, "is not one of"),
        (["--to", "onnx", "--format", "litert"], 2, "two formats"),
        (["--to", "bundle", "--out", "there.zip"], 2, "there.zip: exists"),
        (["--to", "bundle", "--out", "no/such/model.zip"], 5, "cannot be written"),
        (["--to", "saved_model", "--out", "no/such/model"], 5, "cannot be written"),
    ],
    ids=[
        "no_format",
        "no_such_format",
        "two_formats",
        "exists",
        "no_folder",
        "no_folder_for_a_folder",
    ],
)
def test_what_cannot_be_is_told_with_the_code_of_its_kind(
    cli: Cli,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    code: int,
    told: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.zip").write_bytes(b"old")
    outcome = cli("export", run.path, *options)
    assert (outcome.code, outcome.out) == (code, "")
    assert told in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["there.zip"]


def test_damaged_run_is_4(cli: Cli, run: Run, tmp_path: Path) -> None:
    copy = Run(tmp_path / "copy-001")
    shutil.copytree(run.path, copy.path)
    copy.keras_model.write_bytes(b"no model")
    outcome = cli("export", copy.path, "--to", "litert", "--out", tmp_path / "a.tflite")
    assert (outcome.code, outcome.out) == (4, "")
    assert not (tmp_path / "a.tflite").exists()
