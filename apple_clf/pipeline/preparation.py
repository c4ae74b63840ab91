"""Experiment -> the data that its training takes, or why it cannot."""

from collections.abc import Callable

from apple_clf.checks import refuse_duplicates
from apple_clf.config.schema import DecisionConfig, Experiment, FetchedData, TrainingConfig
from apple_clf.data import SPLITS, Dataset, load_dataset
from apple_clf.data.fetching import fetch, is_fetched, licence
from apple_clf.errors import ConfigError
from apple_clf.io.files import printable
from apple_clf.io.progress import Reporter


def prepare_data(
    experiment: Experiment, reporter: Reporter, *, load: Callable[..., Dataset] = load_dataset
) -> Dataset:
    """The data of an experiment, downloaded if need be and fit to train on.

    Args:
        experiment: what is to be trained.
        reporter: told how it goes.
        load: `load_dataset`, or what remembers its answers.

    Raises:
        ConfigError: the training or the decision does not fit the data.
        DataError: the data cannot be used.
        FileSystemError: they cannot be read, or not be kept.
    """
    if isinstance(experiment.data, FetchedData):
        _fetch(experiment.data, reporter)
    dataset = load(
        experiment.data,
        experiment.preprocessing,
        seed=experiment.seed,
        on_progress=reporter.decoding,
    )
    refuse_duplicates(dataset, experiment.data)
    _check_fit(experiment.training, dataset)
    _check_threshold(experiment.decision, dataset)
    reporter.stage(_in_words(dataset))
    return dataset


def _fetch(data: FetchedData, reporter: Reporter) -> None:
    """Downloads the public data that an experiment asks for, unless they are there."""
    if not is_fetched(data):
        reporter.stage(f"Fetching {data.source}, which the experiment asks for.")
        folder = fetch(data, on_progress=reporter.fetching)
        reporter.stage(f"Fetched into {printable(folder)}.\n{licence(data)}")


def _check_fit(config: TrainingConfig, dataset: Dataset) -> None:
    """Refuses what only the data can show to be wrong, before a run is made."""
    if isinstance(config.class_weight, dict):
        unknown = [name for name in config.class_weight if name not in dataset.class_names]
        if unknown:
            raise ConfigError(
                f"training.class_weight names {unknown[0]!r}, which is not a class of the data. "
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


def _in_words(dataset: Dataset) -> str:
    sizes = ", ".join(f"{len(getattr(dataset, name)):,} {name}" for name in SPLITS)
    classes = ", ".join(map(printable, dataset.class_names))
    text = f"Data: {sizes} images of {classes}."
    if dataset.bad_files:
        text += f" Left out {len(dataset.bad_files)} that cannot be decoded."
    if dataset.skipped:
        text += f" Passed over {len(dataset.skipped)} other files and folders."
    return text
