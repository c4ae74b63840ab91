"""`config check|show|schema` and `init`."""

import gc
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from apple_clf.cli.options import ConfigFile, Overrides
from apple_clf.errors import ConfigError
from apple_clf.io.files import printable

app = typer.Typer(name="config", help="Check and show experiments.", no_args_is_help=True)


@app.command()
def check(config: ConfigFile = None, overrides: Overrides = None) -> None:
    """Check an experiment, and its sweep, without training it."""
    gc.disable()  # looking for garbage among all that is imported takes a twentieth of the time
    from apple_clf.config import parse_file, read_source

    gc.enable()
    source, filename = read_source(config), str(config) if config else "defaults"
    if parse_file(source, filename=filename, overrides=overrides or ()).sweep is not None:
        from apple_clf.config.sweep import parse_sweep

        parse_sweep(source, filename=filename, overrides=overrides or ())
    typer.echo(f"{printable(config) if config else 'the built-in experiment'}: valid")


@app.command()
def show(config: ConfigFile = None, overrides: Overrides = None) -> None:
    """Print an experiment with all its values, defaults too."""
    from apple_clf.config import dump_experiment, parse_file, read_source

    filename = str(config) if config else "defaults"
    file = parse_file(read_source(config), filename=filename, overrides=overrides or ())
    typer.echo(dump_experiment(file if file.sweep else file.experiment), nl=False)


@app.command()
def schema() -> None:
    """Print the JSON schema, for editors to complete and check."""
    import json

    from apple_clf.config import experiment_schema

    typer.echo(json.dumps(experiment_schema(), indent=2))


def init(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file to write.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="DIR", help="Folder of images. Default: simulated images."),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            "--recipe",
            metavar="NAME",
            help="default, blog, imbalanced, photos, quickdraw, quickdraw-conv or sweep; "
            "or LESSON/EXPERIMENT.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write a commented experiment to edit.

    With --data it fits the images of a folder; with --recipe it is one of those that are measured
    in docs/results.md, or an experiment of a lesson.
    """
    from apple_clf.io.files import write_whole

    if recipe is not None and data is not None:
        raise ConfigError(
            "--recipe and --data cannot be combined. Write the recipe, then set data.path in it."
        )
    if config.exists() and not force:
        raise ConfigError(f"{printable(config)}: exists. Choose another name, or add --force.")
    text = _starter(config, data) if recipe is None else _recipe(recipe, config)
    write_whole(config, text)
    verb = "sweep" if "\nsweep:\n" in text else "train"
    typer.echo(f"Wrote {printable(config)}. Run it: apple-clf {verb} {quote(printable(config))}")


def _starter(config: Path, data: Path | None) -> str:
    from apple_clf.pipeline.starter import starter_text

    return starter_text(config, data)


def _recipe(name: str, config: Path) -> str:
    from apple_clf.config.recipes import recipe_text

    return recipe_text(name, config)
