import hashlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage

from apple_clf.arrays import UInt8Array
from apple_clf.images.loading import NO_DRAWING, load, prepare
from apple_clf.images.preprocessing import Polarity, Preprocessing, Reader
from images import pages

CONTRACT, PIXELS = Preprocessing(), Preprocessing(reader="pixels")


def alike(one: UInt8Array, other: UInt8Array) -> float:
    """Correlation of two 28x28 drawings, blurred by a pixel."""
    a, b = (ndimage.gaussian_filter(x[..., 0].astype(float), 1).ravel() for x in (one, other))
    return float(np.corrcoef(a, b)[0, 1])


def saved(pixels: UInt8Array, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


DRAWN = "strokes drawn again in one width"
AT_BORDER = "what touches the border left out"
INVERTED = "light strokes on dark ground, inverted"
ON_SHEET = ("sheet of paper found", AT_BORDER, DRAWN)


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("gradient", (AT_BORDER, DRAWN)),
        ("hard_shadow", (AT_BORDER, DRAWN)),
        ("soft_shadow", (AT_BORDER, DRAWN)),
        ("ruled", ("12 ruled lines removed", DRAWN)),
        ("squared", ("27 ruled lines removed", DRAWN)),
        ("ruled_with_a_margin", ("13 ruled lines removed", DRAWN)),
        ("ruled_on_a_table", ("sheet of paper found", "10 ruled lines removed", AT_BORDER, DRAWN)),
        ("squared_half_in_shadow", ("26 ruled lines removed", DRAWN)),
        ("wooden_table", ON_SHEET),
        ("dotted_table", ON_SHEET),
        ("name_in_a_corner", ("1 mark beside the drawing left out", DRAWN)),
        ("hand_at_the_edge", (AT_BORDER, DRAWN)),
        ("filled", (DRAWN,)),
        ("filled_and_large", (DRAWN,)),
        ("hatched", (DRAWN,)),
        ("chalk", (INVERTED, DRAWN)),
        ("faint_pencil", (DRAWN,)),
        ("grainy", (DRAWN,)),
        ("yellow_on_white", (DRAWN,)),
        ("gray_paper", (DRAWN,)),
        ("blurred", (DRAWN,)),
    ],
)
def test_the_drawing_is_that_of_a_clean_page(name: str, steps: tuple[str, ...]) -> None:
    clean = prepare(pages.plain(), CONTRACT)
    found = load(saved(getattr(pages, name)()), CONTRACT)
    assert alike(found.pixels, clean) > 0.9
    assert found.steps == steps


@pytest.mark.parametrize("pen", [2, 3, 5, 12, 16, 22])
def test_the_pen_makes_no_difference(pen: int) -> None:
    clean, found = (prepare(pages.plain(width), CONTRACT) for width in (8, pen))
    assert alike(found, clean) > 0.9
    assert np.abs(found.astype(int) - clean).mean() < 20  # lines a quarter of a pixel aside


def test_the_negative_of_a_page_holds_the_same_drawing() -> None:
    for page in (pages.plain(), pages.gradient(), pages.squared()):
        assert alike(prepare(~page, CONTRACT), prepare(page, CONTRACT)) > 0.95


