import csv
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apple_clf.config import parse_experiment
from apple_clf.io.parallel import SERIAL_BELOW
from apple_clf.pipeline.workflow import train
from apple_clf.runs import Run
from cli.conftest import Cli, Outcome, Shell

pytestmark = pytest.mark.slow

COLUMNS = ["file", "class", "probability", "probabilities../=pear", "probabilities.äpfel"]
COLUMNS += ["unsure", "error"]


def answers(outcome: Outcome) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(outcome.out)
    return found


@pytest.fixture
def names(pictures: Path) -> list[str]:
    return [str(path) for path in sorted(pictures.rglob("*.png"))]


@pytest.fixture
def folder(tmp_path: Path, names: list[str]) -> Path:
    """Two good pictures, a damaged one and a text."""
    for name, source in (("a.png", names[0]), ("b.png", names[1]), ("cut.png", names[2])):
        shutil.copy(source, tmp_path / name)
    os.truncate(tmp_path / "cut.png", 60)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_json_has_an_object_per_file_with_the_public_keys(
    cli: Cli, run: Run, names: list[str]
) -> None:
    outcome = cli("predict", names[0], "--run", run.path, "--format", "json")
    (answer,) = answers(outcome)
    assert list(answer) == ["file", "class", "probability", "probabilities", "unsure", "error"]
    assert (answer["file"], answer["unsure"], answer["error"]) == (names[0], False, None)
    assert isinstance(answer["probabilities"], dict)
    assert answer["probabilities"][answer["class"]] == answer["probability"]


