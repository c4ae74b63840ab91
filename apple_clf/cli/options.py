"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

RunsFolder = Annotated[
    Path,
    typer.Option("--runs", envvar="APPLE_CLF_RUNS", metavar="DIR", help="Folder of the runs."),
]
RunName = Annotated[
    str | None,
    typer.Option("--run", metavar="RUN", help="Path or name; the newest finished one if left out."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override, like training.epochs=30; may be repeated."
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Argument(metavar="CONFIG", help="YAML file; simulated apples if left out."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No narration.")]
CheckpointSeconds = Annotated[
    float | None,
    typer.Option(min=0, metavar="SECONDS", help="Time between checkpoints; 10 if left out."),
]
DEFAULT_RUNS = Path("runs")


class Format(StrEnum):
    """How answers are written."""

    text = "text"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"


OutputFormat = Annotated[Format, typer.Option("--format", help="How answers are written.")]
