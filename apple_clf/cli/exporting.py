"""`export`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apple_clf.cli.options import DEFAULT_RUNS, RunsFolder
from apple_clf.cli.output import write_object
from apple_clf.exporting.forms import FORMS
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.exporting.writing import Exported

    ExportFormat = str
else:
    ExportFormat = StrEnum("ExportFormat", {name: name for name in FORMS})


class Telling(StrEnum):
    """How it is told; --format names the export's."""

    text = "text"
    json = "json"


Model = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="Path or name; the newest finished one if left out."),
]
Form = Annotated[ExportFormat, typer.Option("--format", help="What to make of it.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="File or folder to make; named like the run if left out."),
]
Force = Annotated[bool, typer.Option("--force", help="Replace an export that is there.")]
Answer = Annotated[Telling, typer.Option("--answer", help="How it is told.")]


def export(
    format_: Form,
    run: Model = None,
    out: Out = None,
    runs: RunsFolder = DEFAULT_RUNS,
    force: Force = False,
    answer: Answer = Telling.text,
) -> None:
    """Write a run's model for use elsewhere.

    It is compared with Keras before it is kept.
    """
    from apple_clf.exporting.writing import default_target
    from apple_clf.exporting.writing import export as export_run
    from apple_clf.runs import find_run

    found = find_run(run, folder=runs)
    target = out or default_target(found, format_)
    exported = export_run(found, format_, target=target, replace=force)
    if answer is Telling.json:
        write_object(exported.as_dict(), indent=2)
    else:
        for line in _lines(exported):
            typer.echo(line)


def _lines(exported: "Exported") -> Iterator[str]:
    found = exported.agreement
    names = ", ".join(map(printable, exported.record.class_names))
    yield f"Wrote {printable(exported.path)}: {exported.n_bytes:,} bytes, probabilities of {names}."
    if found.note:
        yield found.note
    yield (
        f"Compared with Keras on {found.n_images:,} {found.images}: {found.same_answers:,} answers "
        f"the same, probabilities differ by at most {found.largest_difference:.2g}."
    )
    if found.balanced_accuracy is not None:
        yield (
            f"Balanced accuracy {found.balanced_accuracy:.4f}, of Keras "
            f"{found.keras_balanced_accuracy:.4f}."
        )
