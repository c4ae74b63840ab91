"""FAULTS 10, 12 to 18, 22 and 27, as far as one file goes."""

import io
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apple_clf.arrays import UInt8Array
from apple_clf.errors import ImageError
from apple_clf.images.decoding import MAX_BYTES, MAX_PIXELS, decode, read_file

RNG = np.random.default_rng(0)
RAMP = np.arange(240, dtype=np.uint8).reshape(12, 20)
"""240 different levels, lopsided, so that no turn maps it to itself."""


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def gray(source: bytes | Path, *, min_side: int = 1000) -> UInt8Array:
    return decode(source, color_mode="grayscale", min_side=min_side).pixels


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with true checksums whose header may promise anything."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"\0" * 72)
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in ((b"IHDR", header), *chunks, (b"IDAT", body), (b"IEND", b"")):
        checksum = zlib.crc32(kind + content)
        data += struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)
    return data


def test_lossless_formats_give_back_every_level() -> None:
    image = Image.fromarray(RAMP)
    for kind, options in (
        ("PNG", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("TIFF", {}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("WEBP", {"lossless": True}),
    ):
        pixels = gray(encoded(image, kind, **options))
        assert np.abs(pixels.astype(int) - RAMP).max() <= 1, (kind, options)


def test_jpeg_is_close_to_its_original() -> None:
    smooth = Image.linear_gradient("L")
    pixels = gray(encoded(smooth, "JPEG", quality=95))
    assert np.abs(pixels.astype(int) - np.asarray(smooth)).max() <= 3


def test_rgb_keeps_three_channels() -> None:
    color = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
    decoded = decode(encoded(Image.fromarray(color), "PNG"), color_mode="rgb", min_side=9)
    np.testing.assert_array_equal(decoded.pixels, color)
    assert decoded.note is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", "empty file", id="zero bytes"),
        pytest.param(b"hello, I am a photo", "not an image", id="text"),
        pytest.param(b"\xff\xd8\xff", "truncated", id="three bytes of JPEG"),
        pytest.param(b"RIFF\x04\0\0\0WAVE", "not an image", id="a sound"),
    ],
)
def test_fault_10_what_is_no_image_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=reason) as caught:
        gray(path)
    assert "photo.jpg" not in str(caught.value)
    assert "\n" not in str(caught.value)


TEXT = b"k\0\0" + zlib.compress(b"\0" * 30_000_000, 9)


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        pytest.param(png(60_000, 60_000), "too large: 60000x60000", id="pixels"),
        pytest.param(png(MAX_PIXELS // 2000 + 1, 2000), "too large", id="a column over the limit"),
        pytest.param(png(65_536, 1), "65535 a side", id="a line over the limit"),
        pytest.param(png(8, 8, (b"zTXt", TEXT)), "too large", id="text"),
        pytest.param(png(8, 8, (b"iCCP", TEXT)), "corrupt PNG", id="profile"),
        pytest.param(
            b"BM"
            + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 50_000, 50_000, 1, 1, *[0] * 6),
            "too large: 50000x50000",
            id="bmp",
        ),
    ],
)
def test_fault_12_bombs_are_refused_before_they_are_decoded(
    bomb: bytes, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object) -> None:
        raise AssertionError("pixels were decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load_prepare", explode)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load_prepare", explode)
    with pytest.raises(ImageError, match=reason) as caught:
        gray(bomb)
    assert "decoded" not in str(caught.value)


def test_fault_12_a_large_honest_photo_is_shrunk_inside_the_decoder() -> None:
    photo = Image.linear_gradient("L").resize((4000, 3000))
    pixels = gray(encoded(photo, "JPEG"), min_side=224)
    assert pixels.shape == (375, 500)  # an eighth
    assert np.all(np.diff(pixels.mean(axis=1)) >= 0)  # still the gradient


