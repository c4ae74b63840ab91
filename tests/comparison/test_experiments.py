from pathlib import Path

import pytest

from apple_clf.comparison.experiments import differences, leaves, read_experiment, read_value
from apple_clf.config import dump_experiment, parse_experiment


def experiment(path: Path, *overrides: str) -> Path:
    path.write_text(dump_experiment(parse_experiment("{}", filename="test", overrides=overrides)))
    return path


def test_every_value_is_read_alone_as_with_all_others(tmp_path: Path) -> None:
    overrides = (
        "training.optimizer={type: adam, clipnorm: 1.0}",
        "training.learning_rate={type: cosine, initial: 1e-5}",
        "model.layers=[{type: residual, layers: [{type: dense, units: 8}]}, {type: flatten}]",
        "data={source: folder, path: 'a: b'}",
    )
    path = experiment(tmp_path / "resolved.yaml", *overrides)
    found = dict(leaves(read_experiment(path)))
    assert found["model.layers.0.layers.0.units"] == 8
    assert found["preprocessing.image_size"] == [28, 28]
    assert found["training.learning_rate.initial"] == 1e-5
    assert {key: read_value(path, key) for key in found} == found


@pytest.mark.parametrize("key", ["training.optimiser", "train", "model.layers.9.units", "a.b"])
def test_a_key_that_is_not_there_is_told(tmp_path: Path, key: str) -> None:
    with pytest.raises(KeyError):
        read_value(experiment(tmp_path / "resolved.yaml"), key)


@pytest.mark.parametrize("text", ["- 1", "a: [", "'", "[" * 2000])
def test_what_is_no_experiment_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "resolved.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"not (a )?YAML"):
        read_experiment(tmp_path / "resolved.yaml")


def test_only_what_differs_is_listed(tmp_path: Path) -> None:
    trees = [
        read_experiment(experiment(tmp_path / "a", "training.batch_size=8", "seed=1")),
        read_experiment(experiment(tmp_path / "b", "training.optimizer=sgd", "seed=1")),
        None,
    ]
    found = differences(trees)
    assert found["training.batch_size"] == (8, 32, None)
    assert found["training.optimizer.type"] == ("adam", "sgd", None)
    assert found["training.optimizer.momentum"][0] is None
    assert all(key.startswith(("training.batch_size", "training.optimizer")) for key in found)
    assert differences([trees[0], None]) == {}


def test_layers_of_the_same_types_are_compared_one_by_one(tmp_path: Path) -> None:
    layers = "model.layers=[{{type: dense, units: {}}}]"
    trees = [
        read_experiment(experiment(tmp_path / str(units), layers.format(units)))
        for units in (8, 16)
    ]
    assert differences(trees) == {"model.layers.0.units": (8, 16)}


def test_layers_of_other_types_are_told_in_a_line(tmp_path: Path) -> None:
    trees = [
        read_experiment(experiment(tmp_path / str(i), f"model.layers={layers}"))
        for i, layers in enumerate(
            [
                "[{type: dense, units: 8, activation: relu}, {type: dropout, rate: 0.2}]",
                "[{type: residual, layers: [{type: dense, units: 4}]}]",
                "[]",
            ]
        )
    ]
    assert differences(trees) == {
        "model.layers": ("dense 8 relu, dropout 0.2", "residual (dense 4)", "")
    }
