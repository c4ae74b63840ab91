"""What validation found wrong, in plain words: where, what, what was expected, what may be meant.

The words come from the JSON schema, so a range or a name is written down once, beside its field.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import ValidationError

from apple_clf.config.schema.base import TAGS
from apple_clf.config.schema.json_schema import (
    JsonSchema,
    chosen,
    node_at,
    options_at,
    step_into,
    tag_of,
)
from apple_clf.config.schema.words import in_words, names_in
from apple_clf.config.settings import Problem, Settings
from apple_clf.config.yaml_reader import combined_error
from apple_clf.config.yaml_values import Node, Path, plain_scalar, shown
from apple_clf.errors import ConfigError

_BRANCHES: dict[str | int, tuple[str, ...]] = {
    "learning_rate": ("number", "record"),
    "class_weight": ("word", "mapping"),
    "threshold": ("number", "word"),
    **dict.fromkeys(
        ("kernel_size", "pool_size", "strides", "factor", "height_factor", "width_factor"),
        ("number", "pair"),
    ),
}
"""What pydantic calls the branches of the unions at these keys."""

_BRANCHES_BELOW: dict[Path, tuple[str, ...]] = {("sweep", "parameters"): ("choices", "range")}
"""The same for unions at any key of these mappings."""

_NUMBERS = {"integer", "number"}

_WORDED = 200
"""Problems to find words for, which takes time; more only come from a file that means harm."""

_OTHER_NAMES = {
    "learning_rate": ("lr", "eta", "scheduler", "lr_scheduler", "lr_schedule", "lr0"),
    "batch_size": ("batch", "bs", "minibatch", "mini_batch_size"),
    "image_size": ("imgsz", "img_size", "size", "input_size", "input_shape", "image_shape"),
    "seed": ("random_seed", "random_state", "rng"),
    "epochs": ("n_epochs", "num_epochs", "nb_epochs", "max_epochs", "max_iter", "epoch"),
    "loss": ("criterion", "loss_fn", "loss_function", "objective"),
    "optimizer": ("optimiser", "optim", "solver"),
    "units": ("neurons", "nodes", "hidden_units", "hidden", "hidden_layers", "hidden_layer_sizes"),
    "validation_split": ("val_split", "validation_fraction", "validation", "val"),
    "validation_samples": ("val_samples", "n_val"),
    "train_samples": ("samples", "num_samples", "n_samples", "n_train"),
    "path": ("dir", "directory", "folder", "root", "data_dir", "file"),
    "color_mode": ("channels", "colour_mode", "mode", "color"),
    "polarity": ("invert",),
    "rate": ("p", "prob", "probability"),
    "filters": ("out_channels", "n_filters", "num_filters"),
    "kernel_size": ("kernel", "filter_size"),
    "strides": ("stride",),
    "use_bias": ("bias",),
    "clipnorm": ("grad_clip", "gradient_clipping", "max_norm"),
    "name": ("experiment", "run_name", "experiment_name"),
    "kernel_initializer": ("init", "initializer", "weight_init"),
    "kernel_regularizer": ("regularizer", "l2", "l1"),
    "l2": ("weight_decay",),
    "batch_normalization": ("batchnorm", "batch_norm", "bn"),
    "dense": ("linear", "fc", "fully_connected"),
    "conv2d": ("conv", "convolution", "convolution2d"),
    "max_pooling2d": ("maxpool", "max_pool", "maxpool2d", "max_pool2d", "pool"),
    "average_pooling2d": ("avgpool", "avg_pool", "avgpool2d", "avg_pool2d"),
    "global_average_pooling2d": ("gap", "global_avg_pool", "adaptive_avg_pool2d"),
    "layer_normalization": ("layernorm", "layer_norm", "ln"),
    "random_flip": ("flip", "random_horizontal_flip", "random_vertical_flip"),
    "random_invert": ("invert", "random_polarity"),
    "mean_squared_error": ("mse", "l2_loss"),
    "categorical_focal_crossentropy": ("focal", "focal_loss"),
    "sparse_categorical_crossentropy": ("crossentropy", "cross_entropy", "log_loss", "nll"),
    "piecewise_constant": ("step", "steps", "multistep"),
}
"""What other tools and textbooks call our keys and values."""


def config_error(failure: ValidationError | None, settings: Settings) -> ConfigError:
    """One error with a line per problem, in the order in which a reader of the file meets them.

    Args:
        failure: from validating the settings' data as an Experiment, if that failed.
        settings: the data, where its values were written, and what is known to be wrong already.
    """
    details = failure.errors(include_url=False) if failure else []
    found = [_problem(detail, settings) for detail in details[:_WORDED] if not _is_echo(detail)]
    problems = sorted([*settings.problems, *found])
    lines = list(dict.fromkeys(f"{place.name}: {text}" for place, text in problems))
    return combined_error(lines, unlisted=len(details[_WORDED:]))


def _is_echo(detail: Any) -> bool:
    """Whether a list is called too short only because of entries that are reported themselves."""
    if detail["type"] != "too_short":
        return False
    return bool(len(detail["input"]) >= detail["ctx"]["min_length"])


def _problem(detail: Any, settings: Settings) -> Problem:
    """One of pydantic's findings in our words."""
    path = _real_path(settings.data, detail["loc"])
    match detail["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return Problem(settings.key_place(path), _unknown_key(settings, path))
        case "missing" if isinstance(path[-1], str):
            return Problem(settings.key_place(path[:-1]), _missing(settings, path))
        case "missing":  # an entry of a list of fixed length
            path = path[:-1]
        case "union_tag_not_found":
            path = (*path, detail["ctx"]["discriminator"].strip("'"))
            return Problem(settings.key_place(path[:-1]), _missing(settings, path))
        case "union_tag_invalid":
            path = (*path, detail["ctx"]["discriminator"].strip("'"))
        case "value_error":
            rule = str(detail["ctx"]["error"])
            about = (*path, *map(_step, rule.split(maxsplit=1)[0].split(".")))
            return Problem(settings.place(about), ".".join((*map(str, path), f"{rule}.")))
    return Problem(settings.place(path), _wrong_value(settings, path))


def _step(name: str) -> str | int:
    """A key, or the index of an entry of a list."""
    return int(name) if name.isdecimal() else name


def _real_path(data: Node, steps: tuple[str | int, ...]) -> Path:
    """Pydantic's path without the names of union branches, which it puts after the union's key."""
    path: Path = ()
    branches: tuple[Node, ...] = ()  # names that may come next
    for step in steps:
        if step in branches:
            branches = branches[branches.index(step) + 1 :]
            continue
        path = (*path, step)
        node = node_at(data, path)
        tagged = any(map(tag_of, options_at(data, path)))
        tag = (step_into(node, "type") or step_into(node, "source")) if tagged else None
        branches = (*_BRANCHES_BELOW.get(path[:-1], _BRANCHES.get(step, ())), tag)
    return path


def _known_keys(settings: Settings, path: Path) -> list[str]:
    """The keys of the mapping at a path."""
    options = chosen(options_at(settings.data, path), node_at(settings.data, path))
    return list(dict.fromkeys(key for option in options for key in option.get("properties", {})))


def _unknown_key(settings: Settings, path: Path) -> str:
    """What to say of a key that has no place in its mapping."""
    *parent, key = path
    keys = _known_keys(settings, tuple(parent))
    problem = f"{settings.dotted(path)} is not a key"
    if meant := _meant(str(key), keys):
        return f"{problem}. Did you mean {meant}?"
    siblings = options_at(settings.data, tuple(parent))
    if owners := [
        name for one in siblings if key in one.get("properties", {}) and (name := tag_of(one))
    ]:
        return f"{problem} here. It belongs to {', '.join(owners)}."
    elsewhere = _all_keys()
    if meant := _meant(str(key), elsewhere):
        return f"{problem} here. Did you mean {elsewhere[meant]}?"
    return f"{problem}. Known keys: {', '.join(keys)}."


@cache
def _all_keys() -> dict[str, str]:
    """The dotted path to each key but for those of layers; the shallowest wins."""
    found: dict[str, str] = {}
    paths: list[Path] = [()]
    for path in paths:  # grows as it goes
        for option in options_at({}, path):
            for key in option.get("properties", {}):
                found.setdefault(key, ".".join((*map(str, path), key)))
                paths.append((*path, key))
    return found


def _meant(word: str, names: Iterable[str]) -> str | None:
    """The name that a word was probably meant to be."""
    names = list(names)
    plain = word.lower().replace("-", "_")
    for name, others in _OTHER_NAMES.items():
        if name in names and plain in others:
            return name
    return next(iter(get_close_matches(plain, names, n=1, cutoff=0.6)), None)


def _missing(settings: Settings, path: Path) -> str:
    """What to say of a key that has to be there."""
    *parent, key = path
    options = chosen(
        options_at(settings.data, tuple(parent)), node_at(settings.data, tuple(parent))
    )
    tags = list(filter(None, map(tag_of, options)))
    if key in TAGS:
        return f"{settings.dotted(path)} is missing. Give one of {', '.join(tags)}."
    meaning = str(options[0]["properties"][key]["description"])
    return f"{settings.dotted(path)} is missing: {meaning[0].lower()}{meaning[1:]}"


def _wrong_value(settings: Settings, path: Path) -> str:
    """What to say of a value that is not as it has to be."""
    name, value = settings.dotted(path), node_at(settings.data, path)
    options = _all_options(settings.data, path)
    names = [word for option in options for word in names_in(option)]
    if isinstance(value, str) and (meant := _meant(value, names)):
        return f"{name} {value!r} is unknown. Did you mean {meant}?"
    if value is None and all(option.get("type") == "object" for option in options):
        return f"{name} is empty. Give it keys, or remove it."
    hint = _hint(value, options)
    if not isinstance(value, dict | list):  # then a number suffices where a mapping might stand too
        plain = _NUMBERS | {"string"} if _NUMBERS & {one.get("type") for one in options} else set()
        options = [one for one in options if one.get("type") in plain] or options
    return f"{name} must be {in_words(options)}, not {shown(value)}.{hint}"


def _all_options(data: Node, path: Path) -> list[JsonSchema]:
    """What a value may be; for a tag, also what it would be in the other records of its union."""
    if path and path[-1] in TAGS:
        parents = [option for option in options_at(data, path[:-1]) if tag_of(option)]
        if parents:
            return [parent["properties"][path[-1]] for parent in parents]
    return options_at(data, path)


def _hint(value: Node, options: list[JsonSchema]) -> str:
    """A next step for common slips, with a space before it; else nothing."""
    kinds = {option.get("type") for option in options}
    if isinstance(value, str) and value in map(tag_of, options):
        return f" Write {{type: {value}}}."
    if isinstance(value, str) and kinds & _NUMBERS:
        if type(plain_scalar(value)) in (int, float):
            return " Remove the quotes."
        if re.fullmatch(r"[-+]?0[0-9]{1,18}", value):
            return f" Leading zeros make it text: write {int(value)}."
    if isinstance(value, str) and kinds == {"boolean"}:
        truth = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower())
        return f" Write {truth}." if truth else ""
    if isinstance(value, float) and kinds == {"integer"} and value.is_integer():
        return f" Write {value:.0f}." if abs(value) < 1e15 else ""
    return ""