@pytest.fixture(scope="module")
def doubting(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of enough pictures to know which are unlike them."""
    text = "name: many\ndata: {source: simulated, train_samples: 400}\ntraining: {epochs: 1}\n"
    folder = tmp_path_factory.mktemp("doubting")
    return train(parse_experiment(text, filename="many"), source=text.encode(), folder=folder)


def test_picture_unlike_the_training_images_is_unsure_in_every_format(
    cli: Cli, doubting: Run, tmp_path: Path
) -> None:
    blank = tmp_path / "blank.png"
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(blank)
    (line,) = cli("predict", blank, "--run", doubting.path).out.splitlines()
    (answer,) = answers(cli("predict", blank, "--run", doubting.path, "--format", "json"))
    assert line.split()[:3] == ["unsure", "-", str(blank)]
    assert line.endswith(
        "  I don't know: unlike anything it was trained on; "
        f"closest class: {answer['class']} {answer['probability']:.3f}"
    )
    assert answer["unsure"] is True
    assert answer["class"] is not None
    assert answer["probabilities"]
    rows = csv.DictReader(
        io.StringIO(cli("predict", blank, "--run", doubting.path, "--format", "csv").out)
    )
    assert [row["unsure"] for row in rows] == ["true"]


def test_text_columns_are_aligned_whatever_is_unsure(
    cli: Cli, doubting: Run, names: list[str], tmp_path: Path
) -> None:
    blank = str(tmp_path / "blank.png")
    Image.new("L", (8, 8), 255).save(blank)
    lines = cli("predict", names[0], blank, names[1], "--run", doubting.path).out.splitlines()
    starts = {
        line.index(name) for line, name in zip(lines, (names[0], blank, names[1]), strict=True)
    }
    assert len(starts) == 1


def test_evaluate_tells_first_how_many_pictures_it_is_unsure_of(
    cli: Cli, doubting: Run, tmp_path: Path
) -> None:
    for class_name, kept in (("apple", "apple.png"), ("not_apple", "pear.png")):
        (tmp_path / "all" / class_name).mkdir(parents=True)
        shutil.copy(Path(__file__).parents[2] / "data" / kept, tmp_path / "all" / class_name)
    Image.new("L", (8, 8), 255).save(tmp_path / "all" / "apple" / "blank.png")
    text = cli("evaluate", doubting.path, "--data", tmp_path / "all").out
    _title, _, first, second = text.splitlines()[:4]
    described = json.loads(
        cli("evaluate", doubting.path, "--data", tmp_path / "all", "--format", "json").out
    )
    assert described["n_images"] == 3
    assert described["unsure"]["images"] >= 1
    assert first.startswith(f'"I don\'t know" to {described["unsure"]["images"]} of 3 images')
    assert second.endswith(f"others: {described['unsure']['accuracy_of_the_others']:.3f}.")


def test_all_formats_hold_the_same_answers(cli: Cli, run: Run, folder: Path) -> None:
    def call(format_: str) -> Outcome:
        outcome = cli("predict", folder, "--run", run.path, "--format", format_)
        assert outcome.code == 3
        return outcome

    expected = answers(call("json"))
    assert [json.loads(line) for line in call("jsonl").out.splitlines()] == expected
    reader = csv.DictReader(io.StringIO(call("csv").out))
    rows = list(reader)
    assert reader.fieldnames == COLUMNS
    for row, answer in zip(rows, expected, strict=True):
        assert row["file"] == answer["file"]
        assert row["error"] == (answer["error"] or "")
        assert row["class"] == (answer["class"] or "")
        probabilities = answer["probabilities"] or {}
        assert isinstance(probabilities, dict)
        for name in ("./=pear", "äpfel"):
            assert row[f"probabilities.{name}"] == str(probabilities.get(name, ""))
    for line, answer in zip(call("text").out.splitlines(), expected, strict=True):
        assert str(answer["file"]) in line
        assert str(answer["class"] or answer["error"]) in line


def test_folder_is_answered_in_order_and_what_is_no_image_is_passed_over(
    cli: Cli, run: Run, folder: Path
) -> None:
    outcome = cli("predict", folder, "--run", run.path, "--format", "json")
    files = [Path(str(answer["file"])).name for answer in answers(outcome)]
    assert files == ["a.png", "b.png", "cut.png"]
    assert "being no images: 1." in outcome.err


def test_bad_files_are_listed_and_the_exit_code_is_3(cli: Cli, run: Run, folder: Path) -> None:
    missing = folder / "missing.png"
    outcome = cli("predict", folder, missing, "--run", run.path, "--format", "json")
    assert outcome.code == 3
    assert [answer["error"] is None for answer in answers(outcome)] == [True, True, False, False]
    assert "Error: 2 of 4 files could not be answered" in outcome.err


@pytest.mark.parametrize("pattern", ["*/*.png", "**/*.png"])
def test_globs_are_expanded_and_sorted(
    cli: Cli, run: Run, pictures: Path, names: list[str], pattern: str
) -> None:
    outcome = cli("predict", pictures / pattern, "--run", run.path, "--format", "json")
    assert [answer["file"] for answer in answers(outcome)] == names


def test_glob_without_a_match_is_an_error_among_the_answers(
    cli: Cli, run: Run, names: list[str]
) -> None:
    outcome = cli("predict", "no*.png", names[0], "--run", run.path, "--format", "json")
    assert outcome.code == 3
    assert [answer["error"] for answer in answers(outcome)] == ["no such file", None]


def test_file_whose_name_is_a_pattern_is_that_file(
    cli: Cli, run: Run, names: list[str], tmp_path: Path
) -> None:
    shutil.copy(names[0], tmp_path / "[a]*.png")
    outcome = cli("predict", tmp_path / "[a]*.png", "--run", run.path, "--format", "json")
    assert [answer["file"] for answer in answers(outcome)] == [str(tmp_path / "[a]*.png")]


@pytest.mark.parametrize(
    ("separator", "name"),
    [
        pytest.param("\n", "a b.png", id="lines"),
        pytest.param("\r\n", "a.png", id="lines_of_windows"),
        pytest.param("\0", "a\nb.png", id="nul"),
    ],
)
def test_dash_reads_a_list_on_stdin(
    shell: Shell, run: Run, names: list[str], tmp_path: Path, separator: str, name: str
) -> None:
    shutil.copy(names[0], tmp_path / name)
    wanted = [str(tmp_path / name), names[1], names[2]]
    (tmp_path / "list").write_bytes("".join(f"{name}{separator}" for name in wanted).encode())
    result = shell(
        f'"$@" < {tmp_path / "list"}', "predict", "-", "--run", run.path, "--format", "json"
    )
    assert result.returncode == 0, result.stderr
    assert [answer["file"] for answer in json.loads(result.stdout)] == wanted


@pytest.mark.parametrize("what", ["empty_folder", "empty_list"])
def test_no_image_at_all_is_an_error(shell: Shell, run: Run, tmp_path: Path, what: str) -> None:
    argument = "-" if what == "empty_list" else tmp_path
    result = shell('"$@" < /dev/null', "predict", argument, "--run", run.path, "--format", "json")
    assert (result.returncode, json.loads(result.stdout)) == (3, [])
    assert result.stderr.startswith("Error: no image to answer.")


def test_missing_folder_is_an_answer_with_an_error(cli: Cli, run: Run, tmp_path: Path) -> None:
    outcome = cli("predict", tmp_path / "none", "--run", run.path)
    assert outcome.code == 3
    assert outcome.out.split(maxsplit=1) == ["error", f"{tmp_path / 'none'}: no such file\n"]


def test_fault_29_odd_names_are_valid_and_escaped_in_every_format(
    shell: Shell, run: Run, names: list[str], tmp_path: Path
) -> None:
    odd = [b"=cmd.png", b"a\nb.png", b"\x1b[31m.png", b"\xff\xfe.png", b"<script>.png"]
    for name in odd:
        shutil.copy(names[0], tmp_path / os.fsdecode(name))
    command = f'cd {tmp_path} && "$@"'
    for format_ in ("json", "jsonl", "csv", "text"):
        result = shell(command, "predict", ".", "--run", run.path, "--format", format_)
        assert result.returncode == 0
        assert "\x1b" not in result.stdout or format_ == "csv"
        result.stdout.encode("utf-8")
        if format_ == "json":
            files = {answer["file"] for answer in json.loads(result.stdout)}
            assert files == {
                "./=cmd.png",
                "a\nb.png",
                "\x1b[31m.png",
                "\\xff\\xfe.png",
                "<script>.png",
            }
        elif format_ == "csv":
            rows = list(csv.reader(io.StringIO(result.stdout)))
            assert {len(row) for row in rows} == {len(COLUMNS)}
            assert not [cell for row in rows for cell in row if cell.startswith("=")]
        else:
            assert len(result.stdout.splitlines()) == len(odd)


def test_many_files_are_answered_as_few_are(cli: Cli, run: Run, names: list[str]) -> None:
    many = (names * 4)[: 2 * SERIAL_BELOW + 3]
    outcome = cli("predict", *many, "--run", run.path, "--format", "json")
    alone = answers(cli("predict", *names, "--run", run.path, "--format", "json"))
    got = answers(outcome)
    assert [answer["file"] for answer in got] == many
    for answer, expected in zip(got, alone * 4, strict=False):
        assert answer["class"] == expected["class"]
        assert answer["probability"] == pytest.approx(expected["probability"], abs=1e-6)


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Run:
    """The finished run, to be damaged."""
    return Run(shutil.copytree(run.path, tmp_path / "copy-001"))


def test_newest_finished_run_answers_unless_another_is_named(
    cli: Cli, copy: Run, names: list[str]
) -> None:
    shutil.copytree(copy.path, copy.path.parent / "copy-002")
    Run(copy.path.parent / "copy-002").metrics.unlink()
    Run(copy.path.parent / "copy-002").litert_model.write_bytes(b"unfinished")
    runs = ["--runs", str(copy.path.parent)]
    assert cli("predict", names[0], *runs).code == 0
    assert cli("predict", names[0], *runs, "--run", "copy-001").code == 0
    assert cli("predict", names[0], *runs, "--run", "copy-002").code == 4


@pytest.mark.parametrize("n", [1, 2], ids=["one_process", "pool"])
@pytest.mark.parametrize("damage", ["truncated", "bit_flipped"])
def test_fault_40_damaged_model_is_4(
    cli: Cli, copy: Run, names: list[str], damage: str, n: int
) -> None:
    content = bytearray(copy.litert_model.read_bytes())
    if damage == "truncated":
        del content[-1:]
    else:
        content[len(content) // 2] ^= 1
    copy.litert_model.write_bytes(content)
    outcome = cli("predict", *names * n, "--run", copy.path)
    assert (outcome.code, outcome.out) == (4, "")
    assert outcome.err.startswith(f"Error: {copy.litert_model}: corrupt")
    assert len(outcome.err.splitlines()) == 1


@pytest.mark.parametrize("artefact", ["litert_model", "model_record"])
def test_fault_41_missing_model_is_4(cli: Cli, copy: Run, names: list[str], artefact: str) -> None:
    getattr(copy, artefact).unlink()
    outcome = cli("predict", names[0], "--run", copy.path)
    assert (outcome.code, outcome.out) == (4, "")
    assert getattr(copy, artefact).name in outcome.err


def test_fault_43_newer_format_is_4(cli: Cli, copy: Run, names: list[str]) -> None:
    content = {**json.loads(copy.model_record.read_bytes()), "format_version": 9}
    copy.model_record.write_text(json.dumps(content))
    outcome = cli("predict", names[0], "--run", copy.path)
    assert outcome.code == 4
    assert "format_version is 9; this version reads 2" in outcome.err


def test_fault_44_other_image_size_is_4(cli: Cli, copy: Run, names: list[str]) -> None:
    content = json.loads(copy.model_record.read_bytes())
    content["preprocessing"]["image_size"] = [9, 9]
    copy.model_record.write_text(json.dumps(content))
    outcome = cli("predict", names[0], "--run", copy.path)
    assert outcome.code == 4
    assert "(8, 8, 1)" in outcome.err
    assert "(9, 9, 1)" in outcome.err


@pytest.mark.parametrize("name", ["none", "none/at/all"])
def test_unknown_run_is_4(cli: Cli, names: list[str], name: str) -> None:
    outcome = cli("predict", names[0], "--run", name)
    assert outcome.code == 4
    assert "List them: apple-clf runs" in outcome.err


def test_without_any_run_the_next_step_is_told(cli: Cli, names: list[str], tmp_path: Path) -> None:
    outcome = cli("predict", names[0], "--runs", tmp_path / "none")
    assert outcome.code == 4
    assert "Train one: apple-clf train" in outcome.err


def test_evaluation_is_told_in_every_format(cli: Cli, run: Run, pictures: Path) -> None:
    def call(format_: str) -> str:
        outcome = cli("evaluate", run.path, "--data", pictures, "--format", format_)
        assert (outcome.code, outcome.err) == (0, "")
        return outcome.out

    described = json.loads(call("json"))
    assert (described["run"], described["data"]) == (str(run.path), str(pictures))
    assert described["n_images"] == 24
    assert json.loads(call("jsonl")) == described
    assert call("jsonl").count("\n") == 1
    for row in csv.DictReader(io.StringIO(call("csv"))):
        assert row["value"] == str(described["metrics"][row["metric"]]["value"])
    text = call("text")
    assert text.startswith(f"{run.path} on 24 images of {pictures}, positive class äpfel\n")
    assert f"{described['metrics']['balanced_accuracy']['value']:.3f}" in text
    assert text.endswith(f"The model is {described['verdict']}.\n")


def test_evaluation_leaves_bad_files_out_and_says_so(
    cli: Cli, run: Run, pictures: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(pictures, tmp_path / "data"))
    bad = data / "äpfel" / "01.png"
    bad.write_text("no image")
    outcome = cli("evaluate", run.path, "--data", data, "--format", "json")
    assert outcome.code == 3
    assert json.loads(outcome.out)["n_images"] == 23
    assert str(bad) in outcome.err


def test_evaluation_on_a_class_the_model_does_not_know_is_3(
    cli: Cli, run: Run, pictures: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(pictures, tmp_path / "data"))
    (data / "äpfel").rename(data / "kiwi")
    outcome = cli("evaluate", run.path, "--data", data)
    assert (outcome.code, outcome.out) == (3, "")
    assert "knows no class 'kiwi'" in outcome.err


def test_old_way_to_name_the_run_still_works_with_a_note(
    cli: Cli, run: Run, pictures: Path
) -> None:
    new = cli("evaluate", run.path, "--data", pictures, "--format", "json")
    old = cli("evaluate", "--data", pictures, "--run", run.path, "--format", "json")
    assert old.code == new.code
    assert old.out == new.out != ""
    note = f"Note: --run {run.path} still works; write apple-clf evaluate {run.path} --data DIR.\n"
    assert old.err == note + new.err


def test_two_runs_are_one_too_many_to_evaluate(cli: Cli, run: Run, pictures: Path) -> None:
    outcome = cli("evaluate", run.path, "--data", pictures, "--run", run.path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "two runs" in outcome.err
