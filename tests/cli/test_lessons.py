import csv
import io
import json
from pathlib import Path

import pytest

from apple_clf.lessons import find_lesson, list_lessons
from apple_clf.lessons.rules import parse_rule
from cli.conftest import Cli

pytestmark = pytest.mark.slow

NAMES = [lesson.name for lesson in list_lessons()]


def test_list_has_a_line_a_lesson(cli: Cli) -> None:
    outcome = cli("lesson", "list")
    assert outcome.code == 0
    assert [line.split()[0] for line in outcome.out.splitlines()] == NAMES
    records = json.loads(cli("lesson", "list", "--format", "json").out)
    assert [record["lesson"] for record in records] == NAMES


def test_unknown_lesson_is_an_error_that_helps(cli: Cli) -> None:
    outcome = cli("lesson", "run", "overfiting")
    assert (outcome.code, outcome.out) == (2, "")
    assert "Did you mean overfitting?" in outcome.err


def test_run_shows_page_table_verdicts_and_conclusion(cli: Cli, tmp_path: Path) -> None:
    lesson = find_lesson("first-guess")
    outcome = cli("lesson", "run", "first-guess", "--runs", tmp_path)
    assert outcome.code == 0
    assert outcome.out.startswith(lesson.page)
    after = outcome.out.removeprefix(lesson.page)
    assert len([line for line in after.splitlines() if line.startswith("held: ")]) == 3
    assert "zeros   0.000" in after
    assert f"Conclusion: {lesson.conclusion}" in after
    assert (tmp_path / "lessons" / "first-guess.png").exists()
    assert "first-guess: zeros (1 of 2)" in outcome.err


def test_formats_of_run_hold_the_same_numbers(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("lesson", "run", "first-guess", "--runs", tmp_path, "-q", "--format", "json")
    content = json.loads(outcome.out)
    assert outcome.err == ""
    assert content["held"] is True
    assert [verdict["held"] for verdict in content["expected"]] == [True] * 3
    assert content["values"]["zeros"]["gradient_share"] == 0
    again = cli("lesson", "run", "first-guess", "--runs", tmp_path, "-q", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(again.out)))
    assert [row["experiment"] for row in rows] == ["zeros", "random"]
    for row in rows:
        assert float(row["val_loss"]) == content["values"][row["experiment"]]["val_loss"]


def test_unexpected_outcome_is_said_without_an_error(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = find_lesson("first-guess")
    vars(lesson)["rules"] = [parse_rule("epochs of zeros > 100", says="Endless.")]
    monkeypatch.setattr("apple_clf.lessons.find_lesson", lambda name: lesson)
    outcome = cli("lesson", "run", "first-guess", "--runs", tmp_path, "-q")
    assert outcome.code == 0
    assert "NOT held: Endless.\n  epochs of zeros 12 not > 100" in outcome.out
    assert "--seed 1" in outcome.out
