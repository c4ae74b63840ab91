import json
from pathlib import Path

import pytest
import yaml

from apple_clf.config import (
    dump_experiment,
    load_recorded,
    parse_experiment,
    parse_recorded,
    with_younger_keys,
)
from apple_clf.config.schema import Experiment, SimulatedData
from apple_clf.errors import ConfigError


def recorded_before_version_2() -> dict[str, object]:
    content: dict[str, dict[str, object]] = yaml.safe_load(dump_experiment(Experiment()))
    del content["preprocessing"]["reader"], content["preprocessing"]["max_value"]
    del content["data"]["line_drawings"], content["training"]["redrawn_copies"]
    return dict(content)


def test_an_experiment_of_an_earlier_version_means_what_it_did(tmp_path: Path) -> None:
    path = tmp_path / "resolved.yaml"
    path.write_text(yaml.safe_dump(recorded_before_version_2()))
    experiment = load_recorded(path)
    assert experiment.preprocessing.reader == "pixels"
    assert isinstance(experiment.data, SimulatedData)
    assert experiment.data.line_drawings == 0.6
    assert experiment.training.redrawn_copies == 0


def test_an_experiment_of_this_version_is_what_was_recorded() -> None:
    for text in ("{}", "{preprocessing: {reader: paper}, training: {redrawn_copies: 2}}"):
        experiment = parse_experiment(text, filename="x")
        assert parse_recorded(dump_experiment(experiment), filename="x") == experiment


def test_sources_without_line_drawings_get_none() -> None:
    content = json.loads('{"preprocessing": {}, "data": {"source": "noise"}}')
    assert with_younger_keys(content)["data"] == {"source": "noise"}


@pytest.mark.parametrize("text", ["- 1", "preprocessing: 3", "data: [1]"])
def test_a_damaged_record_is_a_config_error(text: str) -> None:
    with pytest.raises(ConfigError):
        parse_recorded(text, filename="resolved.yaml")
