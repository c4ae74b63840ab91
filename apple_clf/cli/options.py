"""Options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from apple_clf.io.files import printable

RunsFolder = Annotated[
    Path,
    typer.Option("--runs", envvar="APPLE_CLF_RUNS", metavar="DIR", help="Folder of the runs."),
]
RunName = Annotated[
    str | None,
    typer.Option(
        "--run", metavar="RUN", help="Path or name of a run. Default: the newest finished run."
    ),
]
RunArgument = Annotated[
    str | None,
    typer.Argument(metavar="RUN", help="Path or name of a run. Default: the newest finished run."),
]
OldRunName = Annotated[
    str | None, typer.Option("--run", metavar="RUN", hidden=True, help="Old form of RUN.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override a value, e.g. training.epochs=30. Repeatable."
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Argument(metavar="CONFIG", help="YAML file. Default: simulated apples."),
]
RayAddress = Annotated[
    str | None,
    typer.Option("--ray", metavar="ADDRESS", help="Address of a Ray cluster: auto or HOST:PORT."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress messages.")]
CheckpointSeconds = Annotated[
    float,
    typer.Option(min=0, metavar="SECONDS", help="Seconds between checkpoints."),
]
DEFAULT_RUNS = Path("runs")


class Format(StrEnum):
    """How answers are written."""

    text = "text"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"


class AnswersFormat(StrEnum):
    """How the answers of `predict` are written; Parquet on a cluster only."""

    text = "text"
    json = "json"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


OutputFormat = Annotated[Format, typer.Option("--format", help="Output format.")]


def note_old_way(old: str, new: str) -> None:
    """Says on stderr how an option that still works is written today."""
    typer.echo(printable(f"Note: {old} still works; write {new}."), err=True)
