"""`lesson list` and `lesson run`."""

import math
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from apple_clf.cli.options import DEFAULT_RUNS, Format, OutputFormat, Quiet, RunsFolder
from apple_clf.cli.output import table, write_object, write_records
from apple_clf.cli.reporting import reporting
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.lessons import Lesson, Outcome

app = typer.Typer(
    name="lesson",
    help="Experiments that test statements about neural networks.",
    no_args_is_help=True,
)


@app.command("list")
def list_(format_: OutputFormat = Format.text) -> None:
    """List the lessons."""
    from apple_clf.lessons import list_lessons

    records = [
        {"lesson": lesson.name, "title": lesson.title, "runs": len(lesson.runs)}
        for lesson in list_lessons()
    ]
    write_records(
        records,
        format_,
        columns=("lesson", "title", "runs"),
        as_text=lambda _: table([[str(record[key]) for key in record] for record in records]),
    )


@app.command()
def run(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of a lesson, from `lesson list`.")
    ],
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**32 - 1, help="Random seed. Default: 42."),
    ] = None,
    runs: RunsFolder = DEFAULT_RUNS,
    format_: OutputFormat = Format.text,
    quiet: Quiet = False,
) -> None:
    """Train a lesson's experiments and say whether its statement held."""
    from apple_clf.io.progress import Silent
    from apple_clf.lessons import find_lesson, teach

    lesson = find_lesson(name)
    if format_ is Format.text and not quiet:
        sys.stdout.write(f"{lesson.page}\n")
        sys.stdout.flush()  # to be read while the experiments train
    with reporting(Silent() if quiet else None) as reporter:
        outcome = teach(lesson, folder=runs, seed=seed, reporter=reporter)
    if format_ in {Format.json, Format.jsonl}:
        write_object(_as_dict(lesson, outcome), indent=2 if format_ is Format.json else None)
    else:
        records = [
            {"experiment": arm, "run": str(run.path), **_known(outcome.values[arm])}
            for arm, run in outcome.runs.items()
        ]
        write_records(
            records,
            format_,
            columns=list(records[0]),
            as_text=lambda _: _lines(lesson, outcome),
        )


def _as_dict(lesson: "Lesson", outcome: "Outcome") -> dict[str, object]:
    return {
        "lesson": lesson.name,
        "statement": lesson.statement,
        "texts": lesson.texts,
        "runs": {arm: str(run.path) for arm, run in outcome.runs.items()},
        "values": {arm: _known(values) for arm, values in outcome.values.items()},
        "expected": [vars(verdict) for verdict in outcome.verdicts],
        "held": outcome.held,
        "conclusion": lesson.conclusion if outcome.held else None,
        "picture": str(outcome.picture),
    }


def _known(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def _lines(lesson: "Lesson", outcome: "Outcome") -> Iterator[str]:
    head = ["", *(name.replace("_", " ") for name in lesson.shows), "run"]
    rows = [
        [arm, *(_number(outcome.values[arm][name]) for name in lesson.shows), run.name]
        for arm, run in outcome.runs.items()
    ]
    yield from map(printable, table([head, *rows]))
    yield ""
    for verdict in outcome.verdicts:
        yield f"{'held' if verdict.held else 'NOT held'}: {verdict.says}"
        yield f"  {verdict.seen}"
    yield ""
    texts = f"text{'s' * (len(lesson.texts) > 1)} {', '.join(lesson.texts)}"
    yield f"Statement ({texts}): {lesson.statement}"
    yield _conclusion(lesson, outcome)
    yield f"Picture: {printable(outcome.picture)}"
    first = lesson.runs[0]
    yield f"To change an experiment: apple-clf init --recipe {lesson.name}/{first} {first}.yaml"


def _conclusion(lesson: "Lesson", outcome: "Outcome") -> str:
    if outcome.held:
        return f"Conclusion: {lesson.conclusion}"
    return (
        "Conclusion: not all came out as expected. Is it chance? Try other seeds: "
        f"apple-clf lesson run {lesson.name} --seed 1"
    )


def _number(value: float) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if math.isnan(value):
        return "-"
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.001 else f"{value:.1e}"
