"""A run's experiment as plain values, read fast and without a look at the schema.

A run of another version may have other keys; here they are no error.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

Tree = Mapping[str, Any]
"""An experiment as YAML has it."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where it is built
_SIZES = ("units", "filters", "rate", "factor", "height_factor", "pool_size")


def read_experiment(path: Path) -> Tree:
    """The content of a resolved.yaml.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a YAML mapping.
    """
    return _parse(path.read_text(encoding="utf-8"))


def read_value(path: Path, key: str) -> object:
    """One value of a resolved.yaml by its dotted key.

    Only the section that the key begins with is parsed, and equal sections of many files once.

    Args:
        path: the file, as a training writes it.
        key: such as `training.optimizer.type` or `model.layers.0.units`.

    Raises:
        KeyError: there is no such key.
        OSError: the file cannot be read.
        ValueError: it is not a YAML mapping.
    """
    section = re.escape(key.partition(".")[0])
    text = path.read_text(encoding="utf-8")
    found = re.search(rf"^{section}:.*\n?(?:[ -].*\n?|\n)*", text, re.MULTILINE)
    if found is None:
        raise KeyError(key)
    return _section(found[0])[key]


@cache
def _section(text: str) -> Mapping[str, object]:
    return dict(leaves(_parse(text)))


def _parse(text: str) -> Tree:
    try:
        content = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError("it is not YAML") from error
    if not isinstance(content, dict):
        raise ValueError("it is not a YAML mapping")
    return content


def leaves(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Every value within a tree with its dotted key; mappings in a list count from 0."""
    inner: Iterator[tuple[object, object]]
    if isinstance(value, dict):
        inner = iter(value.items())
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        inner = iter(enumerate(value))
    else:
        yield key, value
        return
    for name, item in inner:
        yield from leaves(item, f"{key}.{name}" if key else str(name))


def differences(experiments: Sequence[Tree | None]) -> dict[str, tuple[object, ...]]:
    """Keys whose values are not the same in all experiments, each with all its values.

    Layers are compared one by one if all have the same types of layers; if not, they are told in
    a line.

    Args:
        experiments: as from `read_experiment`; None for a model that was trained elsewhere.

    Returns:
        By dotted key a value for each experiment, None where one has no such key.
    """
    known = [each for each in experiments if each is not None]
    if len({_types(_layers(each)) for each in known}) > 1:
        known = [{**each, "model": _in_a_line(each)} for each in known]
    flat = iter([dict(leaves(each)) for each in known])
    rows = [{} if each is None else next(flat) for each in experiments]
    shown = [row for row, each in zip(rows, experiments, strict=True) if each is not None]
    return {
        key: tuple(row.get(key) for row in rows)
        for key in dict.fromkeys(key for row in shown for key in row)
        if len({repr(row.get(key)) for row in shown}) > 1
    }


def _layers(experiment: Tree) -> object:
    model = experiment.get("model")
    return model.get("layers") if isinstance(model, dict) else None


def _types(layers: object) -> str:
    """The types of layers as a text, those inside of residual ones too."""
    kinds = [key + str(value) for key, value in leaves(layers) if key.endswith("type")]
    return " ".join(kinds)


def _in_a_line(experiment: Tree) -> dict[str, object]:
    return {**experiment["model"], "layers": _in_words(_layers(experiment))}


def _in_words(layers: object) -> str:
    found = layers if isinstance(layers, list) else []
    return ", ".join(_layer_in_words(layer) for layer in found if isinstance(layer, dict))


def _layer_in_words(layer: Mapping[str, object]) -> str:
    """Its type, size and activation, such as `dense 32 relu`."""
    size = next((layer[name] for name in _SIZES if layer.get(name) is not None), None)
    activation = layer.get("activation")
    words = [layer.get("type"), size, None if activation == "linear" else activation]
    text = " ".join(str(word) for word in words if word is not None)
    return f"{text} ({_in_words(layer['layers'])})" if "layers" in layer else text