def test_shrinking_leaves_min_side_in_every_format() -> None:
    image = Image.linear_gradient("L").resize((300, 100))
    for kind, shrunk in (("PNG", (34, 100)), ("WEBP", (34, 100)), ("JPEG", (50, 150))):
        assert gray(encoded(image, kind), min_side=30).shape == shrunk, kind
        assert gray(encoded(image, kind), min_side=51).shape == (100, 300), kind


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "EPS", id="EPS"),
        pytest.param(b"8BPS\0\1" + b"\0" * 40, "Photoshop", id="PSD"),
        pytest.param(b"%PDF-1.7\n", "PDF", id="PDF"),
        pytest.param(b"\0\0\0\x18ftypheic" + b"\0" * 20, "HEIC", id="HEIC"),
        pytest.param(b"P5 1 1 255 \0", "not an image", id="PGM"),
        pytest.param(encoded(Image.new("L", (4, 4)), "PCX"), "not an image", id="PCX"),
        pytest.param(encoded(Image.new("L", (16, 16)), "ICO"), "not an image", id="ICO"),
    ],
)
def test_fault_13_foreign_formats_are_refused_by_content(
    tmp_path: Path, content: bytes, name: str
) -> None:
    path = tmp_path / "drawing.png"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=name):
        gray(path)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("spread", [257, 256], ids=["full scale", "high byte"])
def test_fault_14_16_bit_gray_equals_its_8_bit_twin(kind: str, spread: int) -> None:
    deep = RAMP.astype(np.uint16) * spread
    pixels = gray(encoded(Image.fromarray(deep), kind))
    assert np.abs(pixels.astype(int) - RAMP).max() <= 1


def test_fault_14_16_bit_gray_in_32_bits_is_scaled_and_other_ranges_are_refused() -> None:
    wide = RAMP.astype(np.int32) * 257
    np.testing.assert_array_equal(gray(encoded(Image.fromarray(wide), "TIFF")), RAMP)
    with pytest.raises(ImageError, match="outside 0 to 65535"):
        gray(encoded(Image.fromarray(wide * 2), "TIFF"))
    with pytest.raises(ImageError, match="floating-point"):
        gray(encoded(Image.fromarray(RAMP / np.float32(255)), "TIFF"))


def luma(color: UInt8Array) -> UInt8Array:
    """ITU-R 601, in floating point: an independent statement of what gray means."""
    weighted = color.astype(float) @ [0.299, 0.587, 0.114]
    return np.asarray(np.round(weighted), dtype=np.uint8)


COLOR = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=2)
ALPHA = (RAMP // 2 + 64).astype(np.uint8)
ON_WHITE = (luma(COLOR).astype(float) * ALPHA + 255.0 * (255 - ALPHA)) / 255
GRAY_ON_WHITE = (RAMP.astype(float) * ALPHA + 255.0 * (255 - ALPHA)) / 255
INK = np.zeros((12, 20, 4), np.uint8)
INK[..., :3], INK[..., 3] = 255 - COLOR, 0


def with_alpha(pixels: UInt8Array) -> Image.Image:
    image = Image.fromarray(pixels)
    image.putalpha(Image.fromarray(ALPHA))
    return image


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(encoded(Image.fromarray(COLOR), "PNG"), luma(COLOR), id="RGB"),
        pytest.param(
            encoded(Image.fromarray(INK, "CMYK"), "TIFF"),
            luma(COLOR),
            id="CMYK",
            marks=pytest.mark.filterwarnings("ignore::DeprecationWarning"),
        ),
        pytest.param(encoded(with_alpha(COLOR), "PNG"), ON_WHITE, id="RGBA"),
        pytest.param(encoded(with_alpha(COLOR), "WEBP", lossless=True), ON_WHITE, id="RGBA WEBP"),
        pytest.param(encoded(with_alpha(RAMP), "PNG"), GRAY_ON_WHITE, id="LA"),
        pytest.param(encoded(Image.fromarray(RAMP).convert("P"), "PNG"), RAMP, id="P"),
        pytest.param(
            encoded(Image.fromarray(RAMP), "PNG", transparency=7),
            np.where(RAMP == 7, 255, RAMP),
            id="L with a transparent level",
        ),
        pytest.param(
            encoded(Image.fromarray(RAMP.astype(np.uint16) * 257), "PNG", transparency=7 * 257),
            np.where(RAMP == 7, 255, RAMP),
            id="16 bits with a transparent level",
        ),
        pytest.param(
            encoded(Image.fromarray(RAMP).convert("P"), "GIF", transparency=7),
            np.where(RAMP == 7, 255, RAMP),
            id="P with a transparent colour",
        ),
        pytest.param(
            encoded(Image.fromarray(RAMP > 100), "PNG"), np.where(RAMP > 100, 255, 0), id="1"
        ),
    ],
)
def test_fault_15_every_mode_gives_the_documented_gray(data: bytes, expected: UInt8Array) -> None:
    assert np.abs(gray(data).astype(float) - expected).max() <= 1


