"""`explain`."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from apple_clf.cli.options import DEFAULT_RUNS, RunName, RunsFolder
from apple_clf.cli.output import write_object
from apple_clf.errors import ConfigError
from apple_clf.io.files import printable, write_whole


class Form(StrEnum):
    """How an explanation is written; it is not a table."""

    text = "text"
    json = "json"


Picture = Annotated[str, typer.Argument(metavar="IMAGE", help="Image file.")]
Label = Annotated[
    str | None,
    typer.Option(metavar="CLASS", help="True class. Default: the folder's name, if it is a class."),
]
LayerName = Annotated[
    str | None,
    typer.Option(metavar="N", help="Layer of the neuron to explain: number or name."),
]
UnitNumber = Annotated[
    int | None,
    typer.Option(metavar="K", help="Index of the neuron, from 0. Default: the strongest."),
]
Page = Annotated[
    Path | None,
    typer.Option("--out", metavar="PNG", help="Also draw the explanation to this file."),
]
OutputForm = Annotated[Form, typer.Option("--format", help="Output format.")]


def explain(
    image: Picture,
    run: RunName = None,
    runs: RunsFolder = DEFAULT_RUNS,
    label: Label = None,
    layer: LayerName = None,
    unit: UnitNumber = None,
    out: Page = None,
    format_: OutputForm = Form.text,
) -> None:
    """Say how the network comes to its answer, number by number."""
    from apple_clf.explanation import explain as explain_image
    from apple_clf.explanation.narration import tell
    from apple_clf.runs import find_run

    _check_page(out, image)
    found = explain_image(find_run(run, folder=runs), image, label=label, layer=layer, unit=unit)
    if out is not None:
        from apple_clf.explanation.page import draw_page

        write_whole(out, draw_page(found))
    if format_ is Form.json:
        write_object(found.as_dict(), indent=None)
    else:
        for line in tell(found):
            sys.stdout.write(f"{line}\n")


def _check_page(out: Path | None, image: str) -> None:
    """Refuses a page that would take the place of something else."""
    if out is None:
        return
    if out.suffix.lower() != ".png":
        raise ConfigError(f"--out {printable(out)}: the page is a PNG. Name it like page.png.")
    if out.exists() and Path(image).exists() and os.path.samefile(out, image):  # noqa: PTH121 (one of them is a text)
        raise ConfigError(f"--out {printable(out)} is the picture itself. Choose another name.")
