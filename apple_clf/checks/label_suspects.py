"""Labels that a network, trained on the other images, confidently contradicts."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from apple_clf.arrays import FloatArray, IntArray, UInt8Array
from apple_clf.checks.folds import stratified_folds
from apple_clf.config.schema import Experiment
from apple_clf.data import Split
from apple_clf.errors import DivergedError

OnEpoch = Callable[[int, Mapping[str, float]], None]

BATCH = 1024  # images predicted at a time


@dataclass(frozen=True)
class Suspects:
    """Images whose label is doubted, the most doubtful first."""

    indices: IntArray  # (k,)
    predicted: IntArray  # (k,), the class that each is taken for
    margins: FloatArray  # (k,), probability of that class less that of the label

    def first(self, length: int) -> "Suspects":
        """The most doubtful ones."""
        return Suspects(self.indices[:length], self.predicted[:length], self.margins[:length])


def label_suspects(labels: IntArray, probabilities: FloatArray) -> Suspects:
    """Images that confident learning counts as mislabelled.

    A class is a confident guess for an image if its probability reaches the mean probability that
    images labelled with the class get for it. An image is suspect if its most probable confident
    guess is another class than its label. Not seen: errors that are the rule (a class named for
    another throughout), and those the network cannot tell; hard and odd pictures with the right
    label are listed too.

    Args:
        labels: class codes, (n,).
        probabilities: of networks that were not trained on the image, (n, n_classes).

    Source: Northcutt, Jiang and Chuang 2021, JAIR 70, 1373-1411, eq. 1 and 2; ranking by
        normalised margin, section 3.2.
    """
    predicted = confident_guesses(labels, probabilities)
    indices = np.flatnonzero((predicted >= 0) & (predicted != labels))
    guesses = predicted[indices]
    margins = probabilities[indices, guesses] - probabilities[indices, labels[indices]]
    order = np.argsort(-margins, kind="stable")
    return Suspects(indices[order], guesses[order], margins[order])


def confident_guesses(labels: IntArray, probabilities: FloatArray) -> IntArray:
    """Most probable confident guess for each image, as `label_suspects` says, (n,); -1 for none.

    Args:
        labels: class codes, (n,).
        probabilities: of networks that were not trained on the image, (n, n_classes).
    """
    n, n_classes = probabilities.shape
    own = probabilities[np.arange(n), labels]
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.bincount(labels, weights=own, minlength=n_classes)
    thresholds = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    guesses: IntArray = np.where(confident.max(axis=1) >= 0, confident.argmax(axis=1), -1)
    return guesses


def cross_validated_probabilities(
    experiment: Experiment,
    images: Split,
    *,
    first: IntArray,
    class_names: tuple[str, ...],
    n_folds: int,
    on_fold: Callable[[int], None] = lambda fold: None,
    on_epoch: OnEpoch = lambda epoch, logs: None,
) -> FloatArray:
    """Class probabilities of each image from a network that never saw it, (n, n_classes).

    For each fold the experiment's own network is trained anew: one fold is predicted, the next
    watched for early stopping and the like, if the experiment does so, the others are learnt.

    Args:
        experiment: its network and training are used.
        images: with labels.
        first: index of the first image with the same pixels, (n,); copies share a fold.
        class_names: in the order of the codes.
        n_folds: 3 or more.
        on_fold: told the number of each fold, from 1, before its training.
        on_epoch: called after each epoch, counted from 1, with the epoch's values.

    Raises:
        DivergedError: a training or its answers came to NaN or infinity.
        MemoryLimitError: the network or a batch does not fit into memory.
    """
    watches = any(
        watcher and watcher.monitor.startswith("val_")
        for watcher in (experiment.training.early_stopping, experiment.training.reduce_on_plateau)
    )
    folds = stratified_folds(images.labels, first=first, n_folds=n_folds, seed=experiment.seed)
    probabilities = np.empty((len(images), len(class_names)), np.float32)
    for fold in range(n_folds):
        on_fold(fold + 1)
        held_out, watched = folds == fold, watches & (folds == (fold + 1) % n_folds)
        probabilities[held_out] = _answers(
            experiment,
            train=images.take(np.flatnonzero(~held_out & ~watched)),
            validation=images.take(np.flatnonzero(watched)),
            unseen=images.images[held_out],
            class_names=class_names,
            on_epoch=on_epoch,
        )
    return probabilities


def _answers(
    experiment: Experiment,
    *,
    train: Split,
    validation: Split,
    unseen: UInt8Array,
    class_names: tuple[str, ...],
    on_epoch: OnEpoch,
) -> FloatArray:
    """Class probabilities of unseen images from a network trained anew, (n, n_classes)."""
    from apple_clf.model.backend import forget_models, keras
    from apple_clf.model.building import build_model
    from apple_clf.training import fit

    keras.utils.set_random_seed(experiment.seed)
    model = build_model(experiment.model, input_shape=unseen.shape[1:], n_classes=len(class_names))
    training = fit(
        model,
        experiment.training,
        train=train,
        validation=validation,
        class_names=class_names,
        seed=experiment.seed,
        on_epoch=on_epoch,
    )
    answers = np.empty((len(unseen), len(class_names)), np.float32)
    for start in range(0, len(unseen), BATCH):
        answers[start : start + BATCH] = model(unseen[start : start + BATCH], training=False)
    if training.diverged or not np.isfinite(answers).all():
        raise DivergedError(
            "the training that looks for wrong labels diverged (NaN or infinity). Try a "
            "tenth of training.learning_rate, or leave this check out: --folds 0."
        )
    forget_models()
    return answers
