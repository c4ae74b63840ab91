import hashlib
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from images import pages
from PIL import Image
from scipy import ndimage

from apple_clf.arrays import UInt8Array
from apple_clf.images import NO_DRAWING, load, prepare
from apple_clf.preprocessing import Polarity, Preprocessing, Reader

CONTRACT = Preprocessing()


def alike(one: UInt8Array, other: UInt8Array) -> float:
    """Correlation of two 28x28 drawings, blurred by a pixel."""
    a, b = (ndimage.gaussian_filter(x[..., 0].astype(float), 1).ravel() for x in (one, other))
    return float(np.corrcoef(a, b)[0, 1])


def saved(pixels: UInt8Array, kind: str = "PNG", **options: object) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


PAGES: dict[str, tuple[Callable[[], UInt8Array], str | None]] = {
    "gradient": (pages.gradient, None),
    "hard_shadow": (pages.hard_shadow, None),
    "soft_shadow": (pages.soft_shadow, None),
    "ruled": (pages.ruled, "ruled lines removed"),
    "squared": (pages.squared, "ruled lines removed"),
    "wooden_table": (pages.wooden_table, "sheet of paper found"),
    "dotted_table": (pages.dotted_table, "sheet of paper found"),
    "name_in_a_corner": (pages.name_in_a_corner, "beside the drawing left out"),
    "hand_at_the_edge": (pages.hand_at_the_edge, None),
    "fine_pen": (lambda: pages.plain(2), None),
    "broad_pen": (lambda: pages.plain(22), None),
    "light_on_dark": (lambda: ~pages.plain(), "light strokes on dark ground, inverted"),
}


@pytest.mark.parametrize(("make", "said"), PAGES.values(), ids=PAGES)
def test_the_drawing_is_that_of_a_clean_page(
    make: Callable[[], UInt8Array], said: str | None
) -> None:
    clean = prepare(pages.plain(), CONTRACT)
    found = load(saved(make()), CONTRACT)
    assert alike(found.pixels, clean) > 0.9
    assert found.steps[-1] == "strokes drawn again in one width"
    assert said is None or any(said in step for step in found.steps)


def test_a_shape_that_is_coloured_in_has_the_outline_of_an_empty_one() -> None:
    clean = prepare(pages.plain(), CONTRACT)
    for page in (
        pages.inked(pages.cover(8, filled=True)),
        pages.inked(pages.cover(8, hatched=True)),
    ):
        assert alike(prepare(page, CONTRACT), clean) > 0.75


def test_jpeg_and_a_quarter_turn_change_nothing() -> None:
    page = pages.gradient()
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(np.rot90(page).copy(), "JPEG", quality=75, exif=exif.tobytes())
    assert alike(load(turned, CONTRACT).pixels, prepare(page, CONTRACT)) > 0.95


def test_yellow_ink_is_ink() -> None:
    cover = pages.cover(8)[..., None]
    page = np.rint(240 + cover * (np.array([230, 210, 40]) - 240)).astype(np.uint8)
    assert alike(prepare(page, CONTRACT), prepare(pages.plain(), CONTRACT)) > 0.9


def test_pens_of_all_widths_and_inks_leave_the_same_line() -> None:
    amounts = [
        prepare(pages.inked(pages.cover(pen), ink=ink), CONTRACT).sum(dtype=int)
        for pen in (3, 8, 20)
        for ink in (20, 120, 180)
    ]
    assert max(amounts) < 1.15 * min(amounts)


@pytest.mark.parametrize("side", [64, 200, 500])
def test_noise_and_textures_hold_no_drawing(side: int) -> None:
    noise = np.random.default_rng(side).integers(0, 256, (side, side), dtype=np.uint8)
    texture = ndimage.gaussian_filter(noise.astype(float), 3)
    texture = (texture - texture.min()) / np.ptp(texture) * 255
    for pixels in (noise, texture.astype(np.uint8), np.full((side, side), 90, np.uint8)):
        assert load(saved(pixels), CONTRACT).steps == (NO_DRAWING,)


def test_a_dot_is_no_drawing() -> None:
    page = np.full((280, 280), 255, np.uint8)
    page[140:150, 140:150] = 0
    assert load(saved(page), CONTRACT).steps == (NO_DRAWING,)


def test_a_small_picture_is_a_bitmap_with_strokes_of_full_strength() -> None:
    y, x = np.mgrid[:28, :28]
    ring = np.abs(np.hypot(y - 14, x - 14) - 10) < 1
    full = np.where(ring, 255, 0).astype(np.uint8)
    faint = np.where(ring, 60, 0).astype(np.uint8)
    framed = np.pad(255 - faint, 1)  # a dark frame around dark on light
    for pixels in (faint, 255 - faint, framed):
        found, expected = prepare(pixels, CONTRACT), prepare(full, CONTRACT)
        np.testing.assert_allclose(found.astype(int), expected, atol=20)
    assert load(saved(full), CONTRACT).steps == ()


def test_a_tiny_picture_is_not_enlarged() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (8, 8), dtype=np.uint8)
    rows, columns = np.nonzero(prepare(noise, CONTRACT)[..., 0])
    assert max(np.ptp(rows), np.ptp(columns)) < 8


def test_a_reader_of_pixels_takes_the_picture_as_it_is() -> None:
    page = pages.gradient()
    as_it_is = load(saved(page), Preprocessing(reader="pixels"))
    assert as_it_is.steps == ()
    assert len(np.unique(as_it_is.pixels)) > 20  # its grays


GOLDEN = {
    "plain": "301a1c39e273d21e",
    "squared": "7da41a7ac6ed1349",
    "hand_at_the_edge": "301a1c39e273d21e",
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_pixels_of_paper(name: str) -> None:
    """What changes these changes the contract: raise PREPROCESSING_VERSION."""
    pixels = prepare(getattr(pages, name)(), CONTRACT)
    assert hashlib.sha256(pixels.tobytes()).hexdigest()[:16] == GOLDEN[name]


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
