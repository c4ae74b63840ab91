import numpy as np
import pytest

from apple_clf.arrays import FloatArray
from apple_clf.data.simulation.shapes import DRAW, MAX_ROLLS, Dice, Part


def _dice(n: int = 200, *, seed: int = 0) -> Dice:
    return Dice(np.random.default_rng(seed).random((n, MAX_ROLLS)))


def test_dice_give_every_number_once_in_order() -> None:
    dice = Dice(np.arange(6.0).reshape(1, 6) / 8)
    assert dice.uniform(0, 8).tolist() == [[0]]
    assert dice.uniform(0, 8, columns=2).tolist() == [[1, 2]]
    assert dice.within(4).tolist() == [[-1 + 0j]]
    assert dice.chance(0.5).tolist() == [[False]]


def test_dice_refuse_more_rolls_than_there_are() -> None:
    dice = _dice()
    dice.uniform(0, 1, columns=MAX_ROLLS)
    with pytest.raises(IndexError):
        dice.uniform(0, 1)


def test_pick_takes_each_option_equally_often() -> None:
    dice = Dice((np.arange(300)[:, None] + 0.5) / 300)
    assert np.unique(dice.pick(2, 3, 5), return_counts=True)[1].tolist() == [100] * 3


@pytest.mark.parametrize("kind", DRAW)
def test_a_drawing_is_the_same_whichever_are_drawn_along_with_it(kind: str) -> None:
    rolls = np.random.default_rng(1).random((5, MAX_ROLLS))
    together, alone = DRAW[kind](Dice(rolls)), DRAW[kind](Dice(rolls[3:4]))
    for many, one in zip(together, alone, strict=True):
        points = np.broadcast_to(many.points, (5, many.points.shape[-1]))
        np.testing.assert_allclose(points[3:4], np.atleast_2d(one.points), atol=1e-12)


@pytest.mark.parametrize("kind", DRAW)
def test_every_drawing_begins_with_a_body_of_about_unit_size(kind: str) -> None:
    body = DRAW[kind](_dice())[0]
    assert body.filled
    assert np.isfinite(body.points).all()
    assert np.abs(body.points).max() < 3


def _tops(part: Part) -> FloatArray:
    """The highest point of each drawing's stroke, y upwards, -inf where it is missing."""
    tops: FloatArray = np.where(np.isnan(part.points), -np.inf, -part.points.imag).max(axis=1)
    return tops


def test_apples_have_their_stem_on_top() -> None:
    body, stem = DRAW["apple"](_dice())[:2]
    has_stem = np.isfinite(stem.points).all(axis=1)
    assert 0.85 < has_stem.mean() < 1
    assert (_tops(stem) > _tops(body))[has_stem].mean() > 0.95


def test_most_apples_have_a_dimple_on_top() -> None:
    body = DRAW["apple"](_dice())[0]
    depth = _tops(body) + body.points[:, 0].imag  # the stroke starts in the middle of the top
    assert 0.6 < (depth > 0.05).mean() < 0.9


def test_pears_are_narrower_at_the_top_than_at_the_bottom() -> None:
    body = DRAW["pear"](_dice())[0].points
    upper, lower = np.where(body.imag < 0, body.real, 0), np.where(body.imag > 0, body.real, 0)
    assert (np.ptp(upper, axis=1) < 0.95 * np.ptp(lower, axis=1)).all()


def test_cherries_are_two_balls_whose_stems_meet() -> None:
    left, right, *stems = (part.points for part in DRAW["cherry"](_dice())[:4])
    assert (left.mean(axis=1).real < right.mean(axis=1).real).all()
    np.testing.assert_array_equal(stems[0][:, 0], stems[1][:, 0])


def test_balls_are_round() -> None:
    np.testing.assert_allclose(np.abs(DRAW["ball"](_dice())[0].points), 1)


def test_bananas_bend_around_a_hollow() -> None:
    body = DRAW["banana"](_dice())[0].points
    assert (np.abs(body) > 0.6).all()  # all of it lies along an arc around 0
    assert (np.abs(body.mean(axis=1)) > 0.5).all()


def test_leaves_taper_to_both_ends() -> None:
    body = DRAW["leaf"](_dice())[0].points
    tip = body[:, [8]]
    across = np.abs((body * np.exp(-1j * np.angle(tip))).imag)
    assert across[:, [0, 8, 16]].max() < 1e-9
    assert (across.max(axis=1) > 0.3).all()
