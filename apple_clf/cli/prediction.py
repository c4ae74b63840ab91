"""`predict` and `evaluate`."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from apple_clf.cli.options import (
    DEFAULT_RUNS,
    AnswersFormat,
    Format,
    OldRunName,
    OutputFormat,
    RayAddress,
    RunArgument,
    RunName,
    RunsFolder,
    note_old_way,
)
from apple_clf.cli.output import Record, table, write_object, write_records
from apple_clf.errors import ConfigError, DataError
from apple_clf.io.files import Skipped, find_images, printable

if TYPE_CHECKING:
    from apple_clf.evaluation import Evaluation
    from apple_clf.prediction.inference import Answer
    from apple_clf.runs import Run

UNSURE = "unsure"
"""In the text format, what stands in the class's column where the class means nothing."""

MAX_NOTES = 5
"""Files whose notes are shown; the others are counted."""


def predict(
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="Files, folders or globs; - reads a list from stdin."),
    ],
    run: RunName = None,
    runs: RunsFolder = DEFAULT_RUNS,
    format_: Annotated[
        AnswersFormat | None,
        typer.Option("--format", help="Output format. Default: text; with --ray: parquet."),
    ] = None,
    ray: RayAddress = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="With --ray: output folder.")
    ] = None,
    shard_size: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="With --ray: number of images per output file."),
    ] = None,
) -> None:
    """Say what pictures show."""
    from apple_clf.prediction.inference import find_model

    chosen = find_model(run, folder=runs)
    if ray is not None:
        _predict_on_cluster(chosen, images, ray, out, format_, shard_size)
    elif out or shard_size or format_ is AnswersFormat.parquet:
        raise ConfigError("--out, --shard-size and --format parquet go with --ray ADDRESS.")
    else:
        _predict_here(chosen, images, Format(format_ or "text"))


def _predict_here(chosen: "Run", images: list[str], format_: Format) -> None:
    from apple_clf.prediction.inference import predict_files, read_record

    class_names = read_record(chosen).class_names
    tally = _Tally()
    records = tally.count(predict_files(chosen, _files(images, tally)))
    columns = ["file", "class", "probability"]
    columns += [f"probabilities.{name}" for name in class_names] + ["unsure", "error"]
    width = max(len(printable(name)) for name in (*class_names, UNSURE))
    write_records(
        records,
        format_,
        columns=columns,
        as_text=lambda answers: _answer_lines(answers, width=width),
    )
    tally.conclude()


def _predict_on_cluster(
    run: "Run",
    images: list[str],
    address: str,
    out: Path | None,
    format_: AnswersFormat | None,
    shard_size: int | None,
) -> None:
    from apple_clf.cluster import check_installed

    if out is None or "-" in images or format_ not in {None, "parquet", "jsonl"}:
        raise ConfigError(
            "--ray writes --format parquet or jsonl into the folder that --out names, and takes "
            "files, folders and globs, as a list on stdin would be gone when it is to go on."
        )
    chosen_format: Literal["parquet", "jsonl"] = "jsonl" if format_ == "jsonl" else "parquet"
    check_installed("ray", *(["pyarrow"] if chosen_format == "parquet" else []))
    from apple_clf.cluster.answering import answer
    from apple_clf.cluster.connection import connected
    from apple_clf.cluster.plan import asked_for, opened_plan
    from apple_clf.prediction.inference import read_model

    model = read_model(run)
    tally = _Tally()
    asked = asked_for(images, model[0], format_=chosen_format, shard_size=shard_size)
    with connected(address), opened_plan(out, asked, _files(images, tally)) as plan:
        answered = answer(plan, model, on_progress=_told_now_and_then())
    typer.echo(
        f"{printable(out)}: {answered.n_images:,} answers in {answered.n_shards:,} {chosen_format} "
        "files."
    )
    if tally.passed_over:
        typer.echo(f"Files passed over, being no images: {tally.passed_over}.", err=True)
    if answered.n_failed:
        raise DataError(
            f"{answered.n_failed} of {answered.n_images} files could not be answered; the answers' "
            "`error` says why."
        )


def _told_now_and_then(*, seconds_between: float = 5.0) -> Callable[[int, int], None]:
    """Tells on stderr how many shards stand, at first and every few seconds."""
    last = -seconds_between

    def tell(done: int, of: int) -> None:
        nonlocal last
        if time.monotonic() - last >= seconds_between:
            last = time.monotonic()
            typer.echo(f"{done:,} of {of:,} shards stand.", err=True)

    return tell


def _files(names: list[str], tally: "_Tally") -> Iterator[str | Skipped]:
    """Files that arguments stand for; a folder's other files are counted and passed over."""
    for name in _expand(names):
        if not name:  # which pathlib takes for the current folder
            raise ConfigError("an empty name is not an image. Is a variable of your shell empty?")
        path = Path(name)
        if not path.is_dir():
            yield name
            continue
        for found in find_images(path):
            if isinstance(found, Skipped) and found.by_name:
                tally.passed_over += 1
            else:
                yield found


def _expand(names: list[str]) -> Iterator[str]:
    """Arguments with globs and the list on stdin replaced by what they stand for."""
    for name in names:
        if name == "-":
            yield from _names_on_stdin()
        elif any(character in name for character in "*?[") and not os.path.lexists(name):
            from glob import iglob

            # An unmatched pattern stays a name, which is then answered with an error.
            yield from sorted(iglob(name, recursive=True)) or [name]  # noqa: PTH207 (absolute too)
        else:
            yield name


