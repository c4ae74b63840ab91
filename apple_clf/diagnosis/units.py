"""What the units say: always zero, or always at the end of their range."""

from apple_clf.config.schema import Experiment
from apple_clf.config.schema.layers import LayerRecord
from apple_clf.diagnosis.edits import Edit, first_valid, lower_rate, other_layers
from apple_clf.diagnosis.finding import Finding, Severity
from apple_clf.diagnosis.gradients import SQUASHING
from apple_clf.diagnosis.record import Record
from apple_clf.diagnosis.rule import STUCK, Rule

DEAD, NEARLY_ALL, DIED = 0.5, 0.75, 0.3
"""Shares of a layer: half of it dead if this many died while training, or else nearly all of it. Up
to a fifth is common and does no harm; in layers of a few units half may be dead from the start."""

SATURATED = 0.8
"""Share of a layer's outputs. A trained tanh or sigmoid layer that works well has up to a half."""

LARGE_STRIDE = 0.1
"""A step this long, as a share of the weights, kills or saturates units by itself; usual learning
rates give 0.005 to 0.05."""


def dead_relus(record: Record) -> Finding | None:
    """Layers that are mostly zero whatever the picture."""
    layer, share, at_start = record.worst_hidden("dead")
    if record.diverged or not many_dead(record):
        return None
    return Finding(
        "dead_relus",
        Severity.problem if share == 1 else Severity.warning,
        {
            "share_of_dead_units": share,
            "before_training": at_start,
            "layer": layer,
            "way_of_a_step": record.stride,
        },
        "These units output 0 for every picture, so they get no gradient and stop learning. Large "
        "steps cause this in relu units, and narrow deep networks start with many dead units. Use "
        "smaller steps, or leaky_relu, which cannot die.",
        first_valid(record.experiment, *_by_stride(record, "leaky_relu", ("relu", "relu6"))),
    )


def many_dead(record: Record) -> bool:
    """Whether a layer lost so many units that it matters."""
    _, share, at_start = record.worst_hidden("dead")
    return share >= DEAD and (share >= NEARLY_ALL or share - at_start >= DIED)


def saturated_units(record: Record) -> Finding | None:
    """Layers whose units stay in the flat ends of their activation."""
    layer, share, _ = record.worst_hidden("saturated")
    if record.diverged or share < SATURATED:
        return None
    return Finding(
        "saturated_units",
        Severity.problem,
        {"share_of_saturated_outputs": share, "layer": layer, "way_of_a_step": record.stride},
        "These units are at the ends of their range, where the activation function is flat: their "
        "output hardly changes, and hardly any gradient gets through. Use smaller weights and "
        "steps, or relu.",
        first_valid(record.experiment, *_by_stride(record, "relu", SQUASHING)),
    )


def _by_stride(record: Record, activation: str, instead_of: tuple[str, ...]) -> tuple[Edit, ...]:
    """Smaller steps if they were large, else another activation."""
    other = _activated(record.experiment, activation, instead_of)
    if record.stride >= LARGE_STRIDE:
        return lower_rate(record.experiment), other
    return (other,)


def _activated(experiment: Experiment, activation: str, instead_of: tuple[str, ...]) -> Edit:
    """The layers with another activation, and weights drawn as usual."""

    def change(layer: LayerRecord) -> tuple[LayerRecord]:
        update = dict.fromkeys(layer.initializers, "glorot_uniform")
        if layer.activation_name in instead_of:
            update["activation"] = activation
        return (layer.model_copy(update=update),)

    return other_layers(experiment, change)


UNIT_RULES = (
    Rule(
        dead_relus,
        seen="half of a layer's units are 0 for every picture",
        explains=STUCK,
        explains_from=Severity.problem,  # units that still learn explain nothing
    ),
    Rule(
        saturated_units,
        seen="80 % of a hidden layer's outputs in the flat ends of sigmoid or tanh",
        explains=STUCK,
    ),
)
