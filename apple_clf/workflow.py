"""Experiment -> finished Run: data, training, files, evaluation, pictures, in this order."""

import io
import json
import logging
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from apple_clf.checkpoints import CHECKPOINT_SECONDS, Checkpoints
from apple_clf.checks import refuse_duplicates
from apple_clf.config import (
    dump_experiment,
    first_difference,
    load_experiment,
    parse_experiment,
)
from apple_clf.config.schema import (
    Cifar100Data,
    DecisionConfig,
    Experiment,
    QuickDrawData,
    TrainingConfig,
)
from apple_clf.csv_rows import csv_writer
from apple_clf.datasets import SPLITS, Dataset, load_dataset
from apple_clf.diagnosis import Record, diagnose, findings_json
from apple_clf.environment import changed_inputs, environment
from apple_clf.errors import ArtifactError, ConfigError, DivergedError
from apple_clf.fetching import fetch, is_fetched, licence
from apple_clf.files import printable, remove_leftovers, write_whole
from apple_clf.interruption import InterruptedTrainingError, interruptible
from apple_clf.progress import Reporter, Silent
from apple_clf.report import write_report
from apple_clf.runs import Run, create_run, locked
from apple_clf.saving import save_evaluation, save_model

if TYPE_CHECKING:
    from apple_clf.backend import keras
    from apple_clf.training import Training

logger = logging.getLogger(__name__)


def train(
    experiment: Experiment,
    *,
    source: bytes,
    folder: Path,
    reporter: Reporter | None = None,
    checkpoint_seconds: float | None = None,
) -> Run:
    """The finished run of an experiment.

    Args:
        experiment: what to train.
        source: the YAML it was read from, kept with the run.
        folder: where runs live.
        reporter: told how it goes.
        checkpoint_seconds: between two checkpoints; 10 if left out.

    Raises:
        ConfigError: the training does not fit the data; no run is made.
        DataError: the data cannot be used; no run is made.
        FileSystemError: the folder cannot be written.
        DivergedError: weights, losses or answers are NaN or infinite; the run keeps the last
            finite weights.
        InterruptedTrainingError: a signal asked to stop; the run can be resumed.
    """
    reporter = reporter or Silent()
    started = time.monotonic()
    dataset = _load(experiment, reporter)
    run = create_run(folder, experiment.name)
    with locked(run):
        write_whole(run.config, source)
        write_whole(run.resolved, dump_experiment(experiment))
        write_whole(run.dataset, _json(dataset.describe()))
        _finish(run, experiment, dataset, reporter, checkpoint_seconds, started)
    return run


def resume(
    run: Run,
    *,
    reporter: Reporter | None = None,
    checkpoint_seconds: float | None = None,
) -> Run:
    """The run, finished: the bytes are those of a training that was never stopped.

    A finished run is left as it is.

    Args:
        run: finished or not.
        reporter: told how it goes.
        checkpoint_seconds: between two checkpoints; 10 if left out.

    Raises:
        ArtifactError: it is no run, or its experiment or data are no longer what they were.
        LockedError: another process is at work on it.
        DataError, FileSystemError, DivergedError, InterruptedTrainingError: as for `train`.
    """
    reporter = reporter or Silent()
    if run.imported.exists():
        raise ArtifactError(
            f"{printable(run.path)}: an imported model, which was not trained here, so there is "
            "nothing to resume. To import it again: apple-clf import"
        )
    if run.is_finished:
        reporter.stage(f"{printable(run.path)} is finished already; nothing is changed.")
        return run
    started = time.monotonic()
    with locked(run):
        if not (run.resolved.exists() and run.dataset.exists()):
            raise ArtifactError(
                f"{printable(run.path)}: it stopped before its training began, so there is "
                "nothing to resume. Train again."
            )
        remove_leftovers(run.path)
        Checkpoints(run.checkpoints).discard_old()
        experiment = load_experiment(run.resolved)
        changed = _check_unchanged(run, experiment)
        dataset = _load(experiment, reporter)
        recorded = json.loads(run.dataset.read_bytes())["fingerprint"]
        if recorded != dataset.fingerprint:
            raise ArtifactError(
                f"{printable(run.path)}: the data have changed since it began: fingerprint "
                f"{dataset.fingerprint[:12]}, not {recorded[:12]}. Restore them, or train anew."
            )
        _finish(run, experiment, dataset, reporter, checkpoint_seconds, started, changed=changed)
    return run