def test_fault_15_transparency_is_white_in_rgb_too() -> None:
    clear = Image.new("RGBA", (3, 2), (10, 20, 30, 0))
    pixels = decode(encoded(clear, "PNG"), color_mode="rgb", min_side=9).pixels
    np.testing.assert_array_equal(pixels, np.full((2, 3, 3), 255))


# What a camera stores when it was held so: the inverse of the turn that shows it upright.
STORED = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.T,
    6: lambda a: np.rot90(a),
    7: lambda a: a[::-1, ::-1].T,
    8: lambda a: np.rot90(a, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_fault_16_orientation_is_undone(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](RAMP))
    options = {"lossless": True} if kind == "WEBP" else {}
    pixels = gray(encoded(Image.fromarray(stored), kind, exif=exif, **options))
    assert pixels.shape == RAMP.shape
    assert np.abs(pixels.astype(int) - RAMP).max() <= 1


@pytest.mark.parametrize("orientation", STORED)
def test_fault_16_orientation_of_a_shrunk_jpeg_is_undone(orientation: int) -> None:
    upright = np.asarray(Image.linear_gradient("L").resize((320, 160)).rotate(20))
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](upright))
    pixels = gray(encoded(Image.fromarray(stored), "JPEG", exif=exif, quality=95), min_side=40)
    plain = gray(encoded(Image.fromarray(upright), "JPEG", quality=95), min_side=40)
    assert pixels.shape == (40, 80)
    assert np.abs(pixels.astype(int) - plain).max() <= 4


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "MPO"])
def test_fault_17_first_frame_of_several_is_taken_and_noted(kind: str) -> None:
    smooth = Image.linear_gradient("L").resize((40, 30)).convert("RGB")
    others = [Image.new("RGB", (40, 30), shade) for shade in ("black", "gray")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(smooth, kind, save_all=True, append_images=others, **options)
    decoded = decode(data, color_mode="grayscale", min_side=1000)
    assert decoded.note == "first of 3 frames"
    assert np.abs(decoded.pixels.astype(int) - np.asarray(smooth.convert("L"))).max() <= 8


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "GIF", "TIFF"])
def test_fault_18_slivers_are_decoded(kind: str, size: tuple[int, int]) -> None:
    assert gray(encoded(Image.new("L", size, 99), kind)).shape == size[::-1]


def unreadable(path: Path) -> None:
    path.write_bytes(b"\x89PNG")
    path.chmod(0)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        pytest.param(lambda path: None, "no such file", id="missing"),
        pytest.param(lambda path: path.mkdir(), "a folder", id="folder"),
        pytest.param(lambda path: os.mkfifo(path), "a pipe", id="FIFO"),
        pytest.param(lambda path: path.symlink_to(path), "cannot be read", id="link loop"),
        pytest.param(lambda path: path.symlink_to("/dev/zero"), "or device", id="device"),
        pytest.param(
            unreadable,
            "no permission",
            id="no permission",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file"),
        ),
        pytest.param(
            lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_WRONLY), MAX_BYTES + 1),
            "too large: 268435457 bytes",
            id="larger than the limit",
        ),
    ],
)
@pytest.mark.timeout(20)
def test_fault_27_only_regular_files_are_read(tmp_path: Path, make: Any, reason: str) -> None:
    path = tmp_path / "photo.png"
    make(path)
    with pytest.raises(ImageError, match=reason):
        read_file(path)


def test_fault_22_refused_permission_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ImageError, match="no permission to read it"):
        read_file(Path("photo.png"))


def test_a_name_no_file_can_have_is_refused() -> None:
    with pytest.raises(ImageError, match="no file can have this name"):
        read_file(Path("photo\0.png"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        pytest.param(MemoryError(), "not enough memory", id="memory"),
        pytest.param(ValueError("odd\nlines"), "corrupt PNG: odd lines", id="one line"),
        pytest.param(KeyError(), "corrupt PNG: KeyError", id="no message"),
        pytest.param(OSError("image file is truncated (3)"), "truncated", id="truncated"),
    ],
)
def test_whatever_a_decoder_raises_becomes_a_reason(
    error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    with pytest.raises(ImageError, match=reason):
        gray(encoded(Image.fromarray(RAMP), "PNG"))
