import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest

from apple_clf.config import load_experiment
from apple_clf.config.recipes import recipe_text
from apple_clf.errors import ConfigError
from apple_clf.lessons import Lesson, find_lesson, list_lessons
from apple_clf.lessons.measures import MeasureName

LESSONS = {lesson.name: lesson for lesson in list_lessons()}
each_lesson = pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)


def keys_of(lesson: Lesson, arm: str) -> dict[str, Any]:
    """Values of an experiment by their dotted keys, two levels deep."""
    content = load_experiment(lesson.config(arm)).model_dump()
    keys: dict[str, Any] = {}
    for section, value in content.items():
        inner = value if isinstance(value, dict) else {"": value}
        keys |= {f"{section}.{key}".rstrip("."): entry for key, entry in inner.items()}
    return keys


def test_there_are_lessons_for_every_introduction() -> None:
    assert len(LESSONS) >= 14
    assert {text for lesson in LESSONS.values() for text in lesson.texts} == set("01234")


@each_lesson
def test_experiments_differ_only_in_what_the_lesson_is_about(lesson: Lesson) -> None:
    arms = [keys_of(lesson, arm) for arm in lesson.runs]
    differing = {key for a, b in pairwise(arms) for key in a.keys() & b.keys() if a[key] != b[key]}
    assert differing == set(lesson.differ_in)


@each_lesson
def test_experiments_bear_their_lesson_s_name(lesson: Lesson) -> None:
    assert sorted(path.stem for path in lesson.folder.glob("*.yaml")) == sorted(
        [*lesson.runs, "lesson"]
    )
    for arm in lesson.runs:
        text = lesson.config(arm).read_text(encoding="utf-8")
        assert text.startswith("# yaml-language-server: $schema=../../schema.json\n")
        assert load_experiment(lesson.config(arm)).name == f"{lesson.name}-{arm}"
        assert f"apple-clf lesson run {lesson.name}\n" in text
        assert f"apple-clf train configs/lessons/{lesson.name}/{arm}.yaml\n" in text


@each_lesson
def test_rules_name_what_there_is(lesson: Lesson) -> None:
    for rule in lesson.rules:
        for quantity in (rule.left, rule.right):
            if quantity is not None:
                assert quantity.run in lesson.runs
                assert quantity.measure in get_args(MeasureName)


@each_lesson
def test_page_presents_the_lesson(lesson: Lesson) -> None:
    assert lesson.page.startswith(f"# {lesson.title}\n")
    for arm in lesson.runs:
        assert f"| `{arm}` |" in lesson.page
    for text in lesson.texts:
        assert re.search(rf"[Tt]exts? (\d and )?{text}\b|and {text} call", lesson.page), text
    lines = [line for line in lesson.page.splitlines() if not line.startswith("    apple-clf")]
    assert max(map(len, lines)) <= 100


@each_lesson
def test_commands_of_the_page_work_in_an_empty_folder(lesson: Lesson, tmp_path: Path) -> None:
    for command in re.findall(r"^    (apple-clf .*)$", lesson.page, re.MULTILINE):
        match shlex.split(command):
            case ["apple-clf", "init", "--recipe", name, path]:
                (tmp_path / path).write_text(recipe_text(name, Path(path)), encoding="utf-8")
            case ["apple-clf", "train", path, *options]:
                assert options[::2] == ["--set"] * (len(options) // 2)
                load_experiment(tmp_path / path, options[1::2])
            case other:
                assert other == ["apple-clf", "diagnose"]


def test_lesson_that_is_misspelt_is_guessed() -> None:
    with pytest.raises(ConfigError, match=r"'learningrate' is not a lesson. Did you mean learn"):
        find_lesson("learningrate")
    with pytest.raises(ConfigError, match="List them: apple-clf lesson list"):
        find_lesson("../../tests")
