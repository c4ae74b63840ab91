from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from apple_clf.arrays import UInt8Array
from apple_clf.images.decoding import decode
from apple_clf.images.kinds import Kind, kind_of


def circle(side: int, *, ground: int = 255, ink: int = 0, width: int | None = None) -> UInt8Array:
    image = Image.new("L", (side, side), ground)
    box = (side // 4, side // 4, 3 * side // 4, 3 * side // 4)
    ImageDraw.Draw(image).ellipse(box, outline=ink, width=width or max(1, side // 40))
    return np.asarray(image)


def lit_from_a_side(page: UInt8Array, *, dimmest: float) -> UInt8Array:
    light = np.linspace(1, dimmest, page.shape[1])
    return (page * light).astype(np.uint8)


def blue_pen(side: int) -> UInt8Array:
    page = np.full((side, side, 3), (250, 240, 205), np.uint8)
    page[circle(side) == 0] = (30, 40, 160)
    return page


def apple_on_white(side: int, colour: tuple[int, int, int]) -> UInt8Array:
    image = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(image).ellipse((side // 4, side // 4, 3 * side // 4, 3 * side // 4), fill=colour)
    return np.asarray(image)


def clutter(side: int, *, channels: int = 3) -> UInt8Array:
    """Blobs of all levels, as in a photo."""
    coarse = np.random.default_rng(1).integers(256, size=(9, 9, channels), dtype=np.uint8)
    image = Image.fromarray(coarse.squeeze()).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)


DRAWINGS = {
    "dark on light": circle(200),
    "light on dark": circle(28, ground=0, ink=255, width=2),
    "gray ground": circle(100, ground=128, ink=20),
    "tiny icon": circle(16),
    "one channel": circle(50)[:, :, None],
    "blank": np.full((30, 30), 200, np.uint8),
    "one pixel": np.zeros((1, 1), np.uint8),
    "a strip": np.full((1, 500), 255, np.uint8),
    "large": circle(900),
    "lit from a side": lit_from_a_side(circle(300), dimmest=0.4),
    "negative of it": 255 - lit_from_a_side(circle(300), dimmest=0.4),
    "blue pen on yellowish paper": blue_pen(300),
}

PHOTOS = {
    "clutter": (clutter(200), True),
    "tiny clutter": (clutter(20), True),
    "gray clutter": (clutter(200, channels=1), False),
    "gray saved as RGB": (np.repeat(clutter(90, channels=1)[:, :, None], 3, axis=2), False),
    "red apple on white": (apple_on_white(200, (190, 30, 40)), True),
    "tiny red icon": (apple_on_white(16, (190, 30, 40)), True),
    "from black to white": (lit_from_a_side(np.full((80, 80), 255, np.uint8), dimmest=0), False),
    "noise": (np.random.default_rng(0).integers(256, size=(28, 28), dtype=np.uint8), False),
}


@pytest.mark.parametrize("pixels", DRAWINGS.values(), ids=DRAWINGS)
def test_lines_on_plain_ground_are_a_drawing(pixels: UInt8Array) -> None:
    assert kind_of(pixels).is_drawing


@pytest.mark.parametrize(("pixels", "has_colour"), PHOTOS.values(), ids=PHOTOS)
def test_other_pictures_are_photos_with_or_without_colour(
    pixels: UInt8Array, has_colour: bool
) -> None:
    assert kind_of(pixels) == Kind(is_drawing=False, has_colour=has_colour)


def test_transparent_drawing_is_one(tmp_path: Path) -> None:
    image = Image.new("RGBA", (60, 60), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((15, 15, 45, 45), outline=(0, 0, 0, 255))
    image.save(tmp_path / "a.png")
    pixels = decode(tmp_path / "a.png", color_mode="rgb", min_side=64).pixels
    assert kind_of(pixels) == Kind(is_drawing=True, has_colour=False)


def test_yellow_light_is_no_colour() -> None:
    page = np.repeat(circle(100)[:, :, None], 3, axis=2)
    warm = (page * np.array([1.0, 0.9, 0.7])).astype(np.uint8)
    assert not kind_of(warm).has_colour


@pytest.mark.parametrize(("folder", "photos", "colour"), [("grocery", 1, 1), ("quickdraw", 0, 0)])
def test_real_pictures_are_told_apart(
    shared_data: Path, folder: str, photos: int, colour: int
) -> None:
    files = sorted((shared_data / folder / "train").glob("*/*"))[::23]
    kinds = [kind_of(decode(file, color_mode="rgb", min_side=64).pixels) for file in files]
    assert np.mean([not kind.is_drawing for kind in kinds]) == pytest.approx(photos, abs=0.1)
    assert np.mean([kind.has_colour for kind in kinds]) == pytest.approx(colour, abs=0.1)
