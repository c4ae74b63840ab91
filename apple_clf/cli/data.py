"""`data simulate`; `data check` is in `checking`, `data fetch` in `fetching`."""

from pathlib import Path
from typing import Annotated

import typer

from apple_clf.cli.checking import check
from apple_clf.cli.fetching import fetch

app = typer.Typer(name="data", help="Create, check and download data sets.", no_args_is_help=True)
app.command()(check)
app.command()(fetch)


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Output folder.")],
    samples: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of images.")] = 200,
    size: Annotated[int, typer.Option(min=4, max=1024, help="Side in pixels.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 42,
) -> None:
    """Draw a folder of apples and look-alikes.

    It holds OUT/<class>/*.png; a contact sheet lies beside it.
    """
    from apple_clf.data.simulation.folder import write_simulated_folder

    sheet = write_simulated_folder(out, samples, size=size, seed=seed)
    typer.echo(f"Drew {samples} images. Look at them: {sheet}")
