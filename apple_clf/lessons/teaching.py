"""Lessons: a statement of an introduction, experiments that show it, and whether it held.

A lesson is data: a folder under `configs/lessons` with a page (`README.md`), what to compare
(`lesson.yaml`) and experiments that differ in one thing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apple_clf.config import parse_experiment, read_source
from apple_clf.diagnosis import Record, read_record
from apple_clf.io.files import cannot_write, printable, write_whole
from apple_clf.io.progress import Reporter, Silent
from apple_clf.lessons.catalogue import Lesson, find_lesson, list_lessons
from apple_clf.lessons.measures import measure, start_gradients
from apple_clf.lessons.rules import Verdict
from apple_clf.pipeline.workflow import train
from apple_clf.plots.curves import named_curves
from apple_clf.plots.gradients import start_gradients_plot
from apple_clf.runs import Run

__all__ = ["Lesson", "Outcome", "find_lesson", "list_lessons", "teach"]


@dataclass(frozen=True)
class Outcome:
    """What a lesson came to."""

    runs: Mapping[str, Run]  # by experiment, in the lesson's order
    values: Mapping[str, Mapping[str, float]]  # by experiment and measure
    verdicts: Sequence[Verdict]  # one for each rule
    picture: Path

    @property
    def held(self) -> bool:
        """Whether every rule of the lesson did."""
        return all(verdict.held for verdict in self.verdicts)


def teach(
    lesson: Lesson, *, folder: Path, seed: int | None = None, reporter: Reporter | None = None
) -> Outcome:
    """What the experiments of a lesson come to, trained one after the other.

    Args:
        lesson: as from `find_lesson`.
        folder: where runs live; the picture is written under its `lessons`.
        seed: of all experiments in place of their own.
        reporter: told how it goes.

    Raises:
        DivergedError: with this seed an experiment came to NaN or infinity.
        FileSystemError: the folder cannot be written.
        InterruptedTrainingError: a signal asked to stop.
    """
    reporter = reporter or Silent()
    overrides = () if seed is None else (f"seed={seed}",)
    runs, records = {}, {}
    for number, arm in enumerate(lesson.runs, start=1):
        reporter.stage(f"{lesson.name}: {arm} ({number} of {len(lesson.runs)})")
        path = lesson.config(arm)
        source = read_source(path)
        experiment = parse_experiment(source, filename=str(path), overrides=overrides)
        runs[arm] = train(experiment, source=source, folder=folder, reporter=reporter)
        records[arm] = read_record(runs[arm])
    values = {arm: measure(record) for arm, record in records.items()}
    picture = folder / "lessons" / f"{lesson.name}.png"
    try:
        picture.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise cannot_write(picture.parent, error) from error
    write_whole(picture, draw(records, show=lesson.picture, title=lesson.title))
    reporter.stage(f"Drew {printable(picture)}")
    return Outcome(runs, values, [rule.judge(values) for rule in lesson.rules], picture)


def draw(records: Mapping[str, Record], *, show: str | Sequence[str], title: str) -> bytes:
    """PNG with a line for each experiment, 800 x 340 pixels.

    Args:
        records: by the experiment's name, at most 7.
        show: `gradients`, each layer's before the training, or one or two columns of the history,
            the second one dotted.
        title: of the picture.
    """
    if isinstance(show, str):
        norms = {name: start_gradients(record) for name, record in records.items()}
        return start_gradients_plot(norms, title=title)
    histories = {name: record.history for name, record in records.items()}
    return named_curves(histories, columns=show, title=title)
