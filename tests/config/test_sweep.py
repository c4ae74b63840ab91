import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.config import dump_experiment, parse_experiment, parse_file
from apple_clf.config.schema import Momentum
from apple_clf.config.schema.sweep import Range
from apple_clf.config.sweep import Parameters, SweepPlan, parse_sweep
from apple_clf.errors import ConfigError

SECTION = """\
seed: 7
sweep:
  parameters:
    training.learning_rate: [1e-4, 1e-3]
    training.batch_size: {low: 16, high: 64, step: 16}
"""


def parsed(text: str, *overrides: str) -> SweepPlan:
    return parse_sweep(text.encode(), filename="f", overrides=overrides)


def problems(text: str, *overrides: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        parsed(text, *overrides)
    return str(error.value).splitlines()


def test_lists_and_ranges_are_read() -> None:
    assert parsed(SECTION).config.parameters == {
        "training.learning_rate": (1e-4, 1e-3),
        "training.batch_size": Range(low=16, high=64, step=16),
    }


@pytest.mark.parametrize(
    ("override", "key", "expected"),
    [
        ("training.learning_rate=1e-4,1e-3,1", "training.learning_rate", (1e-4, 1e-3, 1)),
        ("model.units=[64,32],[128]", "model.units", ([64, 32], [128])),
        ("training.optimizer=adam,{type: sgd, momentum: 0.9}", "training.optimizer", None),
        ("data.path='a,b',c", "data.path", ("a,b", "c")),
    ],
    ids=["numbers", "brackets", "braces", "quotes"],
)
def test_commas_outside_brackets_and_quotes_part_values(
    override: str, key: str, expected: tuple[object, ...] | None
) -> None:
    values = parsed("data: {source: folder, path: x}", override).config.parameters[key]

    assert isinstance(values, tuple)
    assert values == expected if expected else len(values) == 2


def test_one_value_fixes_a_key_even_if_the_file_tries_it() -> None:
    plan = parsed(SECTION, "training.learning_rate=0.5")

    assert set(plan.config.parameters) == {"training.batch_size"}
    assert plan.experiment.training.learning_rate == 0.5


def test_values_of_the_command_line_take_the_place_of_the_files() -> None:
    plan = parsed(SECTION, "training.batch_size=8,9", "sweep.trials=3")

    assert plan.config.parameters["training.batch_size"] == (8, 9)
    assert plan.config.trials == 3


def test_a_trial_is_the_experiment_with_its_values_and_seed() -> None:
    plan = parsed(SECTION, "training.epochs=3", "sweep.trials=3")
    values: Parameters = {"training.batch_size": 32, "training.optimizer": {"type": "momentum"}}
    experiment = plan.experiment_of(values, repeat=2)

    assert (experiment.seed, experiment.training.epochs) == (9, 3)
    assert experiment.training.batch_size == 32
    assert isinstance(experiment.training.optimizer, Momentum)


@given(st.recursive(st.text() | st.integers() | st.booleans() | st.none(), st.lists))
def test_any_value_reaches_the_experiment_as_it_was(value: object) -> None:
    plan = parsed(SECTION)
    try:
        experiment = plan.experiment_of({"data.positive_class": value}, repeat=0)  # type: ignore[dict-item]  # any
    except ConfigError:
        return
    assert experiment.data.positive_class == value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "sweep: {parameters: {training.learing_rate: [1]}}",
            "f:1:46: training.learing_rate is not a key. Did you mean learning_rate?",
        ),
        (
            "sweep: {parameters: {training.epochs: [3, 0]}}",
            "f:1:43: training.epochs must be a whole number from 1 to 100000, not 0.",
        ),
        (
            "sweep: {parameters: {training.epochs: {low: 0, high: 9}}}",
            "f:1:45: training.epochs must be a whole number from 1 to 100000, not 0.",
        ),
        (
            "sweep: {parameters: {seed: {low: 3, high: 1}}}",
            "f:1:43: sweep.parameters.seed.high must be above low.",
        ),
        (
            "sweep: {parameters: {seed: {low: a, high: 1}}}",
            "f:1:34: sweep.parameters.seed.low must be a number, not the text 'a'.",
        ),
        (
            "sweep: {parameters: {seed: {low: 0, high: 1, log: true}}}",
            "f:1:34: sweep.parameters.seed.low must be above 0 where log is true.",
        ),
        (
            "sweep: {parameters: {seed: [1]}, trails: 3}",
            "f:1:34: sweep.trails is not a key. Did you mean trials?",
        ),
        (
            "sweep: {parameters: {}}",
            "f:1:21: sweep.parameters must name a key to try values of.",
        ),
        (
            "sweep: {parameters: {sweep.trials: [1]}}",
            "f:1:21: sweep.parameters must not name 'sweep.trials', which changes nothing that "
            "is learnt.",
        ),
    ],
    ids=["key", "choice", "end", "order", "number", "log", "section", "none", "itself"],
)
def test_mistakes_are_told_with_their_place(text: str, expected: str) -> None:
    assert problems(text) == [expected]


def test_mistakes_of_experiment_and_sweep_are_told_at_once() -> None:
    told = problems("training: {epochs: 0}\nsweep: {parameters: {seed: []}, sampler: gird}")

    assert [line.split(" ")[0] for line in told] == ["f:1:20:", "f:2:28:", "f:2:42:"]


def test_mistakes_of_an_override_name_it() -> None:
    (told,) = problems("{}", "training.epochs=1,x")

    assert told.startswith("--set training.epochs=1,x: training.epochs must be a whole number")


@pytest.mark.parametrize("overrides", [[], ["sweep.trials=3"], ["training.epochs=3"]])
def test_nothing_to_try_is_told(overrides: list[str]) -> None:
    (told,) = problems("{}", *overrides)

    assert "there is nothing to try" in told


def test_the_experiment_does_not_know_of_the_sweep() -> None:
    experiment = parse_experiment(SECTION, filename="f")

    assert experiment == parse_experiment("seed: 7", filename="f")
    assert "sweep" not in dump_experiment(experiment)


def test_a_file_with_a_sweep_can_be_shown_and_read_again() -> None:
    file = parse_file(SECTION, filename="f")

    assert parse_file(dump_experiment(file), filename="g") == file
