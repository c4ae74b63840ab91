import numpy as np
import pytest

from apple_clf.config import parse_experiment
from apple_clf.data.pens import drawn_by_other_pens
from apple_clf.data.split import Split, joined
from apple_clf.errors import ConfigError


def circles(n: int) -> Split:
    """Circles of several sizes with an antialiased line of two pixels."""
    y, x = np.mgrid[:28, :28]
    radii = np.linspace(6, 12, n)[:, None, None]
    line = np.clip(1.5 - np.abs(np.hypot(y - 13.5, x - 13.5) - radii), 0, 1)
    images = np.rint(255 * line).astype(np.uint8)[..., None]
    return Split(images, np.arange(n, dtype=np.int32) % 2, [f"{i}.png" for i in range(n)])


def test_copies_keep_label_and_order() -> None:
    split = circles(6)
    copies = drawn_by_other_pens(split, 2, seed=1)
    assert copies.labels.tolist() == split.labels.tolist() * 2
    assert list(copies.names) == [f"{name} (drawn again)" for name in split.names] * 2
    assert copies.images.shape == (12, 28, 28, 1)


def test_the_first_copy_has_one_line_and_the_others_have_several() -> None:
    split = circles(12)
    copies = drawn_by_other_pens(split, 2, seed=1)
    amounts = copies.images.reshape(2, 12, -1).sum(axis=2, dtype=int)
    assert np.ptp(amounts[0]) < 0.1 * amounts[0].mean()  # all are drawn to the same size
    assert np.ptp(amounts[1]) > 0.5 * amounts[1].mean()


def test_a_seed_gives_the_same_copies() -> None:
    split = circles(40)
    one, same, other = (drawn_by_other_pens(split, 2, seed=seed).images for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_blank_picture_is_copied_as_it_is() -> None:
    blank = Split(np.zeros((1, 28, 28, 1), np.uint8), np.zeros(1, np.int32), ["blank.png"])
    assert not drawn_by_other_pens(blank, 1, seed=0).images.any()


def test_joined_splits_follow_each_other() -> None:
    one, other = circles(3), circles(2)
    both = joined(one, other)
    np.testing.assert_array_equal(both.images, np.concatenate([one.images, other.images]))
    assert both.labels.tolist() == [0, 1, 0, 0, 1]
    assert list(both.names) == [*one.names, *other.names]


@pytest.mark.parametrize(
    "preprocessing", ["{color_mode: rgb}", "{resize: crop}", "{reader: pixels}"]
)
def test_only_drawings_are_drawn_again(preprocessing: str) -> None:
    text = f"preprocessing: {preprocessing}\ntraining: {{redrawn_copies: 1}}\n"
    with pytest.raises(ConfigError, match="redrawn_copies is for drawings"):
        parse_experiment(text, filename="x")
