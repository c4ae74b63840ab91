"""Which images are kept to be looked at."""

import numpy as np
import pytest

from apple_clf.runs.gallery import A_GROUP, GROUPS, LONGEST_SIDE, Gallery, choose

N = 40
Y_TRUE = np.arange(N) % 2
POSITIVE = np.linspace(0.01, 0.99, N)  # probability of class 0
Y_PROB = np.column_stack([POSITIVE, 1 - POSITIVE])


def gallery(threshold: float | None = 0.5, size: tuple[int, ...] = (4, 4, 1)) -> Gallery:
    images = np.random.default_rng(0).integers(0, 256, (N, *size), np.uint8)
    return choose(
        images,
        Y_TRUE,
        Y_PROB,
        y_pred=np.where((threshold or 0.5) <= POSITIVE, 0, 1),
        unsure=np.arange(N) == 7,
        positive=0,
        threshold=threshold,
    )


def test_mistakes_come_surest_first() -> None:
    wrong = gallery().groups["wrong"]
    assert len(wrong) == A_GROUP
    confidence = Y_PROB.max(axis=1)[wrong]
    assert (np.diff(confidence) <= 0).all()
    assert (Y_PROB.argmax(axis=1)[wrong] != Y_TRUE[wrong]).all()
    assert wrong[0] == 0  # 0.99 for the other class


def test_right_answers_take_turns_between_classes() -> None:
    right = gallery().groups["right"]
    assert Y_TRUE[right].tolist() == [Y_TRUE[right[0]], 1 - Y_TRUE[right[0]]] * (A_GROUP // 2)


@pytest.mark.parametrize("threshold", [0.5, 0.8])
def test_close_calls_are_nearest_to_the_threshold(threshold: float) -> None:
    close = gallery(threshold).groups["close"]
    distance = np.abs(POSITIVE - threshold)
    assert close[0] == distance.argmin()
    assert distance[close].max() <= np.delete(distance, close).min()


def test_without_a_threshold_close_calls_are_those_between_two_classes() -> None:
    close = gallery(None).groups["close"]
    assert set(close[:2].tolist()) == {19, 20}


def test_unsure_images_are_those_answered_so() -> None:
    assert gallery().groups["unsure"].tolist() == [7]


def test_each_image_is_kept_once() -> None:
    kept = gallery()
    chosen = np.concatenate(list(kept.groups.values()))
    assert kept.rows.tolist() == sorted(set(chosen.tolist()))
    assert len(kept.images) == len(kept.rows)


@pytest.mark.parametrize("size", [(200, 100, 1), (100, 200, 3)], ids=["gray", "rgb"])
def test_large_images_are_averaged_down(size: tuple[int, int, int]) -> None:
    images = gallery(size=size).images
    assert max(images.shape[1:3]) == LONGEST_SIDE
    assert images.shape[3] == size[2]
    assert images.std() < 60  # of single pixels it is 74


def test_bytes_give_the_gallery_back_and_are_the_same_for_the_same() -> None:
    kept = gallery()
    content = kept.to_bytes()
    assert content == gallery().to_bytes()
    again = Gallery.from_bytes(content)
    assert again.rows.tolist() == kept.rows.tolist()
    assert (again.images == kept.images).all()
    assert list(again.groups) == list(GROUPS)
    for name in GROUPS:
        assert again.groups[name].tolist() == kept.groups[name].tolist()
