"""What validation found wrong, in plain words: where, what, what was expected, what may be meant.

The words come from the JSON schema, so a range or a name is written down once, beside its field.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from math import isfinite, isnan
from typing import Any

from pydantic import ValidationError

from apple_clf.schema.base import TAGS
from apple_clf.schema.json_schema import JsonSchema, chosen, node_at, options_at, step_into, tag_of
from apple_clf.settings import Problem, Settings
from apple_clf.yaml_reader import Node, Path, plain_scalar

_BRANCHES: dict[Path, dict[bool, str]] = {
    ("training", "learning_rate"): {False: "number", True: "record"},
    ("training", "class_weight"): {False: "word", True: "mapping"},
}
"""What pydantic calls the branches of these unions, by whether the value is a mapping."""

_NUMBERS = {"integer", "number"}

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
    "use_bias": ("bias",),
    "clipnorm": ("grad_clip", "gradient_clipping", "max_norm"),
    "name": ("experiment", "run_name", "experiment_name"),
    "kernel_initializer": ("init", "initializer", "weight_init"),
    "kernel_regularizer": ("regularizer", "l2", "l1"),
    "l2": ("weight_decay",),
    "batch_normalization": ("batchnorm", "batch_norm", "bn"),
    "dense": ("linear", "fc", "fully_connected"),
    "mean_squared_error": ("mse", "l2_loss"),
    "categorical_focal_crossentropy": ("focal", "focal_loss"),
    "sparse_categorical_crossentropy": ("crossentropy", "cross_entropy", "log_loss", "nll"),
    "piecewise_constant": ("step", "steps", "multistep"),
}
"""What other tools and textbooks call our keys and values."""


def plain_problems(error: ValidationError | None, settings: Settings) -> list[str]:
    """One line per problem, in the order in which a reader of the file meets them.

    Args:
        error: from validating the settings' data as an Experiment, if that failed.
        settings: the data, where its values were written, and what is known to be wrong already.
    """
    found = [
        _problem(detail, settings)
        for detail in (error.errors(include_url=False) if error else ())
        if not _is_echo(detail)
    ]
    problems = sorted([*settings.problems, *found])
    return list(dict.fromkeys(f"{place.name}: {text}" for place, text in problems))


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
            about = (*path, *rule.split(maxsplit=1)[0].split("."))
            return Problem(settings.place(about), ".".join((*map(str, path), f"{rule}.")))
    return Problem(settings.place(path), _wrong_value(settings, path))


def _real_path(data: Node, steps: tuple[str | int, ...]) -> Path:
    """Pydantic's path without the names of union branches, which it puts after the union's key."""
    path: Path = ()
    branches: tuple[Node, ...] = ()  # names that may come next
    for step in steps:
        if step in branches:
            branches = branches[1:]
            continue
        path = (*path, step)
        node = node_at(data, path)
        tagged = any(map(tag_of, options_at(data, path)))
        tag = (step_into(node, "type") or step_into(node, "source")) if tagged else None
        branches = (_BRANCHES.get(path, {}).get(type(node) is dict), tag)
    return path


def _known_keys(settings: Settings, path: Path) -> list[str]:
    """The keys of the mapping at a path."""
    options = chosen(options_at(settings.data, path), node_at(settings.data, path))
    return list(dict.fromkeys(key for option in options for key in option.get("properties", {})))


def _unknown_key(settings: Settings, path: Path) -> str:
    """What to say of a key that has no place in its mapping."""
    *parent, key = path
    keys = _known_keys(settings, tuple(parent))
    problem = f"{settings.dotted(path)} is no key"
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
    names = [word for option in options for word in _names(option)]
    if isinstance(value, str) and (meant := _meant(value, names)):
        return f"{name} {value!r} is unknown. Did you mean {meant}?"
    if value is None and all(option.get("type") == "object" for option in options):
        return f"{name} is empty. Give it keys, or remove it."
    hint = _hint(value, options)
    if not isinstance(value, dict | list):  # then a number suffices where a mapping might stand too
        options = [one for one in options if one.get("type") in _NUMBERS] or options
    return f"{name} must be {in_words(options)}, not {_shown(value)}.{hint}"


def _all_options(data: Node, path: Path) -> list[JsonSchema]:
    """What a value may be; for a tag, also what it would be in the other records of its union."""
    if path and path[-1] in TAGS:
        parents = [option for option in options_at(data, path[:-1]) if tag_of(option)]
        if parents:
            return [parent["properties"][path[-1]] for parent in parents]
    return options_at(data, path)


def _names(option: JsonSchema) -> list[str]:
    """The words that an option lists."""
    return [option["const"]] if "const" in option else list(option.get("enum", []))


def _hint(value: Node, options: list[JsonSchema]) -> str:
    """A next step for common slips, with a space before it; else nothing."""
    kinds = {option.get("type") for option in options}
    if isinstance(value, str) and value in map(tag_of, options):
        return f" Write {{type: {value}}}."
    if isinstance(value, str) and kinds & _NUMBERS:
        if type(plain_scalar(value)) in (int, float):
            return " Remove the quotes."
        if re.fullmatch(r"[-+]?0[0-9]+", value):
            return f" Leading zeros make it text: write {int(value)}."
    if isinstance(value, str) and kinds == {"boolean"}:
        truth = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(value.lower())
        return f" Write {truth}." if truth else ""
    if isinstance(value, float) and kinds == {"integer"} and value.is_integer():
        return f" Write {value:.0f}." if abs(value) < 1e15 else ""
    return ""


def in_words(options: list[JsonSchema]) -> str:
    """What a value may be, in words."""
    names = [name for option in options for name in _names(option)]
    tags = list(filter(None, map(tag_of, options)))
    phrases = [_phrase(option) for option in options if not _names(option) and not tag_of(option)]
    if names:
        phrases.insert(0, f"one of {', '.join(names)}" if len(names) > 1 else names[0])
    if tags:
        phrases.append(f"a mapping of type {', '.join(tags)}")
    return " or ".join(phrases)


def _phrase(option: JsonSchema) -> str:
    """One thing that a value may be, in words."""
    match option.get("type"):
        case "integer":
            return f"a whole number{_range(option)}"
        case "number":
            return f"a number{_range(option)}"
        case "boolean":
            return "true or false"
        case "string":
            return str(option.get("patternErrorMessage", "text"))
        case "null":
            return "null"
        case "array":
            return f"a list{_length(option)}"
        case _:
            keys = ", ".join(option.get("properties", {}))
            return f"a mapping of {keys}" if keys else "a mapping"


def _range(option: JsonSchema) -> str:
    """The range of a number, with a space before it."""
    low, above = option.get("minimum"), option.get("exclusiveMinimum")
    high, below = option.get("maximum"), option.get("exclusiveMaximum")
    start = f" above {_number(above)}" if low is None else f" from {_number(low)}"
    if high is None:
        return f"{start} {'to' if above is None else 'and'} below {_number(below)}"
    return f"{start} to {_number(high)}" if above is None else f"{start}, at most {_number(high)}"


def _number(value: Any) -> str:
    plain = isinstance(value, int) or (value.is_integer() and value < 1e9)
    return str(int(value)) if plain else f"{value:g}".replace("e+", "e")


def _length(option: JsonSchema) -> str:
    least, most = option.get("minItems", 0), option.get("maxItems")
    if least == most:
        return f" of {least} entries"
    return f" of {least} to {most} entries" if most is not None else ""


def _shown(value: Node) -> str:
    """A value as YAML has it, or what it is if that would be long."""
    match value:
        case None:
            return "empty (null)"
        case bool():
            return str(value).lower()
        case float() if not isfinite(value):
            return "NaN" if isnan(value) else "infinity"
        case int() if abs(value) >= 10**20:
            return f"a number of {len(str(abs(value)))} digits"
        case str():
            return f"the text {value[:40] + '...' if len(value) > 40 else value!r}"
        case list():
            return f"a list of {len(value)}"
        case dict():
            return "a mapping"
    return str(value)
