"""Experiment -> finished Run: data, training, files, evaluation, pictures, in this order."""

import io
import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from signal import SIGTERM
from typing import TYPE_CHECKING, Any

from apple_clf.config import (
    dump_experiment,
    first_difference,
    load_recorded,
    parse_recorded,
)
from apple_clf.config.schema import Experiment, TrainingConfig
from apple_clf.data import Dataset, Split, load_dataset
from apple_clf.data.pens import drawn_by_other_pens
from apple_clf.data.split import joined
from apple_clf.diagnosis import Record, diagnose, findings_json
from apple_clf.errors import ArtifactError, DivergedError
from apple_clf.io.csv_rows import csv_writer
from apple_clf.io.files import json_text, printable, remove_leftovers, write_whole
from apple_clf.io.interruption import InterruptedTrainingError, interruptible
from apple_clf.io.progress import Reporter, Silent
from apple_clf.pipeline.preparation import prepare_data
from apple_clf.pipeline.saving import save_evaluation, save_model, save_pictures
from apple_clf.report import write_report
from apple_clf.runs import Run, create_run, locked
from apple_clf.runs.checkpoints import CHECKPOINT_SECONDS, Checkpoints
from apple_clf.runs.environment import changed_inputs, check_trains, environment
from apple_clf.runs.files import read_dataset
from apple_clf.tracking import Tracker, check_installed, tracked

if TYPE_CHECKING:
    from apple_clf.model.backend import keras
    from apple_clf.training import Training
    from apple_clf.training.trainers import Trainers

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Manner:
    """How a training is carried out, which changes nothing that is learnt or measured."""

    checkpoint_seconds: float = CHECKPOINT_SECONDS  # between two checkpoints
    load: Callable[..., Dataset] = load_dataset  # or what remembers its answers
    should_stop: Callable[[], bool] = lambda: False  # asked after each epoch, besides signals
    draw: Callable[..., None] = save_pictures
    report: Callable[..., None] = write_report
    trainers: "Trainers | None" = None  # that remember what was compiled


def train(
    experiment: Experiment,
    *,
    source: bytes,
    folder: Path,
    number: int | None = None,
    reporter: Reporter | None = None,
    manner: Manner = Manner(),
) -> Run:
    """The finished run of an experiment.

    Args:
        experiment: what to train.
        source: the YAML it was read from, kept with the run.
        folder: where runs live.
        number: of the run; the next one if left out.
        reporter: told how it goes.
        manner: how it is carried out.

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
    check_trains()
    check_installed(experiment.tracking)
    dataset = prepare_data(experiment, reporter, load=manner.load)
    run = create_run(folder, experiment.name, number=number)
    with locked(run):
        write_whole(run.config, source)
        write_whole(run.resolved, dump_experiment(experiment))
        write_whole(run.dataset, json_text(dataset.as_dict()))
        with tracked(run, experiment, reporter) as tracker:
            _finish(_Job(run, experiment, dataset, tracker, manner, started))
    return run


def resume(
    run: Run,
    *,
    reporter: Reporter | None = None,
    manner: Manner = Manner(),
) -> Run:
    """The run, finished: the bytes are those of a training that was never stopped.

    A finished run is left as it is.

    Args:
        run: finished or not.
        reporter: told how it goes.
        manner: how it is carried out.

    Raises:
        ArtifactError: it is not a run, or its experiment or data are no longer what they were.
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
        experiment = load_recorded(run.resolved)
        check_installed(experiment.tracking)
        changed = _check_unchanged(run, experiment)
        dataset = prepare_data(experiment, reporter, load=manner.load)
        recorded = read_dataset(run)["fingerprint"]
        if recorded != dataset.fingerprint:
            raise ArtifactError(
                f"{printable(run.path)}: the data have changed since it began: fingerprint "
                f"{dataset.fingerprint[:12]}, not {recorded[:12]}. Restore them, or train anew."
            )
        with tracked(run, experiment, reporter) as tracker:
            _finish(_Job(run, experiment, dataset, tracker, manner, started, changed))
    return run


def _check_unchanged(run: Run, experiment: Experiment) -> Sequence[str]:
    """What computes otherwise than when the last checkpoint was written, or before.

    Raises:
        ArtifactError: the experiment was edited since.
    """
    state = Checkpoints(run.checkpoints).latest()
    if state is None:
        return ()
    before = parse_recorded(state.experiment, filename=printable(run.checkpoints))
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


