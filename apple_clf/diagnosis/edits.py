"""Edits of an experiment as KEY=VALUE for --set, tried on the experiment before they are told."""

import json
from collections.abc import Callable, Iterator, Sequence

import yaml

from apple_clf.config import dump_experiment, parse_experiment
from apple_clf.config.schema import Dense, Experiment
from apple_clf.config.schema.base import Record as Part
from apple_clf.config.schema.layers import LayerRecord, Residual
from apple_clf.config.schema.model import Layer
from apple_clf.errors import ConfigError

Edit = tuple[str, ...]


def first_valid(experiment: Experiment, *edits: Edit) -> Edit:
    """The first edit that the experiment takes and that changes it; empty if there is none."""
    text = dump_experiment(experiment)
    for edit in edits:
        try:
            if edit and parse_experiment(text, filename="", overrides=edit) != experiment:
                return edit
        except ConfigError:
            continue
    return ()


def other_layers(
    experiment: Experiment, change: Callable[[LayerRecord], Sequence[LayerRecord]]
) -> Edit:
    """The model with each layer, those in residual ones too, replaced by what `change` gives."""
    return layers_edit([new for old in experiment.model.layers for new in _changed(old, change)])


def layers_edit(layers: Sequence[LayerRecord | Residual]) -> Edit:
    """These layers; the short form, `model.units`, is used where it says all."""
    short = [layer for layer in layers if isinstance(layer, Dense)]
    activations = {layer.activation for layer in short}
    if len(short) == len(layers) > 0 and len(activations) == 1:
        activation = activations.pop()
        if all(Dense(units=layer.units, activation=activation) == layer for layer in short):
            units = json.dumps([layer.units for layer in short])
            return (f"model.units={units}", f"model.activation={activation}")
    return (f"model.layers={_inline([_plain(layer) for layer in layers])}",)


def simple_layers(experiment: Experiment) -> Iterator[LayerRecord]:
    """The layers of the model, and in place of a residual one those inside it."""
    for layer in experiment.model.layers:
        if isinstance(layer, Residual):
            yield from layer.layers
        else:
            yield layer


def _changed(
    layer: Layer, change: Callable[[LayerRecord], Sequence[LayerRecord]]
) -> Sequence[LayerRecord | Residual]:
    if isinstance(layer, Residual):
        inner = tuple(new for old in layer.layers for new in change(old))
        return [layer.model_copy(update={"layers": inner})]
    return change(layer)


def _plain(layer: Part) -> dict[str, object]:
    """A layer without what it has by default, its type first."""
    content = layer.model_dump(mode="json", exclude_defaults=True)
    if isinstance(layer, Residual):
        content["layers"] = [_plain(inner) for inner in layer.layers]
    return {"type": layer.type, **content}  # type: ignore[attr-defined]  # every layer has one


def _inline(content: object) -> str:
    text: str = yaml.safe_dump(content, default_flow_style=True, sort_keys=False, width=10**6)
    return text.strip()


def usual_rate(experiment: Experiment) -> float:
    """A learning rate that the optimizer mostly does well with."""
    return experiment.training.optimizer.usual_learning_rate


def highest_rate(experiment: Experiment) -> float:
    """The learning rate, or the highest one of a schedule."""
    rate = experiment.training.learning_rate
    if isinstance(rate, float):
        return rate
    return rate.highest


def lower_rate(experiment: Experiment) -> Edit:
    """A learning rate of a tenth, or the usual one if that is lower still."""
    highest = highest_rate(experiment)
    return scaled_rate(experiment, min(highest / 10, usual_rate(experiment)) / highest)


def higher_rate(experiment: Experiment) -> Edit:
    """A learning rate of ten times as much, or the usual one if that is higher still."""
    highest = highest_rate(experiment)
    return scaled_rate(experiment, max(highest * 10, usual_rate(experiment)) / highest)


def scaled_rate(experiment: Experiment, factor: float) -> Edit:
    """A learning rate, or schedule, times a factor."""
    rate = experiment.training.learning_rate
    if isinstance(rate, float):
        return (f"training.learning_rate={rate * factor:.3g}",)
    old = getattr(rate, rate.scale)
    if isinstance(old, tuple):
        new = f"[{', '.join(f'{value * factor:.3g}' for value in old)}]"
    else:
        new = f"{old * factor:.3g}"
    return (f"training.learning_rate.{rate.scale}={new}",)
