"""What the curves say: steps too large, small or few, and too much or too little learnt."""

from collections.abc import Sequence

import numpy as np

from apple_clf.config.schema import Dense, Dropout, Experiment, GeneratedData
from apple_clf.config.schema.augmentation import (
    AugmentationRecord,
    RandomRotation,
    RandomTranslation,
    RandomZoom,
)
from apple_clf.config.schema.layers import LayerRecord
from apple_clf.diagnosis.data import memorised
from apple_clf.diagnosis.edits import (
    Edit,
    first_valid,
    higher_rate,
    highest_rate,
    layers_edit,
    lower_rate,
    other_layers,
    simple_layers,
)
from apple_clf.diagnosis.finding import Finding, Severity
from apple_clf.diagnosis.gradients import EXPLODING
from apple_clf.diagnosis.record import Record
from apple_clf.diagnosis.rule import POOR_ANSWERS, STUCK, UNFINISHED, Rule
from apple_clf.diagnosis.units import SATURATED, many_dead

TOO_LONG_A_STRIDE = 0.4
"""Share of the weights that a step changes. Usual rates give 0.005 to 0.05, and a sigmoid layer
that learns well up to 0.15."""

TOO_SHORT_A_STEP = 2e-4
"""Share of the weights by which the best epoch changed them, per step: a thousandth is usual."""

POOR = 0.7
"""Skill on the training images: of two classes, 0.85 right. Below, there was more to learn."""

GOOD = 0.8
"""Skill on the training images, 0.9 right, from which on more training is not what is missing."""

FEW_STEPS = 200
"""In all. Small networks take some hundred steps to come near their best."""

USUAL_BATCH = 32
LARGE_BATCH = 4 * USUAL_BATCH

STILL_FALLING, FALLING_EACH_EPOCH = 0.1, 0.02
"""Share of the loss lost in the last quarter of the epochs, and in each of these epochs."""

BEGUN = 0.2
"""Skill on the training images below which a falling loss need not be learning: in the first epochs
it also falls because the answers of an untrained network are too sure."""

IMBALANCED = 0.8
"""Share of the largest class from which on the classes themselves explain what is not learnt."""


def learning_rate_too_high(record: Record) -> Finding | None:
    """Divergence, or steps as long as the weights that leave the network damaged."""
    if record.diverged:
        if record.total_gradients[0] > EXPLODING:
            return None
    else:
        harmed = (
            many_dead(record)
            or record.worst_hidden("saturated")[1] >= SATURATED
            or record.skill < POOR
        )
        if record.stride < TOO_LONG_A_STRIDE or not harmed:
            return None
    evidence: dict[str, float | int | str] = {"learning_rate": highest_rate(record.experiment)}
    if record.diverged:
        evidence["NaN_or_infinity_in_epoch"] = record.n_epochs + 1
    else:
        evidence["a_step_changed_the_weights_by_a_share_of"] = record.stride
        evidence["last_loss"] = record.history["loss"][-1]
    return Finding(
        "learning_rate_too_high",
        Severity.problem,
        evidence,
        "The steps are so large that they overshoot the minimum, and the network does not learn. "
        "Lower the learning rate.",
        first_valid(record.experiment, lower_rate(record.experiment)),
    )


def learning_rate_too_low(record: Record) -> Finding | None:
    """Steps so short that the weights stay where they were drawn."""
    if record.diverged or record.skill >= POOR or record.n_epochs == 0:
        return None
    ratios = record.statistics.column("update_ratio")[1:]
    step = float(ratios.max(initial=0, where=np.isfinite(ratios))) / record.steps_per_epoch
    if step >= TOO_SHORT_A_STEP:
        return None
    return Finding(
        "learning_rate_too_low",
        Severity.problem,
        {
            "learning_rate": highest_rate(record.experiment),
            "a_step_changed_the_weights_by_a_share_of": step,
            "training_accuracy": record.on_training("accuracy"),
        },
        "The steps are so small that the weights have hardly changed: the loss falls, but far too "
        "slowly. Raise the learning rate.",
        first_valid(record.experiment, higher_rate(record.experiment)),
    )


def batch_too_large(record: Record) -> Finding | None:
    """Few steps in all, because each looks at so many images."""
    batch = min(record.experiment.training.batch_size, record.n_train)
    steps = record.steps_per_epoch * record.n_epochs
    if record.diverged or record.skill >= GOOD or batch < LARGE_BATCH or steps >= FEW_STEPS:
        return None
    return Finding(
        "batch_too_large",
        Severity.warning,
        {
            "batch_size": record.experiment.training.batch_size,
            "training_images": record.n_train,
            "steps_in_all": steps,
            "training_accuracy": record.on_training("accuracy"),
        },
        "The network takes one step per batch, so batches this large leave few steps to learn in. "
        "Smaller batches give more steps for the same work.",
        first_valid(record.experiment, (f"training.batch_size={USUAL_BATCH}",)),
    )