def _load(experiment: Experiment, reporter: Reporter) -> Dataset:
    if isinstance(experiment.data, QuickDrawData | Cifar100Data):
        _fetch(experiment.data, reporter)
    dataset = load_dataset(
        experiment.data,
        experiment.preprocessing,
        seed=experiment.seed,
        on_progress=reporter.decoding,
    )
    refuse_duplicates(dataset, experiment.data)
    _check_fit(experiment.training, dataset)
    _check_threshold(experiment.decision, dataset)
    reporter.stage(_describe(dataset))
    return dataset


def _fetch(data: QuickDrawData | Cifar100Data, reporter: Reporter) -> None:
    """Downloads the public data that an experiment asks for, unless they are there."""
    if not is_fetched(data):
        reporter.stage(f"Fetching {data.source}, which the experiment asks for.")
        folder = fetch(data, watch=reporter.fetching)
        reporter.stage(f"Fetched into {printable(folder)}.\n{licence(data)}")


def _check_unchanged(run: Run, experiment: Experiment) -> Sequence[str]:
    """What computes otherwise than when the last checkpoint was written, or before.

    Raises:
        ArtifactError: the experiment was edited since.
    """
    state = Checkpoints(run.checkpoints).latest()
    if state is None:
        return ()
    before = parse_experiment(state.experiment, filename=printable(run.checkpoints))
    difference = first_difference(before, experiment)
    if difference is not None:
        raise ArtifactError(
            f"{printable(run.resolved)}: {difference} since the last checkpoint. "
            "Put it back, or train anew."
        )
    if changed := changed_inputs(state.environment):
        logger.warning(
            "%s: %s since the last checkpoint, so the result may differ from that of a training "
            "that was never stopped.",
            printable(run.path),
            printable("; ".join(changed)),
        )
    return [*state.environment.get("changed_on_resume", ()), *changed]


def _finish(
    run: Run,
    experiment: Experiment,
    dataset: Dataset,
    reporter: Reporter,
    checkpoint_seconds: float | None,
    started: float,
    *,
    changed: Sequence[str] = (),
) -> None:
    """Trains from the last checkpoint on, if there is one, and writes everything else."""
    clock = {"data": time.monotonic() - started}
    training, model = _train(
        run, experiment, dataset, reporter, checkpoint_seconds, changed=changed
    )
    clock["training"] = time.monotonic() - started - clock["data"]
    predictor, decision = save_model(
        run, model, dataset, experiment.preprocessing, experiment.decision
    )
    write_whole(run.history, _history_csv(training.history))
    write_whole(run.statistics, training.statistics.to_csv())
    write_whole(run.weights, training.snapshots.to_bytes())
    if training.diverged:
        _diagnose(run, experiment, dataset, training, metrics=None)
        raise _diverged(run, training, experiment.training)
    for note in decision.notes:
        reporter.stage(note)
    reporter.stage("Evaluating and drawing.")
    try:
        summary = save_evaluation(run, predictor, dataset, training, decision)
    except ArtifactError as error:  # finite weights, yet no finite answers
        _diagnose(run, experiment, dataset, training, metrics=None)
        raise DivergedError(f"{printable(run.path)}: training diverged: {error}") from error
    _diagnose(run, experiment, dataset, training, metrics=summary)
    clock["all"] = time.monotonic() - started
    write_whole(run.environment, _json(environment(experiment, clock, changed=changed)))
    metrics = _json(summary)
    write_report(run, metrics=json.loads(metrics))
    write_whole(run.metrics, metrics)


def _diagnose(
    run: Run,
    experiment: Experiment,
    dataset: Dataset,
    training: "Training",
    *,
    metrics: Mapping[str, Any] | None,
) -> None:
    """Writes what was found; without metrics the training diverged, and its report follows."""
    record = Record(experiment, training.history, training.statistics, dataset.counts(), metrics)
    write_whole(run.findings, findings_json(record, diagnose(record)))
    if metrics is None:
        write_report(run)


def _check_fit(config: TrainingConfig, dataset: Dataset) -> None:
    """Refuses what only the data can show to be wrong, before a run is made."""
    if isinstance(config.class_weight, dict):
        unknown = [name for name in config.class_weight if name not in dataset.class_names]
        if unknown:
            raise ConfigError(
                f"training.class_weight names {unknown[0]!r}, which is no class of the data. "
                f"Its classes: {', '.join(map(printable, dataset.class_names))}."
            )
    for key in ("early_stopping", "reduce_on_plateau"):
        watcher = getattr(config, key)
        if watcher and watcher.monitor.startswith("val_") and not len(dataset.validation):
            raise ConfigError(
                f"training.{key} watches {watcher.monitor}, but there are no validation images. "
                f"Keep some, or set training.{key}.monitor to {watcher.monitor[4:]}."
            )


