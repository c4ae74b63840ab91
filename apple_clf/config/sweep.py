"""YAML text -> what a sweep tries: the experiment in the middle, and the values around it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from apple_clf.config.loading import validated
from apple_clf.config.schema import Experiment
from apple_clf.config.schema.sweep import Range, SweepConfig
from apple_clf.config.settings import Place, Settings, read_settings
from apple_clf.config.yaml_reader import combined_error, read_value
from apple_clf.config.yaml_values import Node
from apple_clf.errors import ConfigError

Parameters = Mapping[str, Node]
"""By key of the experiment the value that a trial gives it."""


@dataclass(frozen=True)
class SweepPlan:
    """A sweep, and the text that it was read from."""

    config: SweepConfig
    experiment: Experiment  # without the parameters
    source: bytes
    filename: str
    overrides: tuple[str, ...]  # as they were given

    def experiment_of(self, parameters: Parameters, *, repeat: int) -> Experiment:
        """The experiment of a trial.

        Args:
            parameters: its values.
            repeat: counts its trainings from 0; added to the seed.

        Raises:
            ConfigError: values that are right each for itself do not go together.
        """
        fixed = [text for text in self.overrides if len(_values(text)) == 1]
        tried = [_override(key, value) for key, value in parameters.items()]
        experiment = _experiment(self.source, self.filename, [*fixed, *tried])
        return experiment.model_copy(update={"seed": (experiment.seed + repeat) % 2**32})


def parse_sweep(source: bytes, *, filename: str, overrides: Sequence[str] = ()) -> SweepPlan:
    """The sweep that a YAML text describes, each of its values known to fit its key.

    Args:
        source: YAML; its section `sweep` says what to try.
        filename: how messages name the text.
        overrides: KEY=VALUE each fixes a value, also one of `sweep`; KEY=V1,V2 gives values to
            try, where commas within brackets or quotes do not count.

    Raises:
        ConfigError: something is wrong with the text or an override, or a parameter is not a key of
            the experiment or has a value that the key does not take; all of it at once.
    """
    lists = {text: values for text in overrides if len(values := _values(text)) > 1}
    fixed = [text for text in overrides if text not in lists]
    settings = read_settings(source, filename=filename, overrides=fixed)
    _set_parameters(settings, fixed, lists)
    if "sweep" not in settings.data or _is_only_set(settings):
        raise ConfigError(
            f"{filename}: there is nothing to try. Give a section `sweep` with parameters, or "
            "--set KEY=V1,V2, such as --set training.learning_rate=1e-4,1e-3."
        )
    file = validated(settings)
    assert file.sweep is not None
    problems = list(dict.fromkeys(_misfits(source, filename, fixed, file.sweep, settings)))
    if problems:
        raise combined_error(problems)
    return SweepPlan(file.sweep, file.experiment, source, filename, tuple(overrides))


def _is_only_set(settings: Settings) -> bool:
    """Whether the sweep comes from overrides alone, and these name no parameter."""
    section = settings.data["sweep"]
    written = settings.keys.get(("sweep",))
    from_override = written is not None and written.order[0] == 1
    return from_override and isinstance(section, dict) and "parameters" not in section


def _experiment(source: bytes, filename: str, overrides: Sequence[str]) -> Experiment:
    """The experiment of a text whose sweep is known to be right, or to be completed elsewhere."""
    settings = read_settings(source, filename=filename, overrides=overrides)
    settings.data.pop("sweep", None)
    return validated(settings).experiment


def _values(override: str) -> list[str]:
    """The texts between the commas of KEY=V1,V2 that stand in no bracket and no quotes."""
    parts, depth, quote = [""], 0, ""
    for character in override.partition("=")[2]:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        depth += not quote and (character in "[{") - (character in "]}")
        if character == "," and not quote and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _override(key: str, value: Node) -> str:
    """KEY=VALUE, in JSON, which is YAML."""
    return f"{key}={json.dumps(value, ensure_ascii=False)}"


def _set_parameters(
    settings: Settings, fixed: Sequence[str], lists: Mapping[str, Sequence[str]]
) -> None:
    """Puts overrides with several values among the parameters, and takes fixed ones out."""
    section = settings.data.get("sweep")
    if section is None and lists:
        section = settings.data["sweep"] = {}
    if not isinstance(section, dict):
        return
    parameters = section.setdefault("parameters", {}) if lists else section.get("parameters")
    if not isinstance(parameters, dict):
        return
    for override in fixed:
        parameters.pop(override.partition("=")[0].strip(), None)
    for index, (override, texts) in enumerate(lists.items()):
        key = override.partition("=")[0].strip()
        place = Place((1, index, 0), f"--set {override}")
        try:
            parameters[key] = [read_value(text, name="value") for text in texts]
        except ConfigError as error:
            raise ConfigError(f"{place.name}: {error}") from None
        path = ("sweep", "parameters", key)
        for below in [other for other in settings.values if other[:3] == path]:
            del settings.values[below]
        settings.keys[path] = settings.values[path] = place


def _misfits(
    source: bytes, filename: str, fixed: Sequence[str], config: SweepConfig, settings: Settings
) -> Iterator[str]:
    """What the experiment says to each value of each parameter, tried by itself."""
    for key, values in config.parameters.items():
        is_range = isinstance(values, Range)
        tried = {"low": values.low, "high": values.high} if isinstance(values, Range) else values
        steps = tried.items() if isinstance(tried, dict) else enumerate(tried)
        for step, value in steps:
            override = _override(key, value)
            try:
                _experiment(source, filename, [*fixed, override])
            except ConfigError as error:
                at = settings.place(("sweep", "parameters", key, step)).name
                yield from str(error).replace(f"--set {override}", at).splitlines()
                if is_range:
                    break  # the other end would say the same
