"""`data fetch`."""

import json
import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from apple_clf.cli.options import Quiet
from apple_clf.cli.reporting import reporting
from apple_clf.errors import ConfigError
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.config.schema import FetchedData


class PublicSource(StrEnum):
    """Data sets that can be downloaded."""

    quickdraw = "quickdraw"
    cifar100 = "cifar100"


Source = Annotated[PublicSource, typer.Argument(help="Data set to download.")]
Classes = Annotated[
    str | None,
    typer.Option(metavar="A,B,...", help="Classes to download. Default: all of cifar100."),
]
PerClass = Annotated[
    int | None, typer.Option(min=1, help="Number of drawings per class. Default: 1000.")
]
OneVsRest = Annotated[
    str | None, typer.Option(metavar="CLASS", help="Merge all other classes into not_CLASS.")
]
Form = Annotated[str | None, typer.Option(metavar="bitmaps|strokes", help="Form of the drawings.")]
Size = Annotated[int | None, typer.Option(help="Side length in pixels, if drawn from strokes.")]
Drawings = Annotated[
    str | None,
    typer.Option(metavar="all|recognized", help="Which drawings to use, if drawn from strokes."),
]
Out = Annotated[
    str | None, typer.Option(metavar="DIR", help="Output folder. Default: in the cache.")
]


def fetch(
    source: Source,
    classes: Classes = None,
    per_class: PerClass = None,
    one_vs_rest: OneVsRest = None,
    form: Form = None,
    size: Size = None,
    drawings: Drawings = None,
    out: Out = None,
    quiet: Quiet = False,
) -> None:
    """Download public drawings or photos.

    It makes a folder of images for each class, with the licence. After a stop it goes on.
    """
    from apple_clf.data.fetching import fetch as fetch_data
    from apple_clf.data.fetching import image_counts, licence, train_command
    from apple_clf.io.progress import Silent

    data = _request(
        source=source.value,
        classes=None if classes is None else [name.strip() for name in classes.split(",")],
        per_class=per_class,
        one_vs_rest=one_vs_rest,
        form=form,
        size=size,
        drawings=drawings,
        path=out,
    )
    with reporting(Silent() if quiet else None) as reporter:
        folder = fetch_data(data, on_progress=reporter.fetching)
        reporter.stage(licence(data))
    counts = image_counts(folder)
    for name, count in counts.items():
        typer.echo(f"{count:7,}  {printable(name)}")
    typer.echo(f"{sum(counts.values()):7,}  images in {printable(folder)}")
    typer.echo(f"Train on them: {train_command(data)}")


def _request(**keys: object) -> "FetchedData":
    """The data of an experiment with these keys, those that are None left out.

    Raises:
        ConfigError: they do not fit; the message has no place in a text that nobody wrote.
    """
    from apple_clf.config import parse_experiment
    from apple_clf.config.schema import FetchedData

    given = {key: value for key, value in keys.items() if value is not None}
    try:
        data = parse_experiment(json.dumps({"data": given}), filename="").data
    except ConfigError as error:
        raise ConfigError(re.sub(r"(?m)^:\d+:\d+: data\.", "data fetch: ", str(error))) from error
    assert isinstance(data, FetchedData)
    return data
