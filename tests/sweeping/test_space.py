from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from apple_clf.config.schema.sweep import Range, SweepConfig
from apple_clf.errors import ConfigError
from apple_clf.sweeping.space import (
    DEFAULT_TRIALS,
    distributions,
    grid_point,
    n_trials,
    parameters_of,
    sampler_of,
)


def config(parameters: dict[str, Any], **others: Any) -> SweepConfig:
    return SweepConfig(parameters=parameters, **others)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((1e-4, "adam"), CategoricalDistribution([1e-4, "adam"])),
        (([64, 32], [128]), CategoricalDistribution(["[64, 32]", "[128]"])),
        (Range(low=1e-5, high=0.1, log=True), FloatDistribution(1e-5, 0.1, log=True)),
        (Range(low=16, high=256, step=16), IntDistribution(16, 256, step=16)),
        (Range(low=1, high=10, step=4), IntDistribution(1, 9, step=4)),
        (Range(low=1, high=8, log=True), IntDistribution(1, 8, log=True)),
        (Range(low=0.1, high=0.75, step=0.2), FloatDistribution(0.1, 0.7, step=0.2)),
        (Range(low=0, high=0.5), FloatDistribution(0.0, 0.5)),
    ],
    ids=["choices", "lists", "log", "whole", "uneven", "whole log", "steps", "mixed"],
)
def test_parameters_become_distributions(values: Any, expected: object) -> None:
    assert distributions(config({"x": values})) == {"x": expected}


def test_choices_come_back_as_they_were_written() -> None:
    choices = ([64, 32], {"type": "sgd"}, None, True, 3)
    swept = config({"x": choices})

    for label, value in zip(distributions(swept)["x"].choices, choices, strict=True):  # type: ignore[attr-defined]  # it is of choices
        assert parameters_of(swept, {"x": label}) == {"x": value}


@given(st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_a_grid_holds_every_combination_once(sizes: list[int]) -> None:
    swept = config({str(i): tuple(range(size)) for i, size in enumerate(sizes)})
    points = [tuple(sorted(grid_point(swept, n).items())) for n in range(n_trials(swept))]

    size = 1
    for n in sizes:
        size *= n
    assert len(points) == len(set(points)) == size


def test_a_grid_of_steps_has_the_numbers_that_were_meant() -> None:
    swept = config({"x": Range(low=0.1, high=0.5, step=0.1)})

    assert [grid_point(swept, n)["x"] for n in range(5)] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert n_trials(swept) == 5


def test_the_last_key_of_a_grid_runs_fastest() -> None:
    swept = config({"a": (1, 2), "b": ("x", "y")})

    found = [tuple(grid_point(swept, n)[key] for key in "ab") for n in range(4)]
    assert found == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]


@pytest.mark.parametrize(
    ("parameters", "others", "expected"),
    [
        ({"x": (1, 2)}, {}, ("grid", 2)),
        ({"x": (1, 2)}, {"trials": 7}, ("tpe", 7)),
        ({"x": (1, 2)}, {"trials": 1, "sampler": "grid"}, ("grid", 1)),
        ({"x": Range(low=0.0, high=1.0)}, {}, ("tpe", DEFAULT_TRIALS)),
        ({"x": Range(low=0, high=9)}, {}, ("grid", 10)),
        ({"x": (1, 2)}, {"sampler": "random"}, ("random", DEFAULT_TRIALS)),
    ],
    ids=["counted", "trials", "part of a grid", "endless", "whole", "random"],
)
def test_sampler_and_number_of_trials_follow_from_what_is_asked(
    parameters: dict[str, Any], others: dict[str, Any], expected: tuple[str, int]
) -> None:
    swept = config(parameters, **others)

    assert (sampler_of(swept), n_trials(swept)) == expected


def test_a_grid_without_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="values that can be counted"):
        n_trials(config({"x": Range(low=0.0, high=1.0)}, sampler="grid"))


def test_a_grid_beyond_all_bounds_is_refused() -> None:
    with pytest.raises(ConfigError, match="1,000,000 trials is too large"):
        n_trials(config({str(i): tuple(range(10)) for i in range(6)}))
