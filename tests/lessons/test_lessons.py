from pathlib import Path

import pytest

from apple_clf.config import load_experiment
from apple_clf.lessons import Lesson, Outcome, list_lessons, teach
from apple_clf.lessons.catalogue import Prediction

pytestmark = pytest.mark.slow

LESSONS = {lesson.name: lesson for lesson in list_lessons()}
TINY = """\
name: tiny-{arm}
data: {{source: noise, train_samples: 16, test_samples: 10}}
preprocessing: {{image_size: [4, 4]}}
model: {{layers: []}}
training: {{epochs: {epochs}}}
"""


@pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
def test_statement_is_as_the_lesson_says(lesson: Lesson, tmp_path: Path) -> None:
    outcome = teach(lesson, folder=tmp_path)
    assert [verdict for verdict in outcome.verdicts if not verdict.held] == []
    assert outcome.held


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> Lesson:
    folder = tmp_path_factory.mktemp("lessons") / "tiny"
    folder.mkdir()
    for arm, epochs in (("short", 1), ("long", 3)):
        (folder / f"{arm}.yaml").write_text(TINY.format(arm=arm, epochs=epochs))
    return Lesson(
        folder=folder,
        title="Tiny",
        texts=("0",),
        statement="Long is longer than short, and than itself.",
        runs=("short", "long"),
        differ_in=("name", "training.epochs"),
        shows=("epochs",),
        picture=("loss",),
        expects=(
            Prediction(says="longer than short", holds_if="epochs of long > epochs of short"),
            Prediction(says="longer than long", holds_if="epochs of long > epochs of long"),
        ),
        conclusion="In part.",
    )


@pytest.fixture(scope="module")
def outcome(lesson: Lesson, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return teach(lesson, folder=tmp_path_factory.mktemp("runs"), seed=7)


def test_runs_are_kept_like_any_other(outcome: Outcome) -> None:
    assert [run.name for run in outcome.runs.values()] == ["tiny-short-001", "tiny-long-002"]
    assert all(run.is_finished for run in outcome.runs.values())
    assert [values["epochs"] for values in outcome.values.values()] == [1, 3]


def test_seed_is_that_of_every_experiment(outcome: Outcome) -> None:
    seeds = [load_experiment(run.resolved).seed for run in outcome.runs.values()]
    assert seeds == [7, 7]


def test_lesson_held_only_if_every_rule_did(outcome: Outcome) -> None:
    assert [verdict.held for verdict in outcome.verdicts] == [True, False]
    assert not outcome.held


def test_picture_lies_beside_the_runs(outcome: Outcome) -> None:
    folder = outcome.runs["short"].path.parent
    assert outcome.picture == folder / "lessons" / "tiny.png"
    assert outcome.picture.read_bytes().startswith(b"\x89PNG")
