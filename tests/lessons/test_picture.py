import io

import numpy as np
import pytest
from diagnosis.records import make_record, make_statistics
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from apple_clf.lessons.picture import _apart, draw

RECORDS = {
    "much": make_record(loss=[0.7, 0.3, 0.1]),
    "once": make_record(loss=[0.7]),
    "none": make_record(statistics=make_statistics(gradient_norm=[0.0, 1e-5, 0.1])),
}


def pixels(png: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize("show", ["gradients", ("loss",)], ids=str)
def test_every_experiment_has_a_line_in_a_picture_of_one_size(show: str | tuple[str]) -> None:
    whole = pixels(draw(RECORDS, show=show, title="All"))
    assert whole.shape == (340, 800, 3)
    for name in RECORDS:
        others = {key: RECORDS[key] for key in RECORDS if key != name}
        assert (pixels(draw(others, show=show, title="All")) != whole).any()


def test_same_runs_give_the_same_bytes() -> None:
    assert draw(RECORDS, show=("loss",), title="A") == draw(RECORDS, show=("loss",), title="A")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_names_are_apart_in_order_and_in_the_frame(heights: list[float]) -> None:
    moved = _apart(np.array(sorted(heights)), 0.09)
    assert (np.diff(moved) >= 0.09 - 1e-9).all()
    assert moved[-1] <= 1
    assert moved[0] >= 0


def test_names_that_are_apart_stay_where_they_are() -> None:
    np.testing.assert_allclose(_apart(np.array([0.1, 0.5, 0.9]), 0.09), [0.1, 0.5, 0.9])
