"""What the command line does, as functions for notebooks and programs.

These are names of the package itself: `import apple_clf; apple_clf.train("mine.yaml")`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from apple_clf.config import dump_experiment, load_experiment, parse_experiment, read_source
from apple_clf.config.schema import Experiment
from apple_clf.errors import ConfigError
from apple_clf.io.progress import Reporter
from apple_clf.pipeline import workflow
from apple_clf.runs import Run

if TYPE_CHECKING:
    from apple_clf.exporting.writing import Exported
    from apple_clf.sweeping import Sweep
    from apple_clf.sweeping.progress import SweepReporter


def load_config(path: str | Path | None = None, *overrides: str) -> Experiment:
    """The experiment that a YAML file describes.

    Args:
        path: the file; None means the embedded defaults.
        overrides: KEY=VALUE each, such as `training.batch_size=64`, applied in turn.

    Raises:
        ConfigError: something is wrong with the file or an override.
        FileSystemError: the file cannot be read.
    """
    return load_experiment(None if path is None else Path(path), overrides)


def train(
    config: Experiment | str | Path | None = None,
    folder: str | Path = "runs",
    *,
    reporter: Reporter | None = None,
) -> Run:
    """The finished run of an experiment.

    Args:
        config: an experiment, or the YAML file of one; None means the embedded defaults.
        folder: where runs live.
        reporter: told how it goes, such as `Lines(sys.stdout)` or, on a terminal, a `Bar`; nobody
            is told if left out.

    Raises:
        ConfigError, DataError: the experiment or its data cannot be used; no run is made.
        FileSystemError: the folder cannot be written.
        DivergedError: weights or answers are NaN or infinite.
        InterruptedTrainingError: a signal asked to stop; `resume` goes on.
    """
    if isinstance(config, Experiment):
        experiment, source = config, dump_experiment(config).encode()
    else:
        path = None if config is None else Path(config)
        source = read_source(path)
        experiment = parse_experiment(source, filename=str(path or "defaults"))
    return workflow.train(experiment, source=source, folder=Path(folder), reporter=reporter)


def sweep(
    path: str | Path | None = None,
    *overrides: str,
    folder: str | Path = "sweeps",
    workers: int | None = None,
    reporter: "SweepReporter | None" = None,
) -> "Sweep":
    """The finished sweep of an experiment; `pandas.DataFrame(sweep(...).leaderboard)` is a table.

    It trains in processes of its own, so a program calls it under `if __name__ == "__main__":`.

    Args:
        path: the YAML file; None means the embedded defaults.
        overrides: KEY=V1,V2,V3 each for values to try, or `sweep.trials=20` and the like.
        folder: where sweeps live.
        workers: trainings at a time; as many as the file says, or as there are cores.
        reporter: told how it goes; nobody is told if left out.

    Raises:
        ConfigError: something is wrong with the file or an override, or it gives nothing to try.
        FileSystemError: the folder cannot be written.
        InterruptedTrainingError: a signal asked to stop; `apple-clf sweep --resume` goes on.
        ModuleNotFoundError: Optuna is not installed.
    """
    from contextlib import closing

    from apple_clf import sweeping
    from apple_clf.config.sweep import parse_sweep
    from apple_clf.io.parallel import available_cores
    from apple_clf.sweeping.folder import SweepRecord, create_sweep
    from apple_clf.sweeping.processes import Processes
    from apple_clf.sweeping.space import n_trials

    path = None if path is None else Path(path)
    source, filename = read_source(path), str(path or "defaults")
    plan = parse_sweep(source, filename=filename, overrides=overrides)
    count = min(workers or plan.config.workers or available_cores(), n_trials(plan.config))
    record = SweepRecord(filename, overrides, None)
    place = create_sweep(Path(folder), plan.experiment.name, source=source, record=record)
    with closing(Processes(count)) as executor:
        return sweeping.sweep(plan, place, executor=executor, reporter=reporter)


def read_history(run: Run) -> dict[str, list[float]]:
    """A value per epoch for each of epoch, loss, accuracy, val_loss, val_accuracy, learning_rate.

    Without validation images there are no val_ values. `pandas.DataFrame(read_history(run))` is
    the same as a table.

    Raises:
        ArtifactError: the run has no readable history.
    """
    from apple_clf.runs import files

    history = files.read_history(run)
    n_epochs = max(map(len, history.values()), default=0)
    return {"epoch": [float(epoch) for epoch in range(1, n_epochs + 1)], **history}


def read_metrics(run: Run) -> dict[str, Any]:
    """The content of a finished run's metrics.json.

    Its `metrics` hold for each name a `value` with the `low` and `high` of its 95 % interval, on
    the images of its `split`.

    Raises:
        ArtifactError: the run is not finished, or the file is damaged.
    """
    from apple_clf.runs import files

    return dict(files.read_metrics(run))


def export(
    run: Run, format_: str = "bundle", target: str | Path | None = None, *, replace: bool = False
) -> "Exported":
    """The run's model in a form for elsewhere, compared with Keras before it is kept.

    Args:
        run: finished.
        format_: a name in `apple_clf.exporting.forms.FORMS`, such as litert or onnx.
        target: the file or folder to make; named like the run if left out.
        replace: whether an export that is there may be replaced.

    Raises:
        ConfigError: there is no such format, or the target is there already.
        MissingExtraError: the format needs a part that is not installed.
        ArtifactError: the run has no usable model, or the export does not answer as Keras does.
        FileSystemError: the target cannot be written.
    """
    from apple_clf.exporting import writing
    from apple_clf.exporting.forms import FORMS

    if format_ not in FORMS:
        raise ConfigError(f"format: one of {', '.join(FORMS)}, not {format_!r}.")
    place = writing.default_target(run, format_) if target is None else Path(target)
    return writing.export(run, format_, target=place, replace=replace)
