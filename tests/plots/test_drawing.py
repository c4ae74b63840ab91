"""Names fit to draw, names apart, and a look that no user's settings change."""

import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apple_clf.plots import drawing

MISSING = "\ufffd"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("apple", "apple", id="plain"),
        pytest.param("Äpfel, яблоко", "Äpfel, яблоко", id="letters the font has"),
        pytest.param("苹果", MISSING * 2, id="letters it has not"),
        pytest.param("a\nb\x1b[31m", f"a{MISSING}b{MISSING}[31m", id="control characters"),
        pytest.param("\u202eelppa", f"{MISSING}elppa", id="text direction override"),
        pytest.param("bad\udcff", f"bad{MISSING}", id="undecodable byte"),
        pytest.param("$x^2$", r"\$x^2\$", id="mathematics"),
        pytest.param("a" * 21, "a" * 19 + "…", id="long"),
        pytest.param("a" * 20, "a" * 20, id="just short enough"),
        pytest.param("", "", id="empty"),
    ],
)
def test_fault_29_names_are_fit_to_draw(name: str, shown: str) -> None:
    assert drawing.readable(name, 20) == shown


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_names_are_apart_in_order_and_in_the_frame(heights: list[float]) -> None:
    moved = drawing._apart(np.array(sorted(heights)), 0.09)
    assert (np.diff(moved) >= 0.09 - 1e-9).all()
    assert moved[-1] <= 1
    assert moved[0] >= 0


def test_names_that_are_apart_stay_where_they_are() -> None:
    np.testing.assert_allclose(drawing._apart(np.array([0.1, 0.5, 0.9]), 0.09), [0.1, 0.5, 0.9])


def test_look_is_the_same_whatever_the_settings_and_leaves_them_alone() -> None:
    def picture() -> bytes:
        with drawing.house_style():
            figure = drawing.new_figure(height=60)
            figure.text(0.1, 0.5, "apple")
            return drawing.png(figure)

    plain = picture()
    with mpl.rc_context({"font.size": 20, "figure.facecolor": "red", "savefig.dpi": 30}):
        assert picture() == plain
        assert mpl.rcParams["font.size"] == 20


def test_pictures_are_drawn_without_pyplot_and_imported_without_matplotlib() -> None:
    code = (
        "import sys; from apple_clf import plots; print('matplotlib' in sys.modules);"
        "plots.learning_curves({'loss': [1.0]}, kept=None);"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
