"""`report`."""

import typer

from apple_clf.cli.options import DEFAULT_RUNS, RunArgument, RunsFolder
from apple_clf.io.files import printable


def report(
    run: RunArgument = None,
    runs: RunsFolder = DEFAULT_RUNS,
) -> None:
    """Write a run as one page to look at: report.html.

    A trial of a sweep gets its pictures too.
    """
    from apple_clf.pipeline.saving import draw_again
    from apple_clf.report import write_report
    from apple_clf.runs import find_run

    found = find_run(run, folder=runs)
    if found.is_finished and not found.imported.exists() and not any(found.plots.glob("*.png")):
        draw_again(found)
    write_report(found)
    typer.echo(printable(found.report))
