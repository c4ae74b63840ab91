"""`compare`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apple_clf.cli.options import DEFAULT_RUNS, Format, OutputFormat, RunsFolder
from apple_clf.cli.output import Record, write_object, write_records
from apple_clf.errors import ConfigError
from apple_clf.io.files import printable, write_whole

if TYPE_CHECKING:
    from apple_clf.comparison.compare import Comparison

COLUMNS = (
    *("first", "second", "metric", "difference", "low", "high", "p", "test"),
    *("corrected_p", "outcome", "same_images", "images"),
)

RunNames = Annotated[
    list[str], typer.Argument(metavar="RUN", help="Paths or names of two or more runs.")
]
Plot = Annotated[
    Path | None,
    typer.Option("--plot", metavar="PNG", help="Also plot the learning curves to this file."),
]


def compare(
    run: RunNames,
    runs: RunsFolder = DEFAULT_RUNS,
    format_: OutputFormat = Format.text,
    plot: Plot = None,
) -> None:
    """Say which run is better, and if that may be chance.

    The others are held against the first. Runs that differ in nothing but the seed count as one.
    """
    from apple_clf.comparison.compare import compare as compare_runs
    from apple_clf.comparison.words import tell
    from apple_clf.runs import find_run

    if plot is not None and plot.suffix.lower() != ".png":
        raise ConfigError(f"--plot {printable(plot)}: it is a PNG. Name it like compare.png.")
    if len(run) < 2:
        raise ConfigError("compare: name two runs or more. List them: apple-clf runs")
    comparison = compare_runs([find_run(name, folder=runs) for name in run])
    if plot is not None:
        from apple_clf.comparison.picture import draw_curves

        write_whole(plot, draw_curves(comparison.groups))
    if format_ in {Format.json, Format.jsonl}:
        write_object(comparison.as_dict(), indent=2 if format_ is Format.json else None)
    else:
        write_records(
            _rows(comparison), format_, columns=COLUMNS, as_text=lambda records: tell(comparison)
        )


def _rows(comparison: "Comparison") -> Iterator[Record]:
    """A row for each pair and metric."""
    from apple_clf.comparison.compare import JUDGED_BY

    for pair in comparison.pairs:
        for metric, found in pair.differences.items():
            yield {
                "first": pair.first.label,
                "second": pair.second.label,
                "metric": metric,
                "difference": found.value,
                "low": found.low,
                "high": found.high,
                "p": found.p,
                "test": found.test,
                "corrected_p": pair.corrected_p if metric == JUDGED_BY else None,
                "outcome": pair.outcome,
                "same_images": pair.same_images,
                "images": pair.second.runs[0].n_images,
            }
