"""What the gradients say: too large to follow, or gone before they reach the first layer."""

import numpy as np

from apple_clf.config.schema import Experiment
from apple_clf.config.schema.layers import LayerRecord
from apple_clf.diagnosis.edits import Edit, first_valid, lower_rate, other_layers
from apple_clf.diagnosis.finding import Finding, Severity
from apple_clf.diagnosis.record import Record
from apple_clf.diagnosis.rule import STUCK, UNFINISHED, Rule

EXPLODING = 100.0
"""Norm of the whole gradient. Pixels are scaled to [0, 1] and losses start near 1, so a network
that starts well has one of 0.1 to 5."""

VANISHING = 0.01
"""Norm of the first layer's gradient over the last one's. Healthy networks have 0.3 to 10; below a
hundredth, the first layer moves so little that it stays as it was drawn."""

LEARNT = 0.9
"""Skill on the training images from which on no gradient can have been missing."""

SQUASHING = ("sigmoid", "tanh", "hard_sigmoid", "hard_tanh", "softsign", "softmax")


def exploding_gradients(record: Record) -> Finding | None:
    """Gradients that are huge before the first step: it is the network, not the learning rate."""
    at_start = float(record.total_gradients[0])
    if at_start <= EXPLODING:
        return None
    evidence: dict[str, float | int | str] = {
        "gradient_norm_before_training": at_start,
        "usual": "0.1 to 5",
    }
    if record.diverged:
        evidence["stopped_in_epoch"] = record.n_epochs + 1
    experiment = record.experiment
    clip = ("training.optimizer.global_clipnorm=1",)
    return Finding(
        "exploding_gradients",
        Severity.problem,
        evidence,
        "The outputs grow from layer to layer, so the gradients are very large and a step goes far "
        "too far. Start from smaller weights (the usual initializer), or limit the gradients "
        "(clipping).",
        first_valid(experiment, usual_start(experiment), (*clip, *lower_rate(experiment)), clip),
    )


def vanishing_gradients(record: Record) -> Finding | None:
    """A first layer that hardly learns while the last one does."""
    if record.diverged or record.skill >= LEARNT:
        return None
    gradients = record.statistics.column("gradient_norm").astype(np.float64)
    (learning,) = np.nonzero(~np.isnan(gradients[0]))
    first, last = gradients[:, learning[0]], gradients[:, learning[-1]]
    moving = last > 0
    if not moving.any() or np.median(first[moving] / last[moving]) >= VANISHING:
        return None
    layers = record.statistics.layers
    return Finding(
        "vanishing_gradients",
        Severity.problem,
        {
            "gradient_of_the_first_layer_over_the_last_one's": float(
                np.median(first[moving] / last[moving])
            ),
            "first_layer": layers[learning[0]],
            "hidden_layers": len(record.experiment.model.layers),
        },
        "The gradient shrinks to almost nothing on its way back through the layers, so the first "
        "layers do not learn. Sigmoid and tanh cause this in deep networks. Use relu, skip "
        "connections (type: residual), or fewer layers.",
        first_valid(record.experiment, _let_through(record.experiment)),
    )


def usual_start(experiment: Experiment) -> Edit:
    """The layers with Keras's usual initializer."""

    def change(layer: LayerRecord) -> tuple[LayerRecord]:
        return (layer.model_copy(update=dict.fromkeys(layer.initializers, "glorot_uniform")),)

    return other_layers(experiment, change)


def _let_through(experiment: Experiment) -> Edit:
    """The layers with relu in place of what squashes, drawn large enough for it."""

    def change(layer: LayerRecord) -> tuple[LayerRecord]:
        update = dict.fromkeys(layer.initializers, "he_normal")
        if layer.activation_name in SQUASHING:
            update["activation"] = "relu"
        return (layer.model_copy(update=update),)

    return other_layers(experiment, change)


GRADIENT_RULES = (
    Rule(
        exploding_gradients,
        seen="very large gradients before the first step",
        explains=("learning_rate_too_high", "dead_relus", "saturated_units", "overfitting", *STUCK),
    ),
    Rule(
        vanishing_gradients,
        seen="a first layer whose gradient is less than a hundredth of the last one's",
        explains=("learning_rate_too_low", "batch_too_large", *UNFINISHED),
    ),
)
