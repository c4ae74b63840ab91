"""Where trainings may be tracked."""

import pytest

from apple_clf.config import dump_experiment, first_difference, parse_experiment
from apple_clf.config.schema import Experiment, TrackingConfig
from apple_clf.errors import ConfigError


def tracked(text: str) -> Experiment:
    return parse_experiment(f"tracking: {text}", filename="e.yaml")


def test_nothing_is_tracked_unless_asked() -> None:
    assert Experiment().tracking == TrackingConfig(mlflow=None, tensorboard=None)
    assert "tracking:\n  mlflow: null\n  tensorboard: null\n" in dump_experiment(Experiment())


def test_defaults_of_each_place() -> None:
    config = tracked("{mlflow: {}, tensorboard: {}}").tracking
    assert config.mlflow is not None
    assert config.tensorboard is not None
    assert (config.mlflow.uri, config.mlflow.experiment) == ("sqlite:///mlflow.db", "apple-clf")
    assert config.tensorboard.folder == "tensorboard"


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite:////srv/mlflow.db",
        "postgresql+psycopg://user@host/mlflow",
        "https://mlflow.example.org:5000",
    ],
)
def test_address_is_taken(uri: str) -> None:
    config = tracked(f"{{mlflow: {{uri: '{uri}'}}}}").tracking.mlflow
    assert config is not None
    assert config.uri == uri


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("mlruns", "an address such as sqlite:///mlflow.db"),
        ("file:///mlruns", "an address such as sqlite:///mlflow.db"),
        ("sqlite:///my runs.db", "an address such as sqlite:///mlflow.db"),
        ("https://me:secret@host", "must hold no password"),
        ("postgresql://me:secret@host/db", "must hold no password"),
    ],
)
def test_address_is_refused(uri: str, reason: str) -> None:
    with pytest.raises(ConfigError) as error:
        tracked(f"{{mlflow: {{uri: '{uri}'}}}}")
    assert str(error.value).startswith("e.yaml:1:")
    assert "tracking.mlflow.uri" in str(error.value)
    assert reason in str(error.value)


def test_another_place_is_no_difference() -> None:
    assert first_difference(Experiment(), tracked("{tensorboard: {}}")) is None
    difference = first_difference(Experiment(), Experiment(seed=1))
    assert difference == "seed was 42 and is now 1"
