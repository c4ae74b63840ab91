"""The command line: parse, call one function, print.

Answers go to stdout; progress messages and errors go to stderr. What a command does not need is
imported inside its function, so that each starts quickly.
"""

import gc
import os
import sys
from contextlib import suppress
from typing import Annotated, NoReturn

import typer

from apple_clf import __version__
from apple_clf.cli import (
    comparing,
    configuration,
    data,
    diagnosis,
    explaining,
    exporting,
    importing,
    lessons,
    listing,
    prediction,
    report,
    running,
    serving,
    sweeping,
)
from apple_clf.errors import AppleClfError, not_installed

app = typer.Typer(
    name="apple-clf",
    help="Image-classification experiments from a YAML file.",
    epilog="Start with: apple-clf train",
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help starts three times faster
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(running.train)
app.command()(running.resume)
app.command()(prediction.predict)
app.command()(prediction.evaluate)
app.command()(explaining.explain)
app.command()(listing.runs)
app.command()(comparing.compare)
app.command()(serving.serve)
app.command()(running.verify)
app.command()(sweeping.sweep)
app.command()(diagnosis.diagnose)
app.command()(report.report)
app.command()(exporting.export)
app.command("import")(importing.import_)
app.command()(configuration.init)
app.add_typer(configuration.app)
app.add_typer(data.app)
app.add_typer(lessons.app)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"apple-clf {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    global _debug
    _debug = debug


_debug = False


def main() -> NoReturn:
    """Runs the command line and exits with the code that docs/cli.md lists."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads only cost start-up here
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # both are open by now
    code = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        code = _forget_stdout(code)
    except OSError as error:
        code = _forget_stdout(5)
        _complain(f"standard output cannot be written: {error.strerror}")
    gc.freeze()  # else the interpreter, as it ends, looks at every object again: 10 to 20 ms
    sys.exit(code)


def _open_closed_streams() -> None:
    """Points closed standard streams nowhere, lest the next file opened becomes one of them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(2, "w")


def _run() -> int:
    """The exit code of the command in sys.argv."""
    try:
        app(prog_name="apple-clf")
    except SystemExit as ended:  # Typer has shown usage errors and turned Ctrl-C into 130
        if isinstance(ended.__context__, BrokenPipeError):
            return _forget_stdout(141)
        code = ended.code if isinstance(ended.code, int) else 1
        if code == 130:
            _complain("interrupted.")
        return code
    except AppleClfError as error:
        _complain(str(error))
        return error.exit_code
    except ModuleNotFoundError as error:  # the small install of docs/deploy.md lacks TensorFlow
        missing = (error.name or "").partition(".")[0]
        if missing in {"", "apple_clf"}:
            raise
        _complain(str(told := not_installed(missing)))
        return told.exit_code
    except OSError as error:
        _complain(f"{error.filename or 'standard output'}: {error.strerror or error}")
        return 5
    except MemoryError:
        _complain("memory ran out. Use fewer or smaller images, or a smaller network.")
        return 8
    return 0


def _forget_stdout(code: int) -> int:
    """Points stdout nowhere, so that Python's own last flush is silent too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return code


def _complain(message: str) -> None:
    if _debug:
        from traceback import print_exc

        print_exc()
    with suppress(OSError):  # the exit code still tells
        sys.stderr.write(f"Error: {message}\n")