@dataclass(frozen=True)
class _Job:
    """A run whose data stand ready, and what its training is told and tells."""

    run: Run
    experiment: Experiment
    dataset: Dataset
    tracker: Tracker
    manner: Manner
    started: float  # by the monotonic clock
    changed: Sequence[str] = ()  # of the environment, since the first checkpoint

    def seconds(self) -> float:
        """Since the data began to be read."""
        return time.monotonic() - self.started


def _finish(job: _Job) -> None:
    """Trains from the last checkpoint on, if there is one, and writes everything else."""
    run, dataset = job.run, job.dataset
    copies = _copies(job)
    clock = {"data": job.seconds()}
    training, model = _train(job, copies)
    clock["training"] = job.seconds() - clock["data"]
    predictor, decision = save_model(
        run, model, dataset, dataset.preprocessing, job.experiment.decision, copies=copies
    )
    write_whole(run.history, _history_csv(training.history))
    write_whole(run.statistics, training.statistics.to_csv())
    write_whole(run.weights, training.snapshots.to_bytes())
    if training.diverged:
        _diagnose(job, training, metrics=None)
        raise _diverged(run, training, job.experiment.training)
    for note in decision.notes:
        job.tracker.stage(note)
    job.tracker.stage("Evaluating and drawing.")
    try:
        summary = save_evaluation(run, predictor, dataset, training, decision, draw=job.manner.draw)
    except ArtifactError as error:  # finite weights, yet no finite answers
        _diagnose(job, training, metrics=None)
        raise DivergedError(f"{printable(run.path)}: training diverged: {error}") from error
    _diagnose(job, training, metrics=summary)
    clock["all"] = job.seconds()
    write_whole(run.environment, json_text(environment(job.experiment, clock, changed=job.changed)))
    metrics = json_text(summary)
    job.manner.report(run, metrics=json.loads(metrics))
    job.tracker.results(json.loads(metrics))
    write_whole(run.metrics, metrics)


def _diagnose(job: _Job, training: "Training", *, metrics: Mapping[str, Any] | None) -> None:
    """Writes what was found; without metrics the training diverged, and its report follows."""
    record = Record(
        experiment=job.experiment,
        history=training.history,
        statistics=training.statistics,
        images=job.dataset.counts(),
        metrics=metrics,
        appearance=job.dataset.appearance_as_dict(),
    )
    write_whole(job.run.findings, findings_json(record, diagnose(record)))
    if metrics is None:
        write_report(job.run)


def _copies(job: _Job) -> Split | None:
    """The training drawings drawn again by other pens, as often as the experiment asks for."""
    copies = job.experiment.training.redrawn_copies
    if not copies:
        return None
    job.tracker.stage("Drawing the training images again with other pens.")
    return drawn_by_other_pens(job.dataset.train, copies, seed=job.experiment.seed)


def _train(job: _Job, copies: Split | None) -> "tuple[Training, keras.Model]":
    experiment, dataset, config = job.experiment, job.dataset, job.experiment.training
    with interruptible() as interruption:
        from apple_clf.model.backend import keras
        from apple_clf.model.building import build_model
        from apple_clf.training import fit

        keras.utils.set_random_seed(experiment.seed)
        model = build_model(
            experiment.model,
            input_shape=experiment.preprocessing.shape,
            n_classes=len(dataset.class_names),
        )
        job.tracker.stage(
            f"Training {model.count_params():,} weights for up to {config.epochs} epochs."
        )
        training = fit(
            model,
            config,
            train=dataset.train if copies is None else joined(dataset.train, copies),
            validation=dataset.validation,
            class_names=dataset.class_names,
            seed=experiment.seed,
            on_epoch=lambda epoch, logs: job.tracker.epoch(epoch, config.epochs, logs),
            checkpoints=Checkpoints(
                job.run.checkpoints,
                experiment=dump_experiment(experiment),
                environment=environment(experiment, {}, changed=job.changed),
            ),
            checkpoint_seconds=job.manner.checkpoint_seconds,
            should_stop=lambda: bool(interruption) or job.manner.should_stop(),
            trainers=job.manner.trainers,
        )
    if training.interrupted:
        raise InterruptedTrainingError(
            f"{printable(job.run.path)}: training stopped at epoch "
            f"{len(training.history['loss'])} of {config.epochs}. "
            f"Go on: apple-clf resume {quote(printable(job.run.path))}",
            signal_number=interruption.signal_number or SIGTERM,
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
