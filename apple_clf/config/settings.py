"""A configuration as plain data, and where each value came from: the file, or which override.

Overrides change the data before it is validated, so that everything is judged by the same rules,
and short forms are spelled out, so that one path leads to each value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from apple_clf.config.schema import Experiment
from apple_clf.config.schema.base import TAGS
from apple_clf.config.schema.json_schema import BARE_NAMES, chosen, options_at, step_into, tag_of
from apple_clf.config.yaml_reader import Position, read_mapping, read_value
from apple_clf.config.yaml_values import Node, Path, shown
from apple_clf.errors import ConfigError

STACK_KEYS = ("units", "activation")
"""Keys of the short form of a model."""

_LONGEST_KEY = 60


class Place(NamedTuple):
    """Where a value or key was written; places sort as a reader meets them."""

    order: tuple[int, int, int]
    name: str


class Problem(NamedTuple):
    """What is wrong, and where."""

    place: Place
    text: str


@dataclass
class Settings:
    """Plain data of an experiment that is yet to be validated.

    Attributes:
        data: the root mapping.
        keys: where each key was written.
        values: where each value was written; () is the root.
        written: how the user spelled a path that a short form stands for.
        problems: what the short forms got wrong.
    """

    data: dict[str, Node]
    keys: dict[Path, Place]
    values: dict[Path, Place]
    written: dict[Path, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: Path) -> Place:
        """Where the value at a path was written, or else what it lies in."""
        return next(
            self.values[path[:length]]
            for length in range(len(path), -1, -1)
            if path[:length] in self.values
        )

    def key_place(self, path: Path) -> Place:
        """Where the key that ends a path was written, or else its value."""
        return self.keys.get(path) or self.place(path)

    def dotted(self, path: Path) -> str:
        """A path as its user knows it, such as model.layers.0.units."""
        return self.written.get(path) or ".".join(_readable(str(step)) for step in path)


def _readable(key: str) -> str:
    """A key as it is, unless it would break or fill the line of a message."""
    return key if key.isprintable() and len(key) <= _LONGEST_KEY else repr(key[:_LONGEST_KEY])


def read_settings(text: str | bytes, *, filename: str, overrides: Sequence[str]) -> Settings:
    """The settings that a YAML text and overrides, applied in turn, amount to.

    Args:
        text: a YAML mapping.
        filename: how messages name the text.
        overrides: KEY=VALUE each; dots in the key lead into mappings and, by index, lists.

    Raises:
        ConfigError: the text or an override cannot be read, or an override leads nowhere.
    """
    document = read_mapping(text, filename=filename)
    assert isinstance(document.data, dict)

    def place(position: Position) -> Place:
        return Place((0, *position), f"{filename}:{position.line}:{position.column}")

    settings = Settings(
        document.data,
        {path: place(position) for path, position in document.keys.items()},
        {path: place(position) for path, position in document.values.items()},
    )
    for index, override in enumerate(overrides):
        _override(settings, override, place=Place((1, index, 0), f"--set {override}"))
    for path in BARE_NAMES:
        _spell_out_name(settings, path)
    _spell_out_stack(settings)
    return settings


def _override(settings: Settings, override: str, *, place: Place) -> None:
    """Sets one value."""
    dotted, equals, text = override.partition("=")
    steps = dotted.strip().split(".")
    if not equals or not all(steps):
        raise ConfigError(f"{place.name}: write KEY=VALUE, such as training.batch_size=64.")
    try:
        value = read_value(text, name="value")
    except ConfigError as error:
        raise ConfigError(f"{place.name}: {error}") from None
    if steps[:2] == ["model", "layers"] and len(steps) > 2:
        _spell_out_stack(settings)
    path: Path = ()
    node: Node = settings.data
    for step in steps[:-1]:
        path, node = _enter(settings, path, node, step, place=place)
    path = (*path, _index(node, step=steps[-1], place=place))
    _set(node, path[-1], value)
    for known in (settings.keys, settings.values, settings.written):
        for below in [other for other in known if other[: len(path)] == path]:
            del known[below]
    settings.keys[path] = settings.values[path] = place
    if isinstance(node, dict):
        _make_room(settings, node, path)


def _enter(
    settings: Settings, path: Path, node: Node, step: str, *, place: Place
) -> tuple[Path, Node]:
    """One step down; what is missing there is made, of the default kind."""
    index = _index(node, step=step, place=place)
    path = (*path, index)
    _spell_out_name(settings, path)
    child = step_into(node, index)
    if child is None:
        child = _default_kind(path)
        _set(node, index, child)
        settings.keys[path] = settings.values[path] = place
    return path, child


def _index(node: Node, *, step: str, place: Place) -> str | int:
    """The key or index that a step of an override means in a node."""
    if isinstance(node, dict):
        return step
    if not isinstance(node, list):
        raise ConfigError(f"{place.name}: {step!r} leads into {shown(node)}, which has no keys.")
    if not step.isdecimal() or int(step) >= len(node):
        count = f"{len(node)} entries, numbered from 0"
        raise ConfigError(f"{place.name}: {step!r} is not an entry of a list of {count}.")
    return int(step)


def _set(node: Node, index: str | int, value: Node) -> None:
    assert isinstance(node, dict | list)  # by _index
    node[index] = value  # type: ignore[index]  # a key or a number, as the node is


def _default_kind(path: Path) -> Node:
    """What a missing value starts from: its default, but of a mapping only the tag.

    The other keys get their defaults when validated, as those may depend on a tag set later.
    """
    node: Node = Experiment().model_dump(mode="json")
    for step in path:
        node = step_into(node, step)
    if isinstance(node, dict):
        return {key: node[key] for key in TAGS if key in node}
    return {} if node is None else node


def _make_room(settings: Settings, mapping: dict[str, Node], path: Path) -> None:
    """Drops keys that an override has made void: of another record, or of the other form."""
    *parent, key = path
    options = chosen(options_at(settings.data, tuple(parent)), mapping)
    if key in TAGS and any(map(tag_of, options)):
        known = {name for option in options for name in option.get("properties", {})}
        for name in set(mapping) - known:
            del mapping[name]
    elif path[:1] == ("model",) and key in STACK_KEYS:
        mapping.pop("layers", None)
    elif path == ("model", "layers"):
        for name in STACK_KEYS:
            mapping.pop(name, None)


def _spell_out_name(settings: Settings, path: Path) -> None:
    """Turns a bare name, such as adam, into {type: adam}."""
    parent = settings.data.get(str(path[0]))
    key = path[-1]
    if path not in BARE_NAMES or not isinstance(parent, dict) or not isinstance(key, str):
        return
    if isinstance(name := parent.get(key), str):
        parent[key] = {"type": name}
        settings.values[*path, "type"] = settings.place(path)
        settings.written[*path, "type"] = settings.dotted(path)


def _spell_out_stack(settings: Settings) -> None:
    """Turns a list of units and one activation into dense layers."""
    model = settings.data.get("model")
    if not isinstance(model, dict) or not (stack := [key for key in STACK_KEYS if key in model]):
        return
    place = settings.key_place(("model", stack[0]))
    units = model.get("units")
    if "layers" in model:
        problem = f"model.{stack[0]} and model.layers exclude each other. Keep one of them."
    elif "units" not in model:
        problem = "model.units is missing. Give the units of each layer, such as [32, 16]."
    elif not isinstance(units, list):
        problem = f"model.units must be a list, such as [32, 16], not {shown(units)}."
    else:
        _stack(settings, model, units)
        return
    settings.problems.append(Problem(place, problem))
    del settings.data["model"]  # what else is wrong with it would only confuse


def _stack(settings: Settings, model: dict[str, Node], units: list[Node]) -> None:
    activation = model.get("activation", "relu")
    layers: list[Node] = []
    for index, count in enumerate(units):
        layers.append({"type": "dense", "units": count, "activation": activation})
        layer: Path = ("model", "layers", index)
        for key, short in (
            ("units", ("model", "units", index)),
            ("activation", ("model", "activation")),
        ):
            settings.values[*layer, key] = settings.place(short)
            settings.written[*layer, key] = settings.dotted(short)
    for key in STACK_KEYS:
        model.pop(key, None)
    model["layers"] = layers
