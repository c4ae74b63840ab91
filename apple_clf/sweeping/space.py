"""SweepConfig -> what there is to try, in Optuna's terms, and back."""

import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from apple_clf.config.schema.sweep import MAX_TRIALS, Range, Sampler, SweepConfig
from apple_clf.config.sweep import Parameters
from apple_clf.config.yaml_values import Node
from apple_clf.errors import ConfigError

DEFAULT_TRIALS = 20


def distributions(config: SweepConfig) -> dict[str, BaseDistribution]:
    """Each parameter as Optuna knows it; lists and mappings are chosen from as JSON text."""
    return {
        key: _distribution(values) if isinstance(values, Range) else _choices(values)
        for key, values in config.parameters.items()
    }


def parameters_of(config: SweepConfig, chosen: Mapping[str, Any]) -> Parameters:
    """The values of a trial, from what Optuna chose."""
    found: dict[str, Node] = {}
    for key, values in config.parameters.items():
        if isinstance(values, Range):
            found[key] = chosen[key]
        else:
            found[key] = values[list(map(_label, values)).index(chosen[key])]
    return found


def sampler_of(config: SweepConfig) -> Sampler:
    """The sampler asked for, or the one that suits the parameters."""
    if config.sampler is not None:
        return config.sampler
    counted = config.trials is None and all(map(_counts, config.parameters.values()))
    return "grid" if counted else "tpe"


def n_trials(config: SweepConfig) -> int:
    """How many trials the sweep has in all.

    Raises:
        ConfigError: a grid is asked for, but a parameter has no end of values, or the grid too
            many points.
    """
    if sampler_of(config) != "grid":
        return config.trials or DEFAULT_TRIALS
    if endless := [key for key, values in config.parameters.items() if not _counts(values)]:
        raise ConfigError(
            f"sweep.parameters.{endless[0]}: a grid needs values that can be counted. "
            "Give a list or a step, or choose the sampler random or tpe."
        )
    size = math.prod(len(_grid_values(values)) for values in config.parameters.values())
    wanted = min(size, config.trials or size)
    if wanted > MAX_TRIALS:
        raise ConfigError(
            f"sweep.parameters: a grid of {size:,} trials is too large. Give fewer values, set "
            "trials, or choose the sampler random or tpe."
        )
    return wanted


def grid_point(config: SweepConfig, number: int) -> dict[str, Any]:
    """What Optuna is to choose for a trial of a grid, counted from 0; the last key runs fastest."""
    chosen: dict[str, Any] = {}
    for key, values in reversed(config.parameters.items()):
        possible = _grid_values(values)
        number, index = divmod(number, len(possible))
        chosen[key] = possible[index]
    return chosen


def _counts(values: Range | tuple[Node, ...]) -> bool:
    """Whether a parameter's values can be counted."""
    if isinstance(values, Range):
        return values.step is not None or (values.is_whole and not values.log)
    return True


def _grid_values(values: Range | tuple[Node, ...]) -> list[Any]:
    if not isinstance(values, Range):
        return list(map(_label, values))
    low, step = (Decimal(str(number)) for number in (values.low, values.step or 1))
    kind = int if values.is_whole else float
    return [kind(low + step * i) for i in range(_steps(values) + 1)]


def _steps(values: Range) -> int:
    """How often the step fits between low and high, as written: 0.1 is not a binary number."""
    low, high, step = (Decimal(str(n)) for n in (values.low, values.high, values.step or 1))
    return int((high - low) // step)


def _distribution(values: Range) -> BaseDistribution:
    step = values.step
    high = values.high
    if step is not None:
        high = Decimal(str(values.low)) + _steps(values) * Decimal(str(step))
    if values.is_whole:
        return IntDistribution(values.low, int(high), log=values.log, step=step or 1)
    return FloatDistribution(float(values.low), float(high), log=values.log, step=step)


def _choices(values: tuple[Node, ...]) -> CategoricalDistribution:
    return CategoricalDistribution(list(map(_label, values)))


def _label(value: Node) -> str | int | float | bool | None:
    """A choice as Optuna stores it."""
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    return value
