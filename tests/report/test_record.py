"""Settings and what differs from the defaults."""

import pytest

from apple_clf.config import parse_experiment
from apple_clf.report.record import settings


def changed(*overrides: str) -> dict[str, tuple[list[str], str]]:
    experiment = parse_experiment("{}", filename="test", overrides=overrides)
    return {
        setting.key: (setting.values, setting.default)
        for section in settings(experiment).values()
        for setting in section
        if setting.default is not None
    }


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ((), {}),
        (("training.epochs=9",), {"training.epochs": (["9"], "30")}),
        (("seed=1",), {"seed": (["1"], "42")}),
        (
            ("data={source: folder, path: fruit}",),
            {"data.source": (["folder"], "simulated"), "data.path": (["fruit"], "none")},
        ),
        (
            ("training.optimizer={type: sgd, momentum: 0.9}",),
            {"training.optimizer": (["sgd (momentum 0.9)"], "adam")},
        ),
        (
            ("preprocessing.image_size=[14, 14]",),
            {"preprocessing.image_size": (["14, 14"], "28, 28")},
        ),
    ],
    ids=["nothing", "number", "top", "other source", "record", "pair"],
)
def test_only_what_differs_has_a_default_beside_it(
    overrides: tuple[str, ...], expected: dict[str, tuple[list[str], str]]
) -> None:
    assert changed(*overrides) == expected


def test_each_layer_takes_a_line() -> None:
    (found,) = changed("model.layers=[{type: flatten}, {type: dense, units: 8}]").values()
    assert found[0][0] == "flatten"
    assert found[0][1].startswith("dense (units 8")
