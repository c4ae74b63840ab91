"""Learning curves: what is drawn, what is left out, and which epoch is marked."""

import io

import numpy as np
import pytest
from PIL import Image

from apple_clf.plots.curves import (
    KeptEpoch,
    learning_charts,
    learning_curves,
    named_curves,
    overlaid_curves,
)

pytestmark = pytest.mark.slow

HISTORIES = {
    "much": {"loss": [0.7, 0.3, 0.1], "val_loss": [0.8, 0.7, 0.9]},
    "once": {"loss": [0.7], "val_loss": [0.6]},
    "none": {"loss": [0.7, 0.6], "val_loss": [0.7, 0.6]},
}


def pixels(png: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))


@pytest.mark.parametrize(
    "history",
    [
        pytest.param({"loss": [0.5], "accuracy": [0.7]}, id="one epoch, no validation"),
        pytest.param({}, id="nothing"),
        pytest.param({"loss": [np.nan, np.inf], "accuracy": [0.5, 0.5]}, id="diverged"),
        pytest.param({"loss": [1.0, 1.7e308], "val_loss": [1.0, 2.0, 3.0]}, id="huge"),
        pytest.param({"loss": [0.0] * 9, "val_loss": [0.0] * 9}, id="constant and equal"),
        pytest.param({"loss": [1, np.nan, 2], "val_loss": [np.nan, 1, np.nan]}, id="with gaps"),
    ],
)
@pytest.mark.parametrize("kept", [None, KeptEpoch(1, "val_loss")], ids=["unmarked", "marked"])
def test_learning_curves(history: dict[str, list[float]], kept: KeptEpoch | None) -> None:
    first = learning_curves(history, kept=kept)
    assert pixels(first).shape == (340, 800, 3)
    assert learning_curves(history, kept=kept) == first


def test_kept_epoch_is_marked_but_not_where_the_frame_ends() -> None:
    history = {"loss": [3.0, 2.0, 1.0]}
    plain, first, second, last = (
        learning_curves(history, kept=kept)
        for kept in (None, KeptEpoch(1, None), KeptEpoch(2, None), KeptEpoch(3, None))
    )
    assert len({plain, first, second}) == 3
    assert last == plain


@pytest.mark.parametrize(
    ("monitor", "label"),
    [
        ("val_accuracy", "epoch (dotted: 2, weights kept, best val_accuracy)"),
        (None, "epoch (dotted: 2, weights kept)"),
    ],
)
def test_chart_says_which_epoch_was_kept_and_by_which_measure(
    monitor: str | None, label: str
) -> None:
    history = {"loss": [3.0, 2.0, 1.0], "val_loss": [1.0, 2.0, 3.0]}
    loss, accuracy = learning_charts(history, kept=KeptEpoch(2, monitor))
    assert loss.x_label == accuracy.x_label == label
    assert loss.marker == dict(zip("123", [at for at, _ in loss.x_ticks], strict=True))["2"]


@pytest.mark.parametrize("kept", [None, KeptEpoch(3, "val_loss")], ids=["none", "the last"])
def test_chart_has_no_marker_without_an_epoch_or_at_the_last_one(kept: KeptEpoch | None) -> None:
    loss, _ = learning_charts({"loss": [3.0, 2.0, 1.0], "accuracy": [0.1] * 3}, kept=kept)
    assert (loss.x_label, loss.marker) == ("epoch", None)


def test_every_training_has_a_line_in_a_picture_of_one_size() -> None:
    whole = pixels(named_curves(HISTORIES, columns=("loss", "val_loss"), title="All"))
    assert whole.shape == (340, 800, 3)
    for name in HISTORIES:
        others = {key: HISTORIES[key] for key in HISTORIES if key != name}
        shown = pixels(named_curves(others, columns=("loss", "val_loss"), title="All"))
        assert (shown != whole).any()


def test_same_histories_give_the_same_bytes() -> None:
    first, second = (named_curves(HISTORIES, columns=("loss",), title="A") for _ in range(2))
    assert first == second


def test_page_of_overlaid_curves_grows_with_the_names() -> None:
    few, many = (overlaid_curves(["a"] * n, [[HISTORIES["much"]]] * n) for n in (1, 3))
    assert pixels(many).shape[0] == pixels(few).shape[0] + 2 * 17