def _names_on_stdin() -> Iterator[str]:
    if sys.stdin is None:
        raise ConfigError("'-' reads names from standard input, which is closed.")
    text = sys.stdin.buffer.read()
    names = text.split(b"\0") if b"\0" in text else text.splitlines()
    yield from (os.fsdecode(name) for name in names if name)


class _Tally:
    """Counts answers and says at the end what is missing."""

    def __init__(self) -> None:
        self.total = 0
        self.failed = 0
        self.passed_over = 0
        self.n_noted = 0
        self.notes: list[str] = []  # the first MAX_NOTES

    def count(self, answers: "Iterable[Answer]") -> Iterator[Record]:
        for answer in answers:
            self.total += 1
            self.failed += answer.error is not None
            if answer.note is not None:
                self.n_noted += 1
                if self.n_noted <= MAX_NOTES:
                    self.notes.append(f"{printable(answer.file)}: {answer.note}.")
            yield answer.as_dict()

    def conclude(self) -> None:
        """Tells what was left out.

        Raises:
            DataError: a file could not be answered, or there was none.
        """
        for note in self.notes:
            typer.echo(note, err=True)
        if (more := self.n_noted - len(self.notes)) > 0:
            typer.echo(f"Other files with such a note: {more}.", err=True)
        if self.passed_over:
            typer.echo(f"Files passed over, being no images: {self.passed_over}.", err=True)
        if not self.total:
            raise DataError("no image to answer. Name image files or a folder that holds some.")
        if self.failed:
            raise DataError(
                f"{self.failed} of {self.total} files could not be answered; "
                "the answers above say why."
            )


def _answer_lines(answers: Iterable[Record], *, width: int) -> Iterator[str]:
    """Columns of class, probability and file, and, for an unsure answer, why."""
    from apple_clf.prediction.inference import unsure_in_words

    for answer in answers:
        file = printable(str(answer["file"]))
        if answer["error"] is not None:
            yield f"{'error':{width}}         {file}: {answer['error']}"
        elif answer["unsure"]:
            yield f"{UNSURE:{width}}  {'-':>5}  {file}  {unsure_in_words(answer)}"
        else:
            name = printable(str(answer["class"]))
            yield f"{name:{width}}  {answer['probability']:.3f}  {file}"


def evaluate(
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", help="Folder with one subfolder per class.")
    ],
    run: RunArgument = None,
    runs: RunsFolder = DEFAULT_RUNS,
    format_: OutputFormat = Format.text,
    old_run: OldRunName = None,
) -> None:
    """Measure a model on labelled pictures."""
    from apple_clf import evaluation
    from apple_clf.data import load_labelled_folder
    from apple_clf.prediction.inference import Predictor, find_model

    if old_run is not None:
        if run is not None:
            raise ConfigError(f"evaluate: two runs, {run} and --run {old_run}. Leave out one.")
        note_old_way(f"--run {old_run}", f"apple-clf evaluate {old_run} --data DIR")
    chosen = find_model(run or old_run, folder=runs)
    predictor = Predictor.load(chosen)
    record = predictor.record
    split, bad = load_labelled_folder(data, record.preprocessing, class_names=record.class_names)
    result = evaluation.evaluate(predictor, split)
    if format_ in {Format.json, Format.jsonl}:
        described = {"run": str(chosen.path), "data": str(data), **result.as_dict()}
        write_object(described, indent=2 if format_ is Format.json else None)
    else:
        title = (
            f"{printable(chosen.path)} on {len(split):,} images of {printable(data)}, "
            f"positive class {printable(record.positive_class)}"
        )
        write_records(
            ({"metric": name, **asdict(value)} for name, value in result.estimates.items()),
            format_,
            columns=["metric", "value", "low", "high", "method", "reason"],
            as_text=lambda records: [title, "", *evaluation_lines(result)],
        )
    if bad:
        for skip in bad:
            typer.echo(f"{printable(skip.path)}: {skip.reason}", err=True)
        raise DataError(f"files that could not be read and were left out: {len(bad)}.")


def evaluation_lines(evaluation: "Evaluation") -> Iterator[str]:
    """The images it does not know, metrics, the confusion matrix and the verdict, to print."""
    from apple_clf.metrics.catalogue import words_of

    yield from _unsure_lines(evaluation)
    rows = [["metric", "value", "95 % interval", "method"]]
    for name, estimate in evaluation.estimates.items():
        label = words_of(name)
        if estimate.value is None:
            rows.append([label, "-", "-", estimate.reason or ""])
        else:
            interval = f"{estimate.low:.3f} to {estimate.high:.3f}"
            rows.append([label, f"{estimate.value:.3f}", interval, estimate.method])
    yield from table(rows)
    yield ""
    names = [printable(name) for name in evaluation.class_names]
    counts = [[str(count) for count in row] for row in evaluation.confusion.tolist()]
    yield from table(
        [
            ["true \\ predicted", *names],
            *([name, *row] for name, row in zip(names, counts, strict=True)),
        ]
    )
    yield ""
    yield f"The model is {evaluation.verdict}."


def _unsure_lines(evaluation: "Evaluation") -> Iterator[str]:
    """How many images it does not know, and what the metrics make of them; none without any."""
    from apple_clf.prediction.inference import DONT_KNOW, UNLIKE_TRAINING

    if n_unsure := int(evaluation.unsure.sum()):
        yield (
            f'"{DONT_KNOW}" to {n_unsure:,} of {len(evaluation.split):,} images, {UNLIKE_TRAINING}.'
        )
        accuracy = evaluation.unsure_as_dict()["accuracy_of_the_others"]
        on_others = "" if accuracy is None else f" Accuracy on the others: {accuracy:.3f}."
        yield f"The metrics count each of them as its closest class.{on_others}"
        yield ""