def _check_threshold(config: DecisionConfig, dataset: Dataset) -> None:
    """Refuses a threshold that these data leave without a meaning."""
    names = dataset.class_names
    if len(names) > 2 and config.threshold != DecisionConfig().threshold:
        raise ConfigError(
            f"decision.threshold is for two classes, but the data have {len(names)}. Leave it out."
        )
    present = set(dataset.validation.labels.tolist())
    if config.goal is not None and len(present) < 2:
        missing = "there are none" if not present else f"all are {printable(names[present.pop()])}"
        raise ConfigError(
            f"decision.threshold {config.goal} is chosen on validation images of both classes, "
            f"but {missing}. Keep some of both, or give the threshold as a number."
        )


def _train(
    run: Run,
    experiment: Experiment,
    dataset: Dataset,
    reporter: Reporter,
    checkpoint_seconds: float | None,
    *,
    changed: Sequence[str],
) -> "tuple[Training, keras.Model]":
    config = experiment.training
    with interruptible() as interruption:
        from apple_clf.backend import keras
        from apple_clf.model import build_model
        from apple_clf.training import fit

        keras.utils.set_random_seed(experiment.seed)
        model = build_model(
            experiment.model,
            input_shape=experiment.preprocessing.shape,
            n_classes=len(dataset.class_names),
        )
        reporter.stage(
            f"Training {model.count_params():,} weights for up to {config.epochs} epochs."
        )
        training = fit(
            model,
            config,
            train=dataset.train,
            validation=dataset.validation,
            class_names=dataset.class_names,
            seed=experiment.seed,
            on_epoch=lambda epoch, logs: reporter.epoch(epoch, config.epochs, logs),
            checkpoints=Checkpoints(
                run.checkpoints,
                experiment=dump_experiment(experiment),
                environment=environment(experiment, {}, changed=changed),
            ),
            checkpoint_seconds=(
                CHECKPOINT_SECONDS if checkpoint_seconds is None else checkpoint_seconds
            ),
            should_stop=lambda: bool(interruption),
        )
    if training.interrupted and interruption.signal_number is not None:
        raise InterruptedTrainingError(
            f"{printable(run.path)}: training stopped at epoch {len(training.history['loss'])} "
            f"of {config.epochs}. Go on: apple-clf resume {quote(printable(run.path))}",
            signal_number=interruption.signal_number,
        )
    return training, model


def _diverged(run: Run, training: "Training", config: TrainingConfig) -> DivergedError:
    kept = (
        f"The weights after epoch {training.best_epoch} are kept"
        if training.best_epoch
        else "The untrained weights are kept"
    )
    rate = config.learning_rate
    cure = f": --set training.learning_rate={rate / 10:g}" if isinstance(rate, float) else ""
    return DivergedError(
        f"{printable(run.path)}: training diverged (NaN or infinity) in epoch "
        f"{len(training.history['loss']) + 1} of {config.epochs}. {kept}. "
        f"Try a tenth of the learning rate{cure}, or --set training.optimizer.clipnorm=1. "
        f"Why: apple-clf diagnose {quote(printable(run.path))}"
    )


def _history_csv(history: Mapping[str, Sequence[float]]) -> str:
    """A row per epoch; no times, since two runs of one experiment give the same bytes."""
    text = io.StringIO()
    writer = csv_writer(text)
    writer.writerow(["epoch", *history])
    for epoch, values in enumerate(zip(*history.values(), strict=True), start=1):
        writer.writerow([epoch, *values])
    return text.getvalue()


def _describe(dataset: Dataset) -> str:
    sizes = ", ".join(f"{len(getattr(dataset, name)):,} {name}" for name in SPLITS)
    classes = ", ".join(map(printable, dataset.class_names))
    text = f"Data: {sizes} images of {classes}."
    if dataset.bad_files:
        text += f" Left out {len(dataset.bad_files)} that cannot be decoded."
    if dataset.skipped:
        text += f" Passed over {len(dataset.skipped)} other files and folders."
    return text


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
