import numpy as np
import pytest

from apple_clf.arrays import UInt8Array
from apple_clf.plots.contact_sheet import contact_sheet


def _flat(*shape: int, value: int = 200) -> UInt8Array:
    return np.full(shape, value, np.uint8)


def test_pictures_fill_rows_from_the_left() -> None:
    images = [_flat(8, 8, value=200 + i) for i in range(5)]
    page = np.asarray(contact_sheet(images, list("abcde"), columns=3, tile=20))
    tops, lefts = [4 + 10, 4 + 10 + 38], [4 + 10, 4 + 10 + 24, 4 + 10 + 48]
    assert page[tops[0], lefts].tolist() == [[200 + i] * 3 for i in (0, 1, 2)]
    assert page[tops[1], lefts[:2]].tolist() == [[200 + i] * 3 for i in (3, 4)]
    assert page[tops[1], lefts[2]].tolist() == [32] * 3
    assert page.shape == (2 * 38 + 4, 3 * 24 + 4, 3)


@pytest.mark.parametrize(
    "image",
    [
        pytest.param(_flat(7, 5), id="gray"),
        pytest.param(_flat(7, 5, 1), id="gray-with-channel"),
        pytest.param(_flat(7, 5, 3), id="colour"),
        pytest.param(_flat(1, 300), id="wide"),
        pytest.param(_flat(300, 1), id="tall"),
    ],
)
def test_any_picture_stands_in_the_middle_of_its_tile(image: UInt8Array) -> None:
    page = np.asarray(contact_sheet([image], [""], columns=1, tile=41))
    assert (page[4 + 20, 4 + 20] == 200).all()


def test_aspect_ratio_is_kept() -> None:
    page = np.asarray(contact_sheet([_flat(10, 20)], [""], columns=1, tile=40))
    rows, columns = np.nonzero((page == 200).all(axis=2))
    assert np.ptp(rows) + 1 == 20
    assert np.ptp(columns) + 1 == 40


def test_small_pictures_keep_hard_edges() -> None:
    page = np.asarray(contact_sheet([np.array([[0, 255]], np.uint8)], [""], columns=1, tile=40))
    assert set(np.unique(page[4 + 15, 4:44])) == {0, 255}


def test_name_is_written_below_its_picture() -> None:
    page = np.asarray(contact_sheet([_flat(8, 8)] * 2, ["apple", ""], columns=2, tile=60))
    below = page[4 + 60 :]
    assert below[:, :64].max() > 200
    assert below[:, 64:].max() == 32


def test_long_name_stays_under_its_own_picture() -> None:
    page = np.asarray(contact_sheet([_flat(8, 8)] * 2, ["w" * 500, ""], columns=2, tile=60))
    assert page[4 + 60 :, 66:].max() == 32


def test_fault_29_control_characters_are_left_out_of_names() -> None:
    odd = contact_sheet([_flat(8, 8)], ["a\n\x1bpple"], columns=1)
    assert odd.tobytes() == contact_sheet([_flat(8, 8)], ["apple"], columns=1).tobytes()


def test_no_pictures_give_one_empty_row() -> None:
    page = contact_sheet([], [], columns=2, tile=20)
    assert page.getextrema() == ((32, 32),) * 3
    assert page.size == (52, 42)


@pytest.mark.parametrize(
    ("names", "columns", "tile"),
    [
        pytest.param(["a", "b"], 1, 20, id="too-many-names"),
        pytest.param(["a"], 0, 20, id="no-columns"),
        pytest.param(["a"], 1, 0, id="no-tile"),
    ],
)
def test_bad_arguments_are_refused(names: list[str], columns: int, tile: int) -> None:
    with pytest.raises(ValueError, match=r"must be|need"):
        contact_sheet([_flat(8, 8)], names, columns=columns, tile=tile)
