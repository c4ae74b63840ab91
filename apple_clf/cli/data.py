"""`data simulate`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="data", help="Make data sets.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Keeps `simulate` a subcommand while it is the only one."""


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to make.")],
    samples: Annotated[int, typer.Option(min=1, max=1_000_000, help="Number of images.")] = 200,
    size: Annotated[int, typer.Option(min=4, max=1024, help="Side in pixels.")] = 64,
    seed: Annotated[int, typer.Option(min=0, help="Start of all chance.")] = 42,
) -> None:
    """Draw a folder of apples and look-alikes.

    It holds OUT/<class>/*.png and a contact sheet.
    """
    from apple_clf.simulation.folder import write_simulated_folder

    sheet = write_simulated_folder(out, samples, size=size, seed=seed)
    typer.echo(f"Drew {samples} images. Look at them: {sheet}")
