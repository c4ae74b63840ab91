import numpy as np
import pytest

from apple_clf.arrays import UInt8Array
from apple_clf.checks.contents import content_boxes, find_contents
from apple_clf.checks.near_duplicates import find_near_duplicates

SIDE = 48


def picture(seed: int, height: int = 24, width: int = 24) -> UInt8Array:
    """A colourful pattern of 4 x 4 pixels a cell."""
    cells = np.random.default_rng(seed).integers(0, 256, (height // 4, width // 4, 3))
    return np.kron(cells, np.ones((4, 4, 1))).astype(np.uint8)


def framed(content: UInt8Array, *colours: tuple[int, int, int]) -> UInt8Array:
    """The content in the middle, in borders of these colours, the innermost first."""
    page = np.empty((SIDE, SIDE, 3), np.uint8)
    height, width = content.shape[:2]
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    for i, colour in enumerate(reversed(colours)):
        edge = 3 * i
        page[edge : SIDE - edge, edge : SIDE - edge] = colour
    page[top : top + height, left : left + width] = content
    return page


BLACK, WHITE, BLUE = (0, 0, 0), (255, 255, 255), (20, 60, 200)


@pytest.mark.parametrize("colours", [(BLACK,), (WHITE,), (BLUE,), (BLUE, WHITE)], ids=str)
def test_frames_of_one_colour_are_cut_off(colours: tuple[tuple[int, int, int], ...]) -> None:
    assert content_boxes(framed(picture(0), *colours)[None]).tolist() == [[12, 12, 36, 36]]


def test_bars_of_two_colours_are_cut_off_at_two_sides() -> None:
    page = framed(picture(1, 24, 48), BLACK)
    page[36:] = WHITE
    assert content_boxes(page[None]).tolist() == [[12, 0, 36, 48]]


def test_noise_of_compression_does_not_hide_a_frame() -> None:
    noisy = np.clip(
        framed(picture(2), WHITE).astype(int)
        + np.random.default_rng(0).integers(-8, 9, (SIDE, SIDE, 3)),
        0,
        255,
    )
    assert content_boxes(noisy.astype(np.uint8)[None]).tolist() == [[12, 12, 36, 36]]


def test_plain_picture_stays_whole() -> None:
    assert content_boxes(np.full((1, 20, 30, 1), 7, np.uint8)).tolist() == [[0, 0, 20, 30]]


def test_slim_content_keeps_some_background() -> None:
    line = np.zeros((1, SIDE, SIDE, 1), np.uint8)
    line[0, 20:30, 4:44, 0] = 100 + np.arange(40) % 2 * 100
    ((top, left, bottom, right),) = content_boxes(line).tolist()
    assert (left, right) == (4, 44)
    assert (right - left) / (bottom - top) <= 3


def test_content_is_the_same_in_any_frame() -> None:
    contents = find_contents(
        np.stack([framed(picture(3), BLACK), framed(picture(3), WHITE), framed(picture(3), BLUE)])
    )
    np.testing.assert_array_equal(contents.gray[0], contents.gray[1])
    np.testing.assert_array_equal(contents.gray[0], contents.gray[2])
    assert np.ptp(contents.colours, axis=0) == pytest.approx([0, 0])


@pytest.mark.parametrize("colour", [BLACK, WHITE, BLUE], ids=str)
def test_different_pictures_in_one_frame_are_no_pair(colour: tuple[int, int, int]) -> None:
    pages = np.stack([framed(picture(seed), colour) for seed in range(20)])
    assert not len(find_near_duplicates(pages).pairs)


def test_one_picture_in_different_frames_is_a_pair_also_mirrored() -> None:
    pages = np.stack(
        [
            framed(picture(0), BLACK),
            framed(picture(1), BLACK),
            framed(picture(0), WHITE),
            framed(picture(1)[:, ::-1], BLUE, WHITE),
        ]
    )
    found = find_near_duplicates(pages)
    assert sorted(found.pairs.tolist()) == [[0, 2], [1, 3]]
    assert dict(zip(map(tuple, found.pairs.tolist()), found.mirrored.tolist(), strict=True)) == {
        (0, 2): False,
        (1, 3): True,
    }


def shaded_disc(colour: tuple[int, int, int]) -> UInt8Array:
    """A ball on white, lit from above."""
    y, x = (np.indices((SIDE, SIDE)) - (SIDE - 1) / 2) / 18
    light = np.clip(1 - (y + 0.4) ** 2 / 2 - x**2 / 2, 0.2, 1)[..., None]
    inside = (y**2 + x**2 <= 1)[..., None]
    return np.where(inside, light * np.array(colour), 255).astype(np.uint8)


def test_things_of_one_shape_and_two_colours_are_no_pair() -> None:
    red, orange, dimmer = (
        shaded_disc(colour) for colour in ((200, 30, 40), (210, 130, 20), (190, 28, 38))
    )
    found = find_near_duplicates(np.stack([red, orange, dimmer]))
    assert found.pairs.tolist() == [[0, 2]]
