"""`serve`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from apple_clf.cli.options import DEFAULT_RUNS, RunsFolder, note_old_way
from apple_clf.errors import MissingExtraError
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

RunNames = Annotated[
    list[str] | None,
    typer.Argument(metavar="RUN", help="Paths or names of runs. Default: the newest finished run."),
]
OldRunNames = Annotated[
    list[str] | None,
    typer.Option("--run", metavar="RUN", hidden=True, help="Old form of RUN."),
]
Host = Annotated[str, typer.Option(metavar="ADDRESS", help="Address to listen on.")]
Port = Annotated[
    int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 picks a free port.")
]
Workers = Annotated[int, typer.Option(min=1, max=64, help="Number of worker processes.")]
Collect = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Save submitted drawings here, in one subfolder per class."),
]


def serve(
    run: RunNames = None,
    runs: RunsFolder = DEFAULT_RUNS,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    collect: Collect = None,
    old_run: OldRunNames = None,
) -> None:
    """Answer over HTTP, with a page to draw on."""
    try:
        from apple_clf.web.server import Serving, listen, serve_here, supervise
    except ImportError as error:
        raise MissingExtraError(
            f"serve needs {error.name}, which is not installed: pip install 'apple-clf[serve]'"
        ) from error
    from apple_clf.prediction.inference import find_model
    from apple_clf.web.models import read_served_run

    if old_run:
        options = " ".join(f"--run {name}" for name in old_run)
        note_old_way(options, f"apple-clf serve {' '.join(old_run)}")
    names: Sequence[str | None] = [*(run or ()), *(old_run or ())] or [None]
    found = [find_model(name, folder=runs) for name in names]
    serving = Serving([read_served_run(item) for item in found], host, collect)
    app = serving.application()  # what cannot be served is told before anything listens
    with listen(host, port) as listener:
        served = ", ".join(printable(item.name) for item in found)
        address = f"[{host}]" if ":" in host else host
        url = f"http://{address}:{listener.getsockname()[1]}"
        typer.echo(f"Serving {served} at {url} (API: {url}/docs). Ctrl-C stops.", err=True)
        if workers == 1:
            number = serve_here(app, listener)
        else:
            number = supervise(serving, listener, workers=workers)
    raise typer.Exit(128 + number)
