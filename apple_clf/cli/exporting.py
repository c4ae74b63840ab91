"""`export`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apple_clf.cli.options import DEFAULT_RUNS, Format, RunArgument, RunsFolder, note_old_way
from apple_clf.cli.output import write_object, write_records
from apple_clf.errors import ConfigError
from apple_clf.exporting.forms import FORMS
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.exporting.writing import Exported

    ExportFormat = str
    AnyFormat = str
else:
    ExportFormat = StrEnum("ExportFormat", {name: name for name in FORMS})
    AnyFormat = StrEnum("AnyFormat", {name: name for name in (*Format, *FORMS)})

To = Annotated[ExportFormat | None, typer.Option(help="Format to export to.")]
Out = Annotated[
    Path | None,
    typer.Option(metavar="PATH", help="Output file or folder. Default: named like the run."),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing export.")]
AnswerFormat = Annotated[
    AnyFormat,
    typer.Option("--format", metavar=f"[{'|'.join(Format)}]", help="Output format."),
]
OldFormat = Annotated[
    Format | None, typer.Option("--answer", hidden=True, help="Old name of --format.")
]


def export(
    run: RunArgument = None,
    to: To = None,
    out: Out = None,
    runs: RunsFolder = DEFAULT_RUNS,
    force: Force = False,
    format_: AnswerFormat = "text",
    answer: OldFormat = None,
) -> None:
    """Write a run's model for use elsewhere.

    It is compared with Keras before it is kept.
    """
    from apple_clf.exporting.writing import default_target
    from apple_clf.exporting.writing import export as export_run
    from apple_clf.runs import find_run

    name, written_as = _formats(to, format_, answer)
    found = find_run(run, folder=runs)
    target = out or default_target(found, name)
    exported = export_run(found, name, target=target, replace=force)
    record = exported.as_dict()
    if written_as in {Format.json, Format.jsonl}:
        write_object(record, indent=2 if written_as is Format.json else None)
    else:
        cells = {**record, "class_names": ", ".join(exported.record.class_names)}
        write_records(
            [cells], written_as, columns=list(cells), as_text=lambda records: _lines(exported)
        )


def _formats(to: str | None, format_: str, answer: Format | None) -> tuple[str, Format]:
    """The format of the export and that of the answer, from either way to name them.

    Raises:
        ConfigError: the format of the export is missing, or named twice.
    """
    if format_ in FORMS:
        if to is not None:
            raise ConfigError(
                f"export: two formats, --to {to} and --format {format_}. Leave out one."
            )
        note_old_way(f"--format {format_}", f"--to {format_}")
        to, format_ = format_, "text"
    if answer is not None:
        note_old_way(f"--answer {answer}", f"--format {answer}")
        format_ = answer
    if to is None:
        raise ConfigError(f"export: name a format: --to {', --to '.join(FORMS)}.")
    return to, Format(format_)


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
