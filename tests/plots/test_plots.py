"""Pictures: valid, of the promised size, the same twice, and drawn for hostile input."""

import io
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from PIL import Image

from apple_clf import metrics, plots
from apple_clf.arrays import FloatArray, IntArray, UInt8Array
from apple_clf.plots import gallery as page

pytestmark = pytest.mark.slow

HOSTILE = [
    "$a$\\frac{",
    "b\n\x1b[31m",
    "苹果🍎",
    "bad\udcff",
    "<script>",
    "long " * 400,
    "",
    "=cmd",
]


def pixels(png: bytes) -> UInt8Array:
    assert png.startswith(b"\x89PNG")
    with Image.open(io.BytesIO(png)) as image:
        assert image.info.keys() <= {"dpi"}
        return np.asarray(image.convert("RGB"))


def soft_answers(n: int, n_classes: int) -> tuple[IntArray, FloatArray]:
    rng = np.random.default_rng(n)
    return np.arange(n) % n_classes, rng.dirichlet(np.ones(n_classes), n)


def gallery(y_true: IntArray, y_prob: FloatArray, *, shape: tuple[int, ...] = (4, 4, 1)) -> bytes:
    n = len(y_true)
    images = np.random.default_rng(0).integers(0, 255, (n, *shape)).astype(np.uint8)
    names = (HOSTILE * (n // len(HOSTILE) + 1))[:n]
    return plots.mistakes_gallery(
        images, y_true, y_prob, y_pred=y_prob.argmax(axis=1), names=names, class_names=HOSTILE
    )


def confusion(y_true: IntArray, y_prob: FloatArray) -> bytes:
    n_classes = y_prob.shape[1]
    matrix = metrics.confusion_matrix(y_true, y_prob.argmax(axis=1), n_classes=n_classes)
    return plots.confusion_matrix_plot(matrix, (HOSTILE * 8)[:n_classes])


DRAWERS = {
    "confusion": confusion,
    "roc": partial(plots.roc_plot, class_names=HOSTILE * 8, positive=1),
    "reliability": plots.reliability_plot,
}


@pytest.mark.parametrize("drawer", DRAWERS.values(), ids=DRAWERS)
@pytest.mark.parametrize(
    ("n", "n_classes"), [(1, 2), (40, 2), (40, 8), (60, 50)], ids=["n=1", "two", "eight", "fifty"]
)
def test_pictures_of_answers(
    drawer: Callable[[IntArray, FloatArray], bytes], n: int, n_classes: int
) -> None:
    y_true, y_prob = soft_answers(n, n_classes)
    first = drawer(y_true, y_prob)
    assert pixels(first).shape == (640, 800, 3)
    assert drawer(y_true, y_prob) == first


@pytest.mark.parametrize("drawer", DRAWERS.values(), ids=DRAWERS)
def test_pictures_show_their_data(drawer: Callable[[IntArray, FloatArray], bytes]) -> None:
    y_true, y_prob = soft_answers(40, 2)
    assert drawer(y_true, y_prob) != drawer(y_true, y_prob[:, ::-1])


def test_gallery_shows_the_surest_mistakes_first() -> None:
    images = np.array([10, 90, 170, 250], np.uint8)[:, None, None, None]  # one gray each
    y_true = np.array([0, 0, 0, 1])
    y_prob = np.array([[0.3, 0.7], [0.9, 0.1], [0.1, 0.9], [0.2, 0.8]])  # 0 and 2 are wrong
    shown = pixels(
        plots.mistakes_gallery(
            images,
            y_true,
            y_prob,
            y_pred=y_prob.argmax(axis=1),
            names=["a"] * 4,
            class_names=["apple", "pear"],
        )
    )
    middle = page.HEADING + page.TILE // 2
    assert shown[middle, 10 + page.TILE // 2].tolist() == [170] * 3
    assert shown[middle, 142 + page.TILE // 2].tolist() == [10] * 3
    assert shown[middle, 274 + page.TILE // 2].tolist() == [255] * 3


@pytest.mark.parametrize(
    ("n", "height"), [(6, 212), (7, 380), (24, 716), (60, 716)], ids=lambda value: str(value)
)
@pytest.mark.parametrize("shape", [(1, 1, 1), (28, 28, 1), (90, 200, 3)], ids=str)
def test_gallery_is_as_high_as_its_rows(n: int, height: int, shape: tuple[int, ...]) -> None:
    wrong = np.eye(2)[np.ones(n, np.int64)]
    png = gallery(np.zeros(n, np.int64), wrong, shape=shape)
    assert pixels(png).shape == (height, 800, 3)
    assert gallery(np.zeros(n, np.int64), wrong, shape=shape) == png


@pytest.mark.parametrize("n", [0, 1, 30])
def test_gallery_without_mistakes_says_so(n: int) -> None:
    y_true = np.arange(n) % 2
    shown = pixels(gallery(y_true, np.eye(2)[y_true]))
    assert shown.shape == (44, 800, 3)
    assert (shown < 128).any()  # words


def test_gallery_goes_by_what_was_answered_not_by_what_is_most_probable() -> None:
    y_true, y_prob = np.array([0, 1]), np.array([[0.4, 0.6], [0.3, 0.7]])
    pictures = {
        tuple(y_pred): plots.mistakes_gallery(
            np.zeros((2, 4, 4, 1), np.uint8),
            y_true,
            y_prob,
            y_pred=np.array(y_pred),
            names=["a", "b"],
            class_names=["apple", "pear"],
        )
        for y_pred in ([0, 1], [1, 1], [0, 0])
    }
    assert len(set(pictures.values())) == 3
    assert pixels(pictures[0, 1]).shape == (44, 800, 3)


def test_reliability_before_calibration_is_drawn_beside_the_one_after() -> None:
    y_true, y_prob = soft_answers(40, 2)
    alone = plots.reliability_plot(y_true, y_prob)
    other, third = (
        plots.reliability_plot(y_true, y_prob, as_trained=np.sqrt(y_prob) / scale)
        for scale in (2, 3)
    )
    assert len({alone, other, third}) == 3


def test_reliability_needs_images() -> None:
    with pytest.raises(ValueError, match="0 images"):
        plots.reliability_plot(np.zeros(0, np.int64), np.zeros((0, 2)))
