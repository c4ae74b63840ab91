"""Experiment -> finished Run: data, training, files, evaluation, pictures, in this order."""

import hashlib
import io
import json
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from apple_clf.checkpoints import CHECKPOINT_SECONDS, Checkpoints
from apple_clf.config import (
    dump_experiment,
    first_difference,
    load_experiment,
    parse_experiment,
)
from apple_clf.config.schema import Experiment, TrainingConfig
from apple_clf.csv_rows import csv_writer
from apple_clf.datasets import SPLITS, Dataset, load_dataset
from apple_clf.environment import environment
from apple_clf.errors import ArtifactError, ConfigError, DivergedError
from apple_clf.evaluation import draw, draw_history, evaluate, evaluate_briefly
from apple_clf.files import printable, remove_leftovers, write_whole
from apple_clf.inference import Predictor
from apple_clf.interruption import InterruptedTrainingError, interruptible
from apple_clf.model_record import ModelRecord
from apple_clf.preprocessing import Preprocessing
from apple_clf.progress import Reporter, Silent
from apple_clf.runs import Run, create_run, locked

if TYPE_CHECKING:
    from apple_clf.backend import keras
    from apple_clf.training import Training


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
        _check_unchanged(run, experiment)
        dataset = _load(experiment, reporter)
        recorded = json.loads(run.dataset.read_bytes())["fingerprint"]
        if recorded != dataset.fingerprint:
            raise ArtifactError(
                f"{printable(run.path)}: the data have changed since it began: fingerprint "
                f"{dataset.fingerprint[:12]}, not {recorded[:12]}. Restore them, or train anew."
            )
        _finish(run, experiment, dataset, reporter, checkpoint_seconds, started)
    return run


def _load(experiment: Experiment, reporter: Reporter) -> Dataset:
    dataset = load_dataset(
        experiment.data,
        experiment.preprocessing,
        seed=experiment.seed,
        on_progress=reporter.decoding,
    )
    _check_fit(experiment.training, dataset)
    reporter.stage(_describe(dataset))
    return dataset


def _check_unchanged(run: Run, experiment: Experiment) -> None:
    """Refuses a run whose experiment was edited after its last checkpoint."""
    state = Checkpoints(run.checkpoints).latest()
    if state is None:
        return
    before = parse_experiment(state.experiment, filename=printable(run.checkpoints))
    difference = first_difference(before, experiment)
    if difference is not None:
        raise ArtifactError(
            f"{printable(run.resolved)}: {difference} since the last checkpoint. "
            "Put it back, or train anew."
        )


def _finish(
    run: Run,
    experiment: Experiment,
    dataset: Dataset,
    reporter: Reporter,
    checkpoint_seconds: float | None,
    started: float,
) -> None:
    """Trains from the last checkpoint on, if there is one, and writes everything else."""
    clock = {"data": time.monotonic() - started}
    training, model = _train(run, experiment, dataset, reporter, checkpoint_seconds)
    clock["training"] = time.monotonic() - started - clock["data"]
    predictor = _save(run, model, dataset, experiment.preprocessing)
    write_whole(run.history, _history_csv(training.history))
    if training.diverged:
        raise _diverged(run, training, experiment.training)
    reporter.stage("Evaluating and drawing.")
    try:
        summary = _evaluate(run, predictor, dataset, training)
    except ArtifactError as error:  # finite weights, yet no finite answers
        raise DivergedError(f"{printable(run.path)}: training diverged: {error}") from error
    clock["all"] = time.monotonic() - started
    write_whole(run.environment, _json(environment(experiment, clock)))
    write_whole(run.metrics, _json(summary))


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


def _train(
    run: Run,
    experiment: Experiment,
    dataset: Dataset,
    reporter: Reporter,
    checkpoint_seconds: float | None,
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
            checkpoints=Checkpoints(run.checkpoints, experiment=dump_experiment(experiment)),
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


def _save(
    run: Run, model: "keras.Model", dataset: Dataset, preprocessing: Preprocessing
) -> Predictor:
    """Writes the model's three files and returns what `predict` will use."""
    from apple_clf.model.files import keras_bytes, litert_bytes

    keras_file, litert_file = keras_bytes(model), litert_bytes(model)
    record = ModelRecord(
        class_names=dataset.class_names,
        positive_class=dataset.positive_class,
        preprocessing=preprocessing,
        threshold=0.5 if len(dataset.class_names) == 2 else None,
        temperature=1.0,
        keras_version=version("keras"),
        keras_sha256=hashlib.sha256(keras_file).hexdigest(),
        litert_sha256=hashlib.sha256(litert_file).hexdigest(),
    )
    write_whole(run.keras_model, keras_file)
    write_whole(run.litert_model, litert_file)
    write_whole(run.model_record, record.to_json())
    return Predictor(record, litert_file)


def _evaluate(
    run: Run, predictor: Predictor, dataset: Dataset, training: "Training"
) -> dict[str, object]:
    """Writes predictions and pictures, and returns the content of metrics.json."""
    held_out = [name for name in ("test", "validation") if len(getattr(dataset, name))]
    split_name = held_out[0] if held_out else "train"
    evaluation = evaluate(predictor, getattr(dataset, split_name))
    write_whole(run.predictions, evaluation.predictions_csv())
    n_epochs = len(training.history["loss"])
    best = training.best_epoch if training.best_epoch < n_epochs else None
    curves = draw_history(training.history, best_epoch=best)
    for name, picture in {"learning_curves": curves, **draw(evaluation)}.items():
        write_whole(run.plot(name), picture)
    on_training = evaluate_briefly(predictor, dataset.train)
    memorisation = evaluation.memorisation(on_training["balanced_accuracy"])
    return {
        "split": split_name,
        **evaluation.describe(),
        "memorisation": memorisation if held_out else None,
        "training": {
            "epochs": n_epochs,
            "best_epoch": training.best_epoch,
            "stopped_early": training.stopped_early,
            "last_epoch": {name: values[-1] for name, values in training.history.items()},
            "metrics": on_training,
        },
        "data": {
            "fingerprint": dataset.fingerprint,
            "images": {name: len(getattr(dataset, name)) for name in SPLITS},
            "bad_files": len(dataset.bad_files),
            "skipped": len(dataset.skipped),
        },
    }


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
        f"Try a tenth of the learning rate{cure}, or --set training.optimizer.clipnorm=1."
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
