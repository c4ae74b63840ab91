import pytest

from apple_clf.config import first_difference, parse_experiment


def difference(before: str, after: str) -> str | None:
    return first_difference(
        parse_experiment(before, filename="before"), parse_experiment(after, filename="after")
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("seed: 1", "seed: 1", None, id="same"),
        pytest.param("{}", "training: {epochs: 30}", None, id="default_written_out"),
        pytest.param("seed: 1", "seed: 2", "seed was 1 and is now 2", id="value"),
        pytest.param(
            "training: {batch_size: 8}",
            "training: {batch_size: 9}",
            "training.batch_size was 8 and is now 9",
            id="nested",
        ),
        pytest.param(
            "model: {units: [4, 3]}",
            "model: {units: [4, 5]}",
            "model.layers.1.units was 3 and is now 5",
            id="in_a_list",
        ),
    ],
)
def test_first_key_that_differs_is_named(before: str, after: str, expected: str | None) -> None:
    assert difference(before, after) == expected


def test_key_that_was_not_there_is_named() -> None:
    stopping = "training: {early_stopping: {patience: 2}}"
    assert "training.early_stopping" in str(difference("{}", stopping))
    assert "training.early_stopping" in str(difference(stopping, "{}"))
