import json
import platform

import pytest

from apple_clf import __version__
from apple_clf.config.schema import Experiment
from apple_clf.runs.environment import PACKAGES, changed_inputs, environment


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


def test_changed_inputs_are_named_by_their_own_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("XLA_FLAGS", raising=False)
    monkeypatch.setenv("TF_XLA_FLAGS", "a")
    recorded = json.loads(json.dumps(environment(Experiment(), {})))
    assert changed_inputs(recorded) == []
    recorded["threads"] = 8
    recorded["packages"]["keras"] = "2.0"
    recorded["flags"] = {"XLA_FLAGS": "b"}
    keras, *others = changed_inputs(recorded)
    assert keras.startswith("keras was 2.0 and is now 3.")
    assert others == [
        "threads was 8 and is now 1",
        "TF_XLA_FLAGS was None and is now a",
        "XLA_FLAGS was b and is now None",
    ]
