"""YAML text -> frozen Experiment, and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from apple_clf.config.differences import first_difference
from apple_clf.config.recipes import recipe_hint
from apple_clf.config.recorded import parse_recorded, with_younger_keys
from apple_clf.config.schema import Experiment
from apple_clf.config.schema.base import TAGS
from apple_clf.config.schema.json_schema import experiment_schema
from apple_clf.config.schema.sweep import ExperimentFile
from apple_clf.config.settings import read_settings
from apple_clf.config.validation import validated
from apple_clf.config.yaml_reader import MAX_BYTES
from apple_clf.config.yaml_values import plain_scalar
from apple_clf.errors import ConfigError, FileSystemError

__all__ = [
    "dump_experiment",
    "experiment_schema",
    "first_difference",
    "load_experiment",
    "load_recorded",
    "parse_experiment",
    "parse_file",
    "parse_recorded",
    "read_source",
    "validated",
    "with_younger_keys",
]


def load_experiment(path: Path | None, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment that a YAML file describes.

    Args:
        path: the file; None means the embedded defaults.
        overrides: KEY=VALUE each, such as `training.batch_size=64`, applied in turn.

    Raises:
        ConfigError: the file is missing or a folder, or as in `parse_experiment`.
        FileSystemError: the file cannot be read.
    """
    filename = "defaults" if path is None else str(path)
    return parse_experiment(read_source(path), filename=filename, overrides=overrides)


def load_recorded(path: Path) -> Experiment:
    """The experiment of a run's resolved.yaml, also where an earlier version wrote it.

    Raises:
        ConfigError: the file is missing, or as in `parse_experiment`.
        FileSystemError: the file cannot be read.
    """
    return parse_recorded(read_source(path), filename=str(path))


def read_source(path: Path | None) -> bytes:
    """The bytes of an experiment's file, read once so that what is kept is what was parsed.

    Args:
        path: the file; None means the embedded defaults, which an empty mapping stands for.

    Raises:
        ConfigError: the file is missing or a folder.
        FileSystemError: the file cannot be read.
    """
    if path is None:
        return b"{}\n"
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        hint = recipe_hint(path)
        step = f"It is a recipe; write it first: {hint}" if hint else "Check the path."
        raise ConfigError(f"{path}: no such file. {step}") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: this is a folder. Name a YAML file in it.") from None
    except OSError as error:
        reason = error.strerror or error
        raise FileSystemError(
            f"{path}: cannot be read ({reason}). Check its permissions."
        ) from None


def parse_experiment(
    text: str | bytes, *, filename: str, overrides: Sequence[str] = ()
) -> Experiment:
    """The experiment that a YAML text describes, without its sweep, if it has one.

    Args:
        text: YAML; what it leaves out has its default.
        filename: how messages name the text.
        overrides: KEY=VALUE each, such as `training.batch_size=64`, applied in turn.

    Raises:
        ConfigError: something is wrong with the text or an override. One line per problem, all at
            once, each `file:line:column: message` or `--set KEY=VALUE: message`.
    """
    return parse_file(text, filename=filename, overrides=overrides).experiment


def parse_file(
    text: str | bytes, *, filename: str, overrides: Sequence[str] = ()
) -> ExperimentFile:
    """As `parse_experiment`, with the sweep that stands beside the experiment, if one does."""
    return validated(read_settings(text, filename=filename, overrides=overrides))


def dump_experiment(experiment: Experiment) -> str:
    """YAML of every value, defaults included; parsing it gives an equal experiment."""
    sections = {
        key: _Section(value) if isinstance(value, dict) else value
        for key, value in experiment.model_dump(mode="json").items()
    }
    text: str = yaml.dump(
        _Section(sections), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
    return text


class _Section(dict[str, Any]):
    """A mapping that is written a key a line; others take one line where they fit."""


class _Dumper(yaml.SafeDumper):
    """Writes YAML that reads the same by YAML 1.1 and by YAML 1.2."""

    def represent_mappings(self, data: dict[str, Any]) -> yaml.Node:
        tags_first = sorted(data.items(), key=lambda item: item[0] not in TAGS)
        inline = not isinstance(data, _Section)
        return self.represent_mapping("tag:yaml.org,2002:map", tags_first, flow_style=inline)

    def represent_entries(self, data: list[Any]) -> yaml.Node:
        inline = not any(isinstance(entry, dict) for entry in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=inline)

    def represent_text(self, data: str) -> yaml.Node:
        quotes = None if isinstance(plain_scalar(data), str) else "'"
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=quotes)


_Dumper.add_representer(_Section, _Dumper.represent_mappings)
_Dumper.add_representer(dict, _Dumper.represent_mappings)
_Dumper.add_representer(list, _Dumper.represent_entries)
_Dumper.add_representer(str, _Dumper.represent_text)
