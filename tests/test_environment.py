import json
import platform

import pytest

from apple_clf import __version__
from apple_clf.config.schema import Experiment
from apple_clf.environment import PACKAGES, environment


def test_environment_says_what_numbers_depend_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--xla_x=1")
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    content = environment(Experiment(seed=7), {"data": 1.23456, "all": 0.0})
    assert content["apple_clf"] == __version__
    assert content["python"] == platform.python_version()
    assert content["threads"] == 1
    assert Experiment.model_validate_json(json.dumps(content["experiment"])).seed == 7
    assert content["duration_seconds"] == {"data": 1.235, "all": 0.0}
    packages = content["packages"]
    assert isinstance(packages, dict)
    assert set(packages) == set(PACKAGES)
    text = json.dumps(content, allow_nan=False)
    assert json.loads(text) == content
    assert "--xla_x=1" in text
    assert "hunter2" not in text
