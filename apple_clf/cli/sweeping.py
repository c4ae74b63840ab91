"""`sweep`."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apple_clf.cli.options import ConfigFile, Format, OutputFormat, Overrides, Quiet, RayAddress
from apple_clf.cli.output import table, write_records
from apple_clf.errors import ConfigError, DataError, MissingExtraError
from apple_clf.io.files import printable

if TYPE_CHECKING:
    from apple_clf.config.sweep import SweepPlan
    from apple_clf.sweeping import Sweep
    from apple_clf.sweeping.folder import SweepFolder
    from apple_clf.sweeping.orders import Executor
    from apple_clf.sweeping.progress import SweepReporter

Workplace = Callable[[int | None, "SweepFolder"], "Executor"]
"""Makes who trains for a sweep: so many at a time, or as many as there is room for."""


class SamplerName(StrEnum):
    """Algorithm that suggests trials."""

    grid = "grid"
    random = "random"
    tpe = "tpe"


class PrunerName(StrEnum):
    """How trials that fall behind are stopped."""

    none = "none"
    median = "median"
    hyperband = "hyperband"


def sweep(
    config: ConfigFile = None,
    overrides: Overrides = None,
    trials: Annotated[int | None, typer.Option(min=1, help="Maximum number of trials.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of trainings to run in parallel.")
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(min=1, help="Number of trainings per trial, with different seeds.")
    ] = None,
    sampler: Annotated[
        SamplerName | None, typer.Option(help="Algorithm that suggests trials.")
    ] = None,
    pruner: Annotated[
        PrunerName | None, typer.Option(help="Algorithm that stops unpromising trials early.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Database for the trials, e.g. sqlite:///sweeps.db."),
    ] = None,
    sweeps: Annotated[
        Path, typer.Option("--sweeps", metavar="DIR", help="Folder of the sweeps.")
    ] = Path("sweeps"),
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="SWEEP", help="Resume this sweep.")
    ] = None,
    ray: RayAddress = None,
    format_: OutputFormat = Format.text,
    quiet: Quiet = False,
) -> None:
    """Train an experiment with many values, and compare.

    --set KEY=V1,V2,V3 gives values to try; a section `sweep` of the file may, too.
    """
    if find_spec("optuna") is None:
        raise MissingExtraError(
            "sweeps need Optuna, which is not installed: pip install 'apple-clf[sweep]'"
        )
    asked = {"trials": trials, "seeds": seeds, "sampler": sampler, "pruner": pruner}
    asked["workers"] = workers
    options = [f"sweep.{key}={value}" for key, value in asked.items() if value is not None]
    if resume is not None and (config is not None or overrides or seeds or sampler or pruner):
        raise ConfigError(
            "--resume goes on with what was asked. Besides it only --trials, --workers, "
            "--storage, --sweeps, --ray, --format and --quiet can be given."
        )
    with _workplace(ray) as workplace:  # first, since without one nothing is to be made
        if resume is not None:
            plan, folder, storage = _found(resume, options, sweeps, storage)
        else:
            plan, folder, storage = _made(config, [*(overrides or ()), *options], sweeps, storage)
        swept = _run(plan, folder, storage, workplace, quiet)
    _show(plan, swept, format_)
    if swept.n_failed:
        raise typer.Exit(DataError.exit_code)


@contextmanager
def _workplace(ray: str | None) -> Iterator[Workplace]:
    """Where trainings run: this machine, or a cluster."""
    if ray is None:
        from apple_clf.io.parallel import available_cores
        from apple_clf.sweeping.processes import Processes

        yield lambda workers, _: Processes(workers or available_cores())
        return
    from apple_clf.cluster import check_installed

    check_installed("ray")
    from apple_clf.cluster.actors import Actors
    from apple_clf.cluster.connection import connected, n_cpus

    with connected(ray):
        yield lambda workers, folder: Actors(workers or n_cpus(), own=folder.record)


def _made(
    config: Path | None, overrides: Sequence[str], sweeps: Path, storage: str | None
) -> "tuple[SweepPlan, SweepFolder, str | None]":
    """A new sweep."""
    from apple_clf.config import read_source
    from apple_clf.config.sweep import parse_sweep
    from apple_clf.sweeping.folder import SweepRecord, create_sweep
    from apple_clf.sweeping.space import n_trials

    source = read_source(config)
    filename = str(config) if config else "defaults"
    plan = parse_sweep(source, filename=filename, overrides=overrides)
    n_trials(plan.config)  # a grid without an end is refused before anything is made
    if storage is not None:
        from apple_clf.sweeping.study import check_storage

        check_storage(storage)
    record = SweepRecord(filename, overrides, storage and _without_password(storage))
    return plan, create_sweep(sweeps, plan.experiment.name, source=source, record=record), storage


def _found(
    name: str, options: Sequence[str], sweeps: Path, storage: str | None
) -> "tuple[SweepPlan, SweepFolder, str | None]":
    """A sweep that was stopped, or that is to have more trials."""
    from apple_clf.config import read_source
    from apple_clf.config.sweep import parse_sweep
    from apple_clf.sweeping.folder import find_sweep

    folder, record = find_sweep(name, folder=sweeps)
    if storage is None and record.storage is not None:
        if _HIDDEN in record.storage:
            raise ConfigError(
                f"{printable(folder.path)}: its trials lie in {printable(record.storage)}; "
                "give --storage again, with the password, which is not kept."
            )
        storage = record.storage
    source = read_source(folder.config)
    overrides = [*record.overrides, *options]
    return parse_sweep(source, filename=record.filename, overrides=overrides), folder, storage


_HIDDEN = ":***@"


def _without_password(url: str) -> str:
    """The address of a database as it may be kept."""
    return re.sub(r"(?<=://)([^:/@]*):[^@]*@", rf"\1{_HIDDEN}", url)


def _run(
    plan: "SweepPlan",
    folder: "SweepFolder",
    storage: str | None,
    workplace: Workplace,
    quiet: bool,
) -> "Sweep":
    from apple_clf.sweeping import sweep as run_sweep
    from apple_clf.sweeping.progress import SilentSweep
    from apple_clf.sweeping.space import n_trials

    trials = n_trials(plan.config)
    with (
        closing(workplace(plan.config.workers, folder)) as executor,
        _reporting(SilentSweep() if quiet else None) as reporter,
    ):
        reporter.stage(
            f"{printable(folder.path)}: {trials} trials, compared by {plan.config.metric}, "
            f"{min(executor.capacity, trials)} at a time."
        )
        return run_sweep(plan, folder, executor=executor, storage=storage, reporter=reporter)


@contextmanager
def _reporting(reporter: "SweepReporter | None") -> "Iterator[SweepReporter]":
    """The reporter given, or the one that fits where stderr goes."""
    from apple_clf.io.progress import is_terminal
    from apple_clf.sweeping.progress import SweepLines, SweepTable

    if reporter is not None:
        yield reporter
    elif is_terminal(sys.stderr):
        with closing(SweepTable(sys.stderr)) as live:
            yield live
    else:
        yield SweepLines(sys.stderr)


def _show(plan: "SweepPlan", swept: "Sweep", format_: Format) -> None:
    from apple_clf.sweeping.leaderboard import columns, flat

    records: Iterable[Mapping[str, object]] = swept.leaderboard
    if format_ is Format.csv:
        records = map(flat, swept.leaderboard)
    write_records(records, format_, columns=columns(plan), as_text=lambda _: _lines(plan, swept))


def _lines(plan: "SweepPlan", swept: "Sweep") -> Iterator[str]:
    metric, keys = plan.config.metric, list(plan.config.parameters)
    head = ["rank", "trial", metric, *keys, "run", ""]
    rows = [head, *(_row(record, keys) for record in swept.leaderboard)]
    yield from map(printable, table(rows))
    yield ""
    if swept.best is None:
        yield "No trial finished."
    else:
        yield from _best_lines(swept, swept.best)
    if swept.n_failed:
        yield f"{swept.n_failed} trials failed; the reasons stand above."
    yield f"Sweep: {printable(swept.folder.path)}"


def _row(record: Mapping[str, Any], keys: Sequence[str]) -> list[str]:
    value, spread = record["value"], record["spread"]
    shown = "-" if value is None else f"{value:.4f}"
    if spread is not None:
        shown += f" +- {spread:.4f}"
    tried = [_tried(record["parameters"].get(key)) for key in keys]
    remark = "" if record["status"] == "finished" else record["status"]
    if record["reason"]:
        remark += f": {record['reason']}"
    rank = "-" if record["rank"] is None else str(record["rank"])
    return [rank, str(record["trial"]), shown, *tried, record["runs"][0], remark]


def _tried(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)


def _best_lines(swept: "Sweep", best: Mapping[str, Any]) -> Iterator[str]:
    tried = ", ".join(f"{key} {_tried(value)}" for key, value in best["parameters"].items())
    n_compared = sum(record["rank"] is not None for record in swept.leaderboard)
    yield printable(
        f"The best of {n_compared}: trial {best['trial']} with {tried}, "
        f"{best['metric']} {best['value']:.4f}."
    )
    yield (
        "It was chosen on the validation images, so this number flatters it, the more the more "
        "trials there were."
    )
    path = quote(printable(swept.folder.best))
    yield f"Train it and see the test images' verdict: apple-clf train {path}"