def stopped_too_early(record: Record) -> Finding | None:
    """A loss that was still falling fast when the epochs ran out."""
    if record.metrics is None or record.majority >= IMBALANCED:
        return None
    if not BEGUN <= record.skill < GOOD:
        return None
    n = record.n_epochs
    last = max(1, n // 4)
    fallen = _fallen(record.history["loss"], last)
    if record.metrics["training"]["stopped_early"] or (
        fallen < STILL_FALLING and fallen / last < FALLING_EACH_EPOCH
    ):
        return None
    return Finding(
        "stopped_too_early",
        Severity.warning,
        {
            "epochs": n,
            "share_of_the_loss_lost_in_the_last_quarter_of_them": fallen,
            "training_accuracy": record.on_training("accuracy"),
        },
        "The loss was still falling fast when the epochs ran out, so there was more to learn. "
        "Train for more epochs; early stopping ends the training once it no longer helps.",
        first_valid(record.experiment, (f"training.epochs={max(20, 4 * n)}",)),
    )


def underfitting(record: Record) -> Finding | None:
    """Even the training images are not learnt, and the loss no longer falls."""
    if record.diverged or record.skill >= POOR:
        return None
    return Finding(
        "underfitting",
        Severity.warning,
        {
            "training_accuracy": record.on_training("accuracy"),
            "weights_can_adapt_in_layers": len(record.experiment.model.layers),
            "last_loss": record.history["loss"][-1],
        },
        "The network does not get even its training images right. It is too small, or penalties or "
        "dropout hold it back. Use more units, and less regularization.",
        first_valid(record.experiment, _freer(record.experiment)),
    )


def overfitting(record: Record) -> Finding | None:
    """The training images are known far better than new ones, of which it still knows something."""
    new = record.measured("balanced_accuracy")
    if new is None or not memorised(record):
        return None
    return Finding(
        "overfitting",
        Severity.warning,
        {
            "balanced_accuracy_on_training_images": record.on_training("balanced_accuracy"),
            "on_new_images": new.value,
            "training_images": record.n_train,
        },
        "The network reaches a balanced accuracy of "
        f"{100 * record.on_training('balanced_accuracy'):.0f} % on its training images and "
        f"{100 * new.value:.0f} % on new ones: it learnt details that only its training images "
        "have. More images are the best cure; augmentation, dropout and early stopping help too.",
        first_valid(record.experiment, *_cures(record)),
    )


def _fallen(loss: Sequence[float], last: int) -> float:
    """Share of the loss that the last epochs took away; 0 if there are no others."""
    if len(loss) <= last or min(loss[:-last]) <= 0:
        return 0.0
    return 1 - min(loss[-last:]) / min(loss[:-last])


def _freer(experiment: Experiment) -> Edit:
    """The network with more units and without what holds it back."""
    if not any(layer.initializers for layer in simple_layers(experiment)):
        return ("model.units=[32, 16]",)

    def change(layer: LayerRecord) -> tuple[LayerRecord, ...]:
        if isinstance(layer, Dropout):
            return ()
        update: dict[str, object] = dict.fromkeys(layer.penalties)
        if layer.width is not None:
            update[layer.width] = min(1024, max(32, 2 * getattr(layer, layer.width)))
        return (layer.model_copy(update=update),)

    return other_layers(experiment, change)


CHANGES = (
    RandomRotation(factor=0.08),
    RandomTranslation(height_factor=0.1, width_factor=0.1),
    RandomZoom(height_factor=0.1),
)
"""Small enough for any picture to stay what it is; not mirrored, as a letter would not."""


def _cures(record: Record) -> tuple[Edit, ...]:
    """More images where they can be had for nothing, else what makes the most of the few."""
    experiment = record.experiment
    if isinstance(experiment.data, GeneratedData):
        return ((f"data.train_samples={max(4000, 10 * record.n_train)}",),)

    stopping = ("training.early_stopping={patience: 5}",)
    if any(isinstance(layer, AugmentationRecord) for layer in experiment.model.layers):
        layers = other_layers(experiment, _with_dropout)
    else:
        layers = layers_edit((*CHANGES, *experiment.model.layers))
    return (*layers, *stopping), layers, stopping


def _with_dropout(layer: LayerRecord) -> tuple[LayerRecord, ...]:
    return (layer, Dropout(rate=0.5)) if isinstance(layer, Dense) else (layer,)


CURVE_RULES = (
    Rule(
        learning_rate_too_high,
        seen="NaN, or steps nearly as large as the weights, with dead units or little learnt",
        explains=("dead_relus", "saturated_units", "overfitting", *STUCK),
    ),
    Rule(
        learning_rate_too_low,
        seen="steps of less than 0.0002 of the weights, and little learnt",
        explains=UNFINISHED,
    ),
    Rule(
        batch_too_large,
        seen="batches of 128 or more, fewer than 200 steps, and little learnt",
        explains=("learning_rate_too_low", *UNFINISHED),
    ),
    Rule(
        stopped_too_early,
        seen="loss still falling fast at the end, and little learnt",
        explains=POOR_ANSWERS,
    ),
    Rule(
        underfitting,
        seen="training images not learnt, without another finding that explains it",
        explains=("uncalibrated",),
    ),
    Rule(
        overfitting,
        seen="balanced accuracy on training images more than 0.1 above that on new images",
    ),
)