@pytest.mark.parametrize("scale", [40, 90, 180])
@pytest.mark.parametrize("middle", [(220, 200), (380, 290)])
def test_the_place_and_size_of_a_drawing_make_no_difference(
    scale: int, middle: tuple[int, int]
) -> None:
    page = pages.inked(pages.cover(max(2, scale // 20), scale=scale, middle=middle))
    found = prepare(page, CONTRACT)
    assert alike(found, prepare(pages.plain(), CONTRACT)) > 0.9
    rows, columns = np.nonzero(found[..., 0] > 64)
    assert 25 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 27
    assert abs(rows.min() + rows.max() - 27) <= 1
    assert abs(columns.min() + columns.max() - 27) <= 1


@pytest.mark.parametrize("name", ["plain", "wooden_table", "name_in_a_corner", "chalk"])
def test_the_frame_is_what_the_drawing_fills(name: str) -> None:
    page = getattr(pages, name)()
    top, left, height, width = load(saved(page), CONTRACT).frame
    drawn = np.argwhere(pages.cover(8) > 0.5) / page.shape
    (low, high), size = (drawn.min(axis=0), drawn.max(axis=0)), np.array([height, width])
    assert height * pages.HEIGHT == pytest.approx(width * pages.WIDTH)
    np.testing.assert_allclose((low + high) / 2, np.array([top, left]) + size / 2, atol=0.01)
    assert ((high - low) / size).max() == pytest.approx(26 / 28, abs=0.01)


def test_shares_of_the_frame_do_not_depend_on_the_size_of_the_photo() -> None:
    page = pages.plain()
    large = page.repeat(4, axis=0).repeat(4, axis=1)
    one, other = load(saved(page), CONTRACT), load(saved(large), CONTRACT)
    np.testing.assert_allclose(one.frame, other.frame, atol=0.01)
    assert alike(one.pixels, other.pixels) > 0.95


def test_jpeg_and_a_quarter_turn_change_nothing() -> None:
    page = pages.gradient()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(np.rot90(page).copy(), "JPEG", quality=75, exif=exif.tobytes())
    assert alike(load(turned, CONTRACT).pixels, prepare(page, CONTRACT)) > 0.95


def test_strokes_on_a_transparent_ground_are_read_as_on_white() -> None:
    opacity = np.rint(255 * pages.cover(8)).astype(np.uint8)
    strokes = np.stack([np.full_like(opacity, 40), opacity], axis=2)  # gray and alpha
    found = load(saved(strokes), CONTRACT)
    assert alike(found.pixels, prepare(pages.plain(), CONTRACT)) > 0.95
    assert found.steps == (DRAWN,)


def test_pens_of_all_widths_and_inks_leave_the_same_line() -> None:
    amounts = [
        prepare(pages.inked(pages.cover(pen), ink=ink), CONTRACT).sum(dtype=int)
        for pen in (3, 8, 20)
        for ink in (20, 120, 180)
    ]
    assert max(amounts) < 1.15 * min(amounts)


@pytest.mark.parametrize("side", [64, 200, 500])
@pytest.mark.parametrize("smoothness", [0, 1.5, 3])
def test_noise_and_textures_hold_no_drawing(side: int, smoothness: float) -> None:
    noise = np.random.default_rng(side).uniform(size=(side, side))
    texture = ndimage.gaussian_filter(noise, smoothness)
    pixels = np.rint((texture - texture.min()) / np.ptp(texture) * 255).astype(np.uint8)
    found = load(saved(pixels), CONTRACT)
    assert found.steps == (NO_DRAWING,)
    np.testing.assert_array_equal(found.pixels, prepare(pixels, PIXELS))


@pytest.mark.parametrize("level", [0, 90, 255])
def test_blank_paper_holds_no_drawing(level: int) -> None:
    found = load(saved(np.full((300, 200), level, np.uint8)), CONTRACT)
    assert found.steps == (NO_DRAWING,)
    assert not found.pixels.any()


def test_a_dot_is_no_drawing() -> None:
    page = np.full((280, 280), 255, np.uint8)
    page[140:150, 140:150] = 0
    assert load(saved(page), CONTRACT).steps == (NO_DRAWING,)


@pytest.mark.parametrize("side", [64, 200, 480])
def test_a_square_has_four_edges_however_large_on_the_page(side: int) -> None:
    image = Image.new("L", (side, side), 255)
    margin = side // 6
    corners = (margin, margin, side - margin, side - margin)
    ImageDraw.Draw(image).rectangle(corners, outline=30, width=max(1, side // 100))
    pixels = prepare(np.asarray(image), CONTRACT)[..., 0]
    for turned in range(4):
        assert (np.rot90(pixels, turned)[:3].max(axis=0)[2:26] > 128).all()


def test_a_line_alone_is_drawn_as_one() -> None:
    page = np.full((300, 400), 255, np.uint8)
    page[150:154, 100:300] = 0
    pixels = prepare(page, CONTRACT)[..., 0]
    assert (pixels[:, 2:26].argmax(axis=0) == pixels[:, 14].argmax()).all()
    assert not pixels[:12].any()
    assert not pixels[16:].any()


def ring(strength: int) -> UInt8Array:
    """A circle on black, 28x28, light on dark."""
    y, x = np.mgrid[:28, :28]
    return np.where(np.abs(np.hypot(y - 14, x - 14) - 10) < 1, strength, 0).astype(np.uint8)


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(ring(60), id="faint"),
        pytest.param(255 - ring(60), id="faint and dark on light"),
        pytest.param(np.pad(255 - ring(60), 1), id="in a dark frame"),
        pytest.param(np.pad(ring(60), 2, constant_values=250), id="in a light frame of two"),
        pytest.param(255 - ring(60)[..., None].repeat(3, axis=2), id="with three channels"),
    ],
)
def test_a_bitmap_has_strokes_of_full_strength(pixels: UInt8Array) -> None:
    found = load(saved(pixels), CONTRACT)
    np.testing.assert_allclose(found.pixels.astype(int), prepare(ring(255), CONTRACT), atol=20)
    assert found.steps == ()


@pytest.mark.parametrize("width", [1, 2, 3])
def test_the_frame_of_a_framed_bitmap_is_that_of_the_whole_file(width: int) -> None:
    dark, light = (np.pad(ring(255), width, constant_values=level) for level in (0, 255))
    margin, framed = load(saved(dark), CONTRACT), load(saved(light), CONTRACT)
    np.testing.assert_array_equal(framed.pixels, margin.pixels)
    assert framed.frame == pytest.approx(margin.frame)


@pytest.mark.parametrize("margin", [1, 2, 3])
def test_a_margin_around_a_square_is_no_frame(margin: int) -> None:
    square = np.zeros((28, 28), np.uint8)
    square[margin:-margin, margin:-margin] = 255
    square[margin + 2 : -margin - 2, margin + 2 : -margin - 2] = 0
    for pixels in (square, 255 - square):
        found = prepare(pixels, CONTRACT)
        assert alike(found, prepare(square, PIXELS)) > 0.95
        assert found[14, 14] == 0


def test_a_drawing_along_the_border_is_no_frame() -> None:
    half = np.zeros((30, 30), np.uint8)
    half[0], half[:, 0] = 255, 255
    pixels = prepare(half, CONTRACT)[..., 0]
    assert (pixels > 128).sum() >= 50


def test_a_reader_of_bitmaps_takes_pictures_of_any_size() -> None:
    page = pages.plain()
    found = load(saved(page), replace(CONTRACT, reader="bitmap"))
    assert found.steps == ()
    ink = prepare(page, PIXELS)
    assert alike(found.pixels, ink) > 0.99
    assert found.pixels.sum(dtype=int) > ink.sum(dtype=int)


def test_a_reader_of_paper_takes_small_pictures_too() -> None:
    small = pages.inked(pages.cover(2, scale=25, middle=(28, 28), size=(56, 56)))
    found = load(saved(small), replace(CONTRACT, reader="paper"))
    assert found.steps == (DRAWN,)
    assert alike(found.pixels, prepare(pages.plain(), CONTRACT)) > 0.8


@pytest.mark.parametrize(("side", "steps"), [(56, ()), (57, (DRAWN,))])
def test_bitmaps_are_at_most_twice_as_large_as_the_target(
    side: int, steps: tuple[str, ...]
) -> None:
    page = squares(255, 0)[10:, 40:].copy()[:224, :224]
    small = np.asarray(Image.fromarray(page).resize((side, side)))
    assert load(saved(small), CONTRACT).steps == steps


def test_a_tiny_picture_is_not_enlarged() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    rows, columns = np.nonzero(prepare(noise, CONTRACT)[..., 0])
    assert max(np.ptp(rows), np.ptp(columns)) < 8


def test_a_reader_of_pixels_takes_the_picture_as_it_is() -> None:
    as_it_is = load(saved(pages.gradient()), PIXELS)
    assert as_it_is.steps == ()
    assert len(np.unique(as_it_is.pixels)) > 20  # its grays


@pytest.mark.parametrize("changes", [{"color_mode": "rgb"}, {"resize": "stretch"}])
def test_photos_are_not_searched_for_drawings(changes: dict[str, Any]) -> None:
    page = pages.gradient()
    auto, pixels = (replace(contract, **changes) for contract in (CONTRACT, PIXELS))
    np.testing.assert_array_equal(prepare(page, auto), prepare(page, pixels))
    assert load(saved(page), auto).steps == ()


# Golden pixels: what these pictures gave when PREPROCESSING_VERSION was 2. A change here changes
# the contract: raise the version. The pictures are made of whole numbers alone, so they are the
# same on every machine.


def squares(ground: int, ink: int, pen: int = 6) -> UInt8Array:
    """A square with a smaller one on its upper right corner, on a page of 240x300."""
    page = np.full((240, 300), ground, np.uint8)
    for top, left, side in ((80, 60, 120), (50, 170, 40)):
        part = page[top : top + side, left : left + side]
        inside = part[pen:-pen, pen:-pen].copy()
        part[:] = ink
        part[pen:-pen, pen:-pen] = inside
    return page


def _shaded() -> UInt8Array:
    """Light that falls off to the right, and a hard shadow below."""
    y, x = np.mgrid[:240, :300]
    page = squares(230, 40).astype(np.int64) * (600 - x) // 600
    shaded: UInt8Array = np.where(y + x > 380, page * 3 // 5, page).astype(np.uint8)
    return shaded


def _on_lines() -> UInt8Array:
    page = squares(230, 40)
    page[15::30] = np.minimum(page[15::30], 170)
    return page


def _on_table() -> UInt8Array:
    y, x = np.mgrid[:240, :300]
    on_sheet = (y >= 20) & (y < 220) & (x >= 30) & (x < 270)
    table = np.where((y // 6 + x // 6) % 2, np.uint8(60), np.uint8(110))
    page: UInt8Array = np.where(on_sheet, squares(230, 40), table)
    return page


def _yellow() -> UInt8Array:
    return np.stack([squares(250, ink) for ink in (250, 230, 60)], axis=2)


GOLDEN: dict[str, Callable[[], UInt8Array]] = {
    "clean": lambda: squares(255, 0),
    "fine pen": lambda: squares(255, 0, pen=2),
    "broad pen": lambda: squares(255, 0, pen=12),
    "chalk": lambda: squares(40, 220),
    "faint": lambda: squares(200, 170),
    "coloured in": lambda: squares(230, 60, pen=60),
    "shaded": _shaded,
    "ruled": _on_lines,
    "on a table": _on_table,
    "yellow": _yellow,
    "bitmap": lambda: squares(255, 0)[::6, ::6],
    "faint bitmap": lambda: squares(200, 170)[::6, ::6],
    "framed bitmap": lambda: np.pad(squares(255, 0)[::6, ::6], 1),
    "tiny": lambda: np.eye(9, dtype=np.uint8) * 255,
}

SHA_256 = {
    "clean": "1df95575160202c8",
    "fine pen": "bba3ccd3168a380c",
    "broad pen": "a5a45ef6de777c42",
    "chalk": "1df95575160202c8",
    "faint": "8b60c048e85d89f1",
    "coloured in": "dd923505a85d4232",
    "shaded": "1df95575160202c8",
    "ruled": "8b60c048e85d89f1",
    "on a table": "1df95575160202c8",
    "yellow": "1df95575160202c8",
    "bitmap": "0d923635b3d5287b",
    "faint bitmap": "0d923635b3d5287b",
    "framed bitmap": "0d923635b3d5287b",
    "tiny": "1ef013d7d8f11370",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_pixels_of_drawings(name: str) -> None:
    pixels = prepare(GOLDEN[name](), CONTRACT)
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == SHA_256[name]


@settings(max_examples=60)
@given(
    st.integers(0, 2**32),
    st.tuples(st.integers(1, 90), st.integers(1, 90)),
    st.sampled_from(["pixels", "bitmap", "paper", "auto"]),
    st.sampled_from(["as_is", "light_on_dark", "dark_on_light", "auto"]),
    st.sampled_from([(), (1,), (3,)]),
)
def test_any_picture_becomes_the_contract_s_shape(
    seed: int,
    size: tuple[int, int],
    reader: Reader,
    polarity: Polarity,
    channels: tuple[int, ...],
) -> None:
    contract = Preprocessing(image_size=(20, 28), reader=reader, polarity=polarity)
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (*size, *channels), dtype=np.uint8)
    pixels[rng.random(size) < 0.7] = 250
    assert prepare(pixels, contract).shape == contract.shape


@pytest.mark.parametrize("shape", [(1, 20_000), (20_000, 1), (3, 5_000), (57, 57), (1, 57)])
def test_fault_18_shapes_that_no_page_has(shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 255, np.uint8)
    pixels[-1, shape[1] // 2 :] = 0
    assert prepare(pixels, CONTRACT).shape == (28, 28, 1)
