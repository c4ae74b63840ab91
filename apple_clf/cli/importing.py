"""`import`."""

import json
import math
import re
from pathlib import Path
from typing import Annotated

import typer

from apple_clf.cli.options import DEFAULT_RUNS, Format, OutputFormat, Quiet, RunsFolder
from apple_clf.cli.reporting import reporting
from apple_clf.cli.running import show
from apple_clf.errors import ArtifactError, ConfigError
from apple_clf.images.preprocessing import Polarity, Resize
from apple_clf.io.files import printable

_ASK = (
    "{}: a model file can hold programs to run, paths to open and sizes that fill any memory. If "
    "you want it opened, add --trust: then each part of it must be plain numbers or a layer of a "
    "known list, and nothing in it is run."
)


ModelFile = Annotated[Path, typer.Argument(metavar="FILE", help="A .keras file.")]
Pictures = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="Folder with one subfolder per class.")
]
Trust = Annotated[
    bool, typer.Option("--trust", help="Open the file if it contains only known, harmless layers.")
]
Name = Annotated[
    str | None, typer.Option(metavar="NAME", help="Name of the run. Default: the file's name.")
]
PositiveClass = Annotated[
    str | None, typer.Option(metavar="CLASS", help="Positive class, for precision and recall.")
]
Resizing = Annotated[Resize, typer.Option(help="How its training images were resized.")]
Holding = Annotated[Polarity, typer.Option(help="Polarity of its training images.")]
Scale = Annotated[
    str | None,
    typer.Option(
        metavar="A/B", help="Factor on pixel values. Default: 1/255, unless the model rescales."
    ),
]
Offset = Annotated[
    float | None, typer.Option(metavar="X", help="Offset added after scaling. Default: 0.")
]


def import_(
    file: ModelFile,
    data: Pictures,
    trust: Trust = False,
    name: Name = None,
    positive_class: PositiveClass = None,
    resize: Resizing = "stretch",
    polarity: Holding = "as_is",
    scale: Scale = None,
    offset: Offset = None,
    runs: RunsFolder = DEFAULT_RUNS,
    format_: OutputFormat = Format.text,
    quiet: Quiet = False,
) -> None:
    """Make a run of a Keras model that was trained elsewhere."""
    if not trust:
        raise ArtifactError(_ASK.format(printable(file)))
    from apple_clf.config import parse_experiment
    from apple_clf.config.schema import FolderData
    from apple_clf.io.progress import Silent
    from apple_clf.pipeline.importing import import_model

    source = {"source": "folder", "path": str(data), "positive_class": positive_class}
    given = {"name": _run_name(file) if name is None else name, "data": source}
    experiment = parse_experiment(json.dumps(given), filename="apple-clf import")
    assert isinstance(experiment.data, FolderData)
    with reporting(Silent() if quiet else None) as reporter:
        run = import_model(
            file,
            data=experiment.data,
            folder=runs,
            name=experiment.name,
            resize=resize,
            polarity=polarity,
            scaling=_scaling(scale, offset),
            reporter=reporter,
        )
    show(run, format_)


def _run_name(file: Path) -> str:
    """The file's name with what no run may have in its name replaced."""
    name = re.sub(r"[^A-Za-z0-9._-]", "-", file.stem).lstrip("._-")
    return name[:64] or "imported"


def _scaling(scale: str | None, offset: float | None) -> tuple[float, float] | None:
    """Factor and offset of the pixels, None if nothing was asked for."""
    if scale is None and offset is None:
        return None
    parts = ("1/255" if scale is None else scale).split("/")
    try:
        numerator, denominator = map(float, [*parts, "1"] if len(parts) == 1 else parts)
        factor, shift = numerator / denominator, offset or 0.0
        if not (math.isfinite(factor) and factor and math.isfinite(shift)):
            raise ValueError
    except (ValueError, ZeroDivisionError):
        raise ConfigError(
            f"--scale {printable(repr(scale))} and --offset {offset} are not finite numbers to "
            "multiply a pixel by and to add. Write them like 1/127.5 and -1."
        ) from None
    return factor, shift
