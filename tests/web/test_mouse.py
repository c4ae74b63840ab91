"""The mouse that draws on the page: what it draws, and how its answers are counted."""

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from benchmarks.mouse import Answered, draw_all, judge, open_page, table
from benchmarks.mouse_drawings import Drawing, drawings
from benchmarks.serving import server as served
from web.serving import Server

if TYPE_CHECKING:
    from playwright.sync_api import Browser

TWO = ("apple", "not_apple")


def answer(class_name: str, *, unsure: bool = False, names: tuple[str, ...] = TWO) -> Any:
    probabilities = dict.fromkeys(names, 0.1) | {class_name: 0.9}
    return {
        **{"class": class_name, "probability": 0.9},
        **{"probabilities": probabilities, "unsure": unsure},
    }


@pytest.mark.parametrize(
    ("kind", "answered", "verdict"),
    [
        ("apple", answer("apple"), "right"),
        ("apple", answer("not_apple"), "wrong"),
        ("star", answer("not_apple"), "right"),
        ("star", answer("apple"), "wrong"),
        ("apple", answer("apple", unsure=True), "unsure"),
        ("star", answer("apple", unsure=True), "unsure"),
        ("pear", answer("pear", names=("apple", "pear", "plum")), "right"),
        ("pear", answer("plum", names=("apple", "pear", "plum")), "wrong"),
        ("star", answer("plum", names=("apple", "pear", "plum")), "right"),
    ],
)
def test_own_name_is_right_or_where_there_is_none_anything_but_apple(
    kind: str, answered: Any, verdict: str
) -> None:
    assert judge(Drawing(kind, "", []), answered).verdict == verdict


def test_six_apples_and_six_others_lie_on_the_paper() -> None:
    every = drawings()
    assert [drawing.kind == "apple" for drawing in every] == [True, False] * 6
    assert len({drawing.name for drawing in every}) == 12
    places = [value for d in every for stroke in d.strokes for point in stroke for value in point]
    assert min(places) > 0
    assert max(places) < 100


def test_curves_have_no_gap() -> None:
    apple = drawings()[0]
    for stroke in apple.strokes:
        steps = [max(abs(a[0] - b[0]), abs(a[1] - b[1])) for a, b in pairwise(stroke)]
        assert 0 < max(steps) < 4


def test_table_counts_apples_and_others() -> None:
    apple, star = Drawing("apple", "small", []), Drawing("star", "", [])
    answers = [
        Answered(apple, "apple", 0.9, "right"),
        Answered(apple, "apple", 0.5, "unsure"),
        Answered(star, "apple", 0.8, "wrong"),
    ]
    lines = [line.split() for line in table(answers)]
    assert lines[1] == ["apple,", "small", "right", "apple", "0.900"]
    assert lines[-4:] == [
        ["right", "unsure", "wrong"],
        ["apples", "1", "1", "0"],
        ["others", "0", "0", "1"],
        ["all", "1", "1", "1"],
    ]


@pytest.mark.slow
def test_mouse_draws_and_records_what_the_page_answers(
    browser: "Browser", server: Server, tmp_path: Path
) -> None:
    every = drawings()
    with open_page(browser, server.url) as page:
        found = list(draw_all(page, every[:2], out=tmp_path))
    assert [(each.drawing, each.verdict) for each in found] == [
        (every[0], "right"),
        (every[1], "right"),
    ]
    shots = sorted(path.name for path in tmp_path.iterdir())
    assert shots == ["01_apple_stem_and_leaf.png", "02_pear.png"]
    with Image.open(tmp_path / shots[0]) as shot:
        assert shot.width == 1280


@pytest.mark.slow
def test_run_that_cannot_be_served_is_told_with_what_the_server_said(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="did not start: Error: "), served(tmp_path / "none"):
        pass
