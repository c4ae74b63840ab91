"""Geometry of charts."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.plots.svg import (
    BOTTOM,
    LEFT,
    MAX_POINTS,
    RIGHT,
    TOP,
    Axis,
    Bars,
    Chart,
    Line,
    draw,
    number,
)

UNIT = Axis("", 0, 1)


def chart(line: Line, x: Axis = UNIT, y: Axis = UNIT) -> Chart:
    return draw("title", [line], x=x, y=y, summary="")


def line(*y: float, dots: bool = False) -> Line:
    return Line("", np.linspace(0, 1, len(y)), np.array(y), dots=dots)


def test_corners_of_the_data_are_corners_of_the_frame() -> None:
    (shape,) = chart(line(0, 1)).shapes
    assert shape.path == f"M{LEFT} {BOTTOM}L{RIGHT} {TOP}"


def test_gap_breaks_a_line_and_leaves_a_lone_point_as_a_dot() -> None:
    (shape,) = chart(line(0, 0, math.nan, 1, math.inf)).shapes
    assert shape.path.count("M") == 1
    assert shape.path.count("L") == 1
    assert shape.dots == [(round(LEFT + 0.75 * (RIGHT - LEFT), 1), TOP)]


def test_long_line_is_thinned_and_keeps_its_end() -> None:
    n = 50_000
    (shape,) = chart(Line("", np.linspace(0, 1, n), np.linspace(0, 1, n))).shapes
    assert shape.path.count("L") <= MAX_POINTS + 1
    assert shape.path.endswith(f"L{RIGHT} {TOP}")


def test_empty_line_draws_nothing() -> None:
    (shape,) = chart(line()).shapes
    assert (shape.path, shape.dots) == ("", [])


def test_interval_stands_where_both_ends_are_known() -> None:
    ends = np.array([0.2, math.nan]), np.array([0.4, math.nan])
    series = Line("", np.array([0.0, 1.0]), np.array([0.3, 0.5]), dots=True, spread=ends)
    (shape,) = chart(series).shapes
    (spread,) = shape.spreads
    assert spread[0] == LEFT
    assert spread[1] - spread[2] == pytest.approx(0.2 * (BOTTOM - TOP), abs=0.2)


def test_bars_fill_the_axis_and_empty_ones_are_left_out() -> None:
    bars = [Bars(np.array([0.5, 0.0, 1.0]))]
    first, last = draw("", [], x=UNIT, y=UNIT, summary="", bars=bars).bars
    assert first[0] == LEFT + 1
    assert first[3] == pytest.approx((BOTTOM - TOP) / 2)
    assert last[0] + last[2] == pytest.approx(RIGHT - 1, abs=0.2)


@given(
    low=st.floats(-1e6, 1e6),
    size=st.floats(1e-6, 1e6),
    whole=st.booleans(),
)
def test_ticks_lie_on_the_axis_in_order(low: float, size: float, whole: bool) -> None:
    axis = Axis("", low, low + size, whole=whole)
    values = [value for value, _ in axis.ticks()]
    slack = 1e-6 * max(abs(low), size, 1e-3 * whole)  # a pixel shows less
    assert all(low - slack <= value <= low + size + slack for value in values)
    assert values == sorted(values)
    assert len(values) <= 11
    assert whole or len(values) >= 2
    assert not whole or all(value == round(value) for value in values)


def test_log_ticks_are_powers_of_ten() -> None:
    assert [label for _, label in Axis("", 1e-3, 10, log=True).ticks()] == [
        *("1e-3", "0.01", "0.1", "1", "10")
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.5, "0.5"), (1234, "1,234"), (0.00123, "1.23e-3"), (2e7, "2e7"), (16.31, "16.3")],
)
def test_number_is_short(value: float, text: str) -> None:
    assert number(value) == text
