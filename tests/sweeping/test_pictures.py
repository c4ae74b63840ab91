import io
from typing import Any

import pytest
from PIL import Image

from apple_clf.sweeping.pictures import draw


def record(rank: int | None, value: float | None, **parameters: Any) -> dict[str, Any]:
    return {
        "rank": rank,
        "trial": 7,
        "value": value,
        "spread": None,
        "parameters": {f"training.{key}": tried for key, tried in parameters.items()},
    }


def test_pictures_show_numbers_names_and_lists_alike() -> None:
    records = [
        record(1, 0.9, rate=1e-3, layers=[64, 32], loss="$a$", same=3),
        record(2, 0.8, rate=1e-5, layers=[8], loss=None, same=3),
        record(None, None),
    ]
    pictures = draw(records, metric="val_accuracy", importance={"training.rate": 0.8, "x": 0.2})

    assert set(pictures) == {"leaderboard", "importance", "parallel_coordinates"}
    for picture in pictures.values():
        assert Image.open(io.BytesIO(picture)).width == 800


@pytest.mark.parametrize("n_finished", [0, 1])
def test_fewer_than_two_trials_are_not_compared(n_finished: int) -> None:
    records = [record(1, 0.9, rate=1.0)] * n_finished + [record(None, None)]

    assert draw(records, metric="val_loss", importance={}) == {}
