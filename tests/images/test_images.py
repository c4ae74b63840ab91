"""Tests of apple_clf.images: golden pixels hold the contract; FAULTS 18 and 19 end to end."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from apple_clf.arrays import UInt8Array
from apple_clf.errors import ImageError
from apple_clf.images.loading import load, prepare
from apple_clf.images.preprocessing import ColorMode, Polarity, Preprocessing, Resize

PLAIN = Preprocessing(reader="pixels", image_size=(4, 4), resize="stretch", polarity="as_is")
RESIZES: tuple[Resize, ...] = ("stretch", "pad", "crop", "center")
POLARITIES: tuple[Polarity, ...] = ("as_is", "light_on_dark", "dark_on_light", "auto")


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def grid(text: str) -> UInt8Array:
    """Pixels written as one digit each: 0 is black, 9 is white, in steps of 28 (9 is 255)."""
    rows = [[255 if digit == "9" else 28 * int(digit) for digit in row] for row in text.split()]
    return np.array(rows, np.uint8)


def prepared(pixels: UInt8Array, **changes: Any) -> list[list[int]]:
    rows: list[list[int]] = prepare(pixels, replace(PLAIN, **changes))[..., 0].tolist()
    return rows


STROKE = grid("000000 000900 009000 000000 000000 000000")
"""Six by six; the drawing is two by two, up and to the right of the middle."""


# Golden pixels: what the same picture gave when PREPROCESSING_VERSION was 1. A change here is a
# change of the contract.


def test_golden_stretch_gives_each_side_its_own_scale() -> None:
    wide = grid("00009999 00009999")
    assert prepared(wide, image_size=(2, 4)) == [[0, 17, 238, 255]] * 2
    assert prepared(wide, image_size=(2, 2)) == [[24, 231]] * 2


def test_golden_pad_keeps_the_ratio_and_continues_the_background() -> None:
    wide = grid("2222 2992")
    assert prepared(wide, resize="pad") == [
        [56, 56, 56, 56],
        [56, 56, 56, 56],
        [56, 255, 255, 56],
        [56, 56, 56, 56],
    ]


def test_golden_crop_keeps_the_middle() -> None:
    wide = grid("120034 560078 120034 560078")
    assert prepared(wide, resize="crop", image_size=(4, 4)) == [
        [56, 0, 0, 84],
        [168, 0, 0, 196],
        [56, 0, 0, 84],
        [168, 0, 0, 196],
    ]


def test_golden_center_moves_a_drawing_that_has_its_size() -> None:
    assert prepared(STROKE, resize="center", image_size=(2, 2)) == [[0, 255], [255, 0]]
    moved = grid("00000000 00000000 00000009 00000900 00000000 00000900 00000000 00000009")
    assert prepared(moved, resize="center", image_size=(7, 7)) == prepared(
        np.roll(moved, (-1, -3), axis=(0, 1)), resize="center", image_size=(7, 7)
    )


@pytest.mark.parametrize("side", [13, 39, 52, 200])
def test_golden_center_scales_a_drawing_to_fill_the_picture(side: int) -> None:
    page = np.zeros((300, 400), np.uint8)
    page[5 : 5 + side, 60 : 60 + side] = 200
    square = np.zeros((28, 28), np.uint8)
    square[1:27, 1:27] = 200
    found = prepare(page, Preprocessing(reader="pixels"))[..., 0].astype(int)
    for mirrored in (found.T, found[::-1], found[:, ::-1]):
        assert np.abs(found - mirrored).max() <= 1
    assert np.abs(found - square).mean() < 14  # soft edges
    row = {13: [38, 156, 214, 205], 39: [9, 191, 202, 200], 52: [14, 185, 202, 200]}
    assert found[14, :4].tolist() == row.get(side, [17, 182, 203, 200])


def test_golden_polarity() -> None:
    ink = grid("9999 9099 9909 9999")
    chalk = grid("0000 0900 0090 0000")
    assert prepared(ink, polarity="as_is") == ink.tolist()
    assert prepared(ink, polarity="light_on_dark") == ink.tolist()
    assert prepared(ink, polarity="dark_on_light") == chalk.tolist()
    assert prepared(ink, polarity="auto") == chalk.tolist()
    assert prepared(chalk, polarity="auto") == chalk.tolist()


def test_golden_auto_makes_the_background_black() -> None:
    pencil = np.full((4, 4), 205, np.uint8)  # inverted 50: 205 levels are spread over 255
    pencil[1, 1:3] = 50, 128  # inverted 205 and 127
    assert prepared(pencil, polarity="auto")[1] == [0, 155 * 255 // 205, 77 * 255 // 205, 0]


def test_golden_rgb_and_luma() -> None:
    color = np.zeros((4, 4, 3), np.uint8)
    color[1, 1] = 255, 0, 0
    color[2, 2] = 0, 0, 255
    rgb = prepare(color, replace(PLAIN, color_mode="rgb"))
    np.testing.assert_array_equal(rgb, color)
    assert prepared(color) == [[0, 0, 0, 0], [0, 76, 0, 0], [0, 0, 29, 0], [0, 0, 0, 0]]
    turned = prepare(255 - color, replace(PLAIN, color_mode="rgb", polarity="auto"))
    np.testing.assert_array_equal(turned, color)


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("polarity", POLARITIES)
@pytest.mark.parametrize("color_mode", ["grayscale", "rgb"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 20_000), (20_000, 1), (5, 3), (5, 3, 1), (5, 3, 3)])
def test_fault_18_every_shape_becomes_the_contract_s(
    resize: Resize, polarity: Polarity, color_mode: ColorMode, shape: tuple[int, ...]
) -> None:
    contract = Preprocessing(
        reader="pixels", image_size=(9, 6), resize=resize, polarity=polarity, color_mode=color_mode
    )
    pixels = np.zeros(shape, np.uint8)
    pixels[-1:, shape[1] // 2] = 255
    result = prepare(pixels, contract)
    assert result.shape == contract.shape
    assert result.dtype == np.uint8


@pytest.mark.parametrize("resize", ["stretch", "pad", "crop"])
def test_a_picture_of_the_right_size_is_returned_unchanged(resize: Resize) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (28, 28), dtype=np.uint8)
    contract = Preprocessing(reader="pixels", resize=resize, polarity="as_is")
    before = pixels.copy()
    np.testing.assert_array_equal(prepare(pixels, contract)[..., 0], pixels)
    np.testing.assert_array_equal(pixels, before)


PICTURES = st.tuples(st.integers(1, 24), st.integers(1, 24)).flatmap(
    lambda shape: arrays(np.uint8, shape)
)


@settings(deadline=None)
@given(pixels=PICTURES, resize=st.sampled_from(RESIZES))
def test_auto_gives_the_same_whichever_way_a_picture_came(
    pixels: UInt8Array, resize: Resize
) -> None:
    border = np.concatenate((pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])).astype(int)
    background = np.median(border)
    if background == 127.5 and np.sum((pixels - background) ** 3) == 0:
        return  # such a picture is its own negative
    contract = Preprocessing(reader="pixels", image_size=(8, 8), resize=resize, polarity="auto")
    before = pixels.copy()
    np.testing.assert_array_equal(prepare(pixels, contract), prepare(255 - pixels, contract))
    np.testing.assert_array_equal(pixels, before)


@settings(deadline=None, max_examples=50)
@given(
    top=st.integers(0, 60),
    left=st.integers(0, 60),
    paper=st.integers(0, 255),
    ink=st.integers(0, 255),
)
def test_center_does_not_see_where_a_drawing_stands(
    top: int, left: int, paper: int, ink: int
) -> None:
    drawing = np.array([[0, 1, 0, 0], [1, 1, 1, 1], [1, 0, 0, 1], [1, 1, 1, 1]]).repeat(8, 0)
    if abs(paper - ink) < 20:
        return
    pages = []
    for y, x in ((top, left), (30, 30)):
        page = np.full((100, 100), paper, np.uint8)
        page[y : y + 32, x : x + 4][drawing == 1] = ink
        pages.append(prepare(page, Preprocessing(reader="pixels")))
    np.testing.assert_array_equal(pages[0], pages[1])


def test_center_finds_the_drawing_through_noise_shadow_and_specks() -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:200, :300]
    clean = np.full((200, 300), 210.0)
    ring = np.abs(np.hypot(y - 70, x - 210) - 40) < 4
    clean[ring] = 40
    page = clean - 30 * x / 300 + rng.normal(0, 5, clean.shape)
    page[180, 20] = 0  # a speck, far from the ring
    ideal = prepare(clean.astype(np.uint8), Preprocessing(reader="pixels")).astype(int)
    found = prepare(page.clip(0, 255).astype(np.uint8), Preprocessing(reader="pixels")).astype(int)
    assert np.abs(found - ideal).mean() < 12
    assert np.corrcoef(found.ravel(), ideal.ravel())[0, 1] > 0.95


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("resize", RESIZES)
def test_blank_paper_becomes_black_whatever_its_shade(level: int, resize: Resize) -> None:
    page = np.full((40, 50), level, np.uint8)
    assert prepare(page, Preprocessing(reader="pixels", resize=resize)).max() == 0


@pytest.mark.parametrize(
    "pixels",
    [
        pytest.param(np.zeros((4, 4)), id="floating point"),
        pytest.param(np.zeros(4, np.uint8), id="one axis"),
        pytest.param(np.zeros((0, 4), np.uint8), id="empty"),
        pytest.param(np.zeros((4, 4, 2), np.uint8), id="two channels"),
    ],
)
@pytest.mark.parametrize("color_mode", ["grayscale", "rgb"])
def test_what_is_no_picture_is_refused(pixels: Any, color_mode: ColorMode) -> None:
    with pytest.raises(ValueError, match="pixels must be uint8"):
        prepare(pixels, replace(PLAIN, color_mode=color_mode))


def test_load_decodes_and_prepares(tmp_path: Path) -> None:
    path = tmp_path / "photo.gif"
    frames = [Image.new("L", (28, 28), 9)]
    Image.fromarray(np.full((28, 28), 7, np.uint8)).save(path, save_all=True, append_images=frames)
    loaded = load(path, Preprocessing(reader="pixels", polarity="as_is"))
    assert loaded.note == "first of 2 frames"
    np.testing.assert_array_equal(loaded.pixels, np.full((28, 28, 1), 7))
    np.testing.assert_array_equal(
        load(path.read_bytes(), Preprocessing(reader="pixels", polarity="as_is")).pixels,
        loaded.pixels,
    )


@pytest.mark.parametrize("resize", RESIZES)
@pytest.mark.parametrize("size", [(60, 90), (1200, 900), (31, 29)])
def test_the_frame_is_what_the_pixels_show(resize: Resize, size: tuple[int, int]) -> None:
    """Cut out of the picture and stretched, it gives the same pixels, nearly."""
    height, width = size
    image = Image.new("L", (width, height))
    draw = ImageDraw.Draw(image)
    draw.ellipse([width * 0.5, height * 0.2, width * 0.9, height * 0.6], fill=255)
    draw.rectangle([width * 0.2, height * 0.4, width * 0.5, height * 0.5], fill=120)

    loaded = load(encoded(image, "PNG"), replace(PLAIN, image_size=(28, 24), resize=resize))

    top, left, tall, wide = np.array(loaded.frame) * [height, width, height, width]
    corners = (left, top, left + wide, top + tall)
    large = (28 * 16, 24 * 16)
    cut = image.transform(large[::-1], Image.Transform.EXTENT, corners, Image.Resampling.NEAREST)
    expected = np.asarray(cut.resize((24, 28), Image.Resampling.BOX), np.float64)
    assert np.abs(loaded.pixels[..., 0] - expected).mean() < 6
    assert loaded.pixels.std() > 40


def test_real_drawings_stay_sharp_and_survive_inversion_and_enlarging(shared_data: Path) -> None:
    paths = sorted((shared_data / "quickdraw" / "test").rglob("*.png"))[::30]
    assert paths
    for path in paths:
        pixels = np.asarray(Image.open(path))
        result = prepare(pixels, Preprocessing(reader="pixels"))
        assert sorted(result.ravel()) == sorted(pixels.ravel()), path.name  # only moved
        np.testing.assert_array_equal(prepare(255 - pixels, Preprocessing(reader="pixels")), result)
        page = np.full((200, 300), 255, np.uint8)
        page[90:174, 20:104] = 255 - pixels.repeat(3, axis=0).repeat(3, axis=1)
        enlarged = prepare(page, Preprocessing(reader="pixels")).astype(int)
        assert np.corrcoef(enlarged.ravel(), result.ravel())[0, 1] > 0.8, path.name


def odd_images(rng: np.random.Generator) -> list[tuple[bytes, bool]]:
    """Files of all modes, formats and sizes; whether each is certainly bad."""
    modes = {
        "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
        "JPEG": ("L", "RGB", "CMYK"),
        "GIF": ("1", "L", "P", "RGB"),
        "BMP": ("1", "L", "P", "RGB"),
        "WEBP": ("RGB", "RGBA"),
        "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "LAB"),
    }
    whole = []
    for kind, choices in modes.items():
        for mode in choices:
            for size in ((1, 1), (3, 2), (1, 300), (40, 31)):
                noise = rng.integers(0, 256, (*size, 4), dtype=np.uint8)
                image = Image.fromarray(noise)
                if mode in ("I;16", "I", "F"):
                    image = Image.fromarray(noise[..., 0].astype(np.uint16)).convert(mode)
                elif mode == "LAB":
                    image = Image.frombytes("LAB", size, noise[..., :3].tobytes())
                else:
                    image = image.convert("RGB" if mode == "CMYK" else mode).convert(mode)
                whole.append(encoded(image, kind))
    files = [(data, False) for data in whole]
    files += [(data[: len(data) * cut // 100], True) for data in whole for cut in (10, 50, 80, 95)]
    for data in whole:
        flipped = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            flipped[place] ^= 1 << int(rng.integers(8))
        files.append((bytes(flipped), False))  # perhaps still a picture
    files += [(rng.bytes(size), True) for size in (0, 1, 16, 500)]
    files += [(data[:9] + rng.bytes(60), True) for data in whole]
    return files


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_fault_19_a_folder_of_odd_images(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    files = odd_images(np.random.default_rng(19))
    accepted = rejected = silent = 0
    for number, (data, is_bad) in enumerate(files):
        path = tmp_path / f"{number}.png"
        path.write_bytes(data)
        try:
            loaded = load(path, Preprocessing(reader="pixels"))
        except ImageError:
            rejected += 1
            continue
        assert loaded.pixels.shape == (28, 28, 1)
        accepted += 1
        silent += is_bad
    n_bad = sum(is_bad for _, is_bad in files)
    record_property("count", f"bad images tried: {n_bad}, silently accepted: {silent}")
    assert accepted + rejected == len(files)
    assert accepted > 100
    assert silent == 0
