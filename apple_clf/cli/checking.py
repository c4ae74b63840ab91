"""`data check`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apple_clf.cli.options import Format, OutputFormat, Overrides, Quiet
from apple_clf.cli.output import Record, write_object, write_records
from apple_clf.cli.reporting import reporting
from apple_clf.errors import ConfigError, DataError
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.checks import CheckedData
    from apple_clf.config.schema import Experiment


def check(
    data: Annotated[
        Path, typer.Argument(metavar="DIR|CONFIG", help="Folder of images, or a YAML file.")
    ],
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Output folder for contact sheets and a report."),
    ] = None,
    folds: Annotated[
        int,
        typer.Option(
            min=0, max=20, help="Number of networks that look for wrong labels; 0 for none."
        ),
    ] = 5,
    quiet: Quiet = False,
    format_: OutputFormat = Format.text,
) -> None:
    """Look for images and labels that need a second look.

    Nothing is changed. It finds unreadable files, copies, near copies, doubtful labels, rare
    classes, and borders from which the class can be guessed. Look at the pictures (--out) before
    you change anything.
    """
    from apple_clf.checks import check_data
    from apple_clf.checks.sheets import write_sheets
    from apple_clf.io.progress import Silent

    if folds in {1, 2}:
        raise ConfigError(f"--folds: 3 or more networks are needed, or 0 for none, not {folds}.")
    experiment = _experiment(data, overrides or [])
    place = getattr(experiment.data, "path", None)
    if out and place and out.resolve().is_relative_to(Path(place).resolve()):
        raise ConfigError(f"{printable(out)}: lies among the data. Name another folder for --out.")
    with reporting(Silent() if quiet else None) as reporter:
        checked = check_data(experiment, n_folds=folds, reporter=reporter)
    _show(checked, format_, where=str(data))
    if out:
        for path in write_sheets(checked, out):
            typer.echo(f"Wrote {printable(path)}", err=True)
    if checked.n_blocking:
        raise DataError(
            f"{printable(data)}: training would refuse these data because of the findings above "
            "that are marked blocks."
        )


def _experiment(data: Path, overrides: list[str]) -> "Experiment":
    """The experiment in a file, or the one that `init` would write for a folder."""
    from apple_clf.config import load_experiment, parse_experiment
    from apple_clf.pipeline.starter import starter_text

    if data.is_dir():
        text = starter_text(Path("check.yaml"), data)
        return parse_experiment(text, filename=printable(data), overrides=overrides)
    return load_experiment(data, overrides)


def _show(checked: "CheckedData", format_: Format, *, where: str) -> None:
    content = {
        "data": where,
        "images": checked.dataset.counts(),
        "blocked": checked.n_blocking > 0,
        "findings": [finding.as_dict() for finding in checked.findings],
    }
    if format_ is Format.json:
        write_object(content, indent=2)
        return
    title = f"{printable(where)}: {len(checked.pool):,} images of " + ", ".join(
        map(printable, checked.dataset.class_names)
    )
    write_records(
        (_record(finding.as_dict(), format_) for finding in checked.findings),
        format_,
        columns=["check", "level", "count", "finding", "cure", "example"],
        as_text=lambda records: [title, *_lines(records)],
    )


def _record(finding: dict[str, object], format_: Format) -> Record:
    """A finding with its first item as an example; JSON lines keep all of them."""
    items = finding["items"] if format_ is Format.jsonl else finding.pop("items")
    assert isinstance(items, list)
    files = " = ".join(items[0]["files"]) if items else ""
    return {**finding, "example": f"{files}: {items[0]['detail']}" if items else None}


def _lines(records: Iterable[Record]) -> Iterator[str]:
    empty = True
    for record in records:
        empty = False
        yield ""
        yield f"{record['level']}: {record['check']}. {record['finding']}"
        if record["example"]:
            yield f"  For example {printable(str(record['example']))}"
        yield f"  {record['cure']}"
    if empty:
        yield "Nothing to look at was found."
