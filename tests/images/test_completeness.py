"""FAULTS 11: a file cut anywhere is never taken for a picture."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from apple_clf.errors import ImageError
from apple_clf.images.completeness import count_frames
from apple_clf.images.decoding import decode

NOISE = np.random.default_rng(0).integers(0, 256, (17, 23), dtype=np.uint8)
GRAY = Image.fromarray(NOISE)
COLOR = Image.merge("RGB", (GRAY, GRAY.transpose(Image.Transpose.ROTATE_180), GRAY))
FLAT = Image.new("L", (23, 17))


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.copy().save(buffer, kind, **options)  # a save leaves settings behind in the image
    return buffer.getvalue()


def animated(kind: str) -> bytes:
    others = [COLOR.rotate(90), COLOR.rotate(180)]
    return encoded(COLOR, kind, save_all=True, append_images=others)


def with_thumbnail() -> bytes:
    """A JPEG with another, complete one in its metadata, as cameras write it."""
    return encoded(
        COLOR, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0" + encoded(FLAT, "JPEG")
    )


FILES = {
    "JPEG": encoded(COLOR, "JPEG"),
    "JPEG of one colour": encoded(FLAT, "JPEG"),
    "JPEG progressive": encoded(COLOR, "JPEG", progressive=True),
    "JPEG with thumbnail": with_thumbnail(),
    "MPO": animated("MPO"),
    "PNG": encoded(GRAY, "PNG"),
    "PNG of one colour": encoded(FLAT, "PNG"),
    "APNG": animated("PNG"),
    "BMP": encoded(COLOR, "BMP"),
    "BMP of two colours": encoded(GRAY.convert("1"), "BMP"),
    "GIF": encoded(GRAY, "GIF"),
    "GIF of one colour": encoded(FLAT, "GIF"),
    "GIF animated": animated("GIF"),
    "WEBP": encoded(COLOR, "WEBP"),
    "WEBP lossless": encoded(COLOR, "WEBP", lossless=True),
    "WEBP animated": animated("WEBP"),
    "TIFF": encoded(GRAY, "TIFF"),
    "TIFF LZW": encoded(COLOR, "TIFF", compression="tiff_lzw"),
    "TIFF deflate": encoded(COLOR, "TIFF", compression="tiff_deflate"),
    "TIFF JPEG": encoded(COLOR, "TIFF", compression="jpeg"),
    "TIFF fax": encoded(GRAY.convert("1"), "TIFF", compression="group4"),
    "TIFF big": encoded(GRAY, "TIFF", big_tiff=True),
    "TIFF pages": animated("TIFF").rstrip(b"\0"),
}
"""Of everything that is read. The writer of TIFF pages pads its file, which nothing points at."""

KINDS = {"MPO": "Jpeg", "APNG": "Png"}


@pytest.mark.parametrize("name", FILES)
def test_whole_files_pass_and_their_frames_are_counted(name: str) -> None:
    several = name in ("MPO", "APNG", "GIF animated", "WEBP animated", "TIFF pages")
    word = name.split()[0]
    kind = KINDS.get(word, {"WEBP": "WebP"}.get(word, word.capitalize()))
    assert count_frames(FILES[name], kind) == (3 if several else 1)


@pytest.mark.parametrize("name", FILES)
def test_fault_11_truncated_file_is_rejected(name: str) -> None:
    data = FILES[name]
    accepted = []
    for cut in {len(data) * percent // 100 for percent in range(100)} | {len(data) - 1}:
        try:
            decode(data[:cut], color_mode="grayscale", min_side=100)
        except ImageError:
            continue
        accepted.append(cut)
    assert accepted == []


@pytest.mark.parametrize("name", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF"])
def test_fault_11_reason_says_truncated(name: str) -> None:
    data = FILES[name]
    with pytest.raises(ImageError, match="truncated"):
        decode(data[: len(data) * 9 // 10], color_mode="grayscale", min_side=100)


def test_every_flipped_byte_of_a_png_s_pixels_is_noticed() -> None:
    data = FILES["PNG"]
    start = data.index(b"IDAT") + 4
    for place in range(start, data.index(b"IEND") - 8, 7):
        flipped = bytearray(data)
        flipped[place] ^= 0x10
        with pytest.raises(ImageError, match="checksum"):
            decode(bytes(flipped), color_mode="grayscale", min_side=100)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WEBP", "BMP"])
def test_bytes_after_the_end_do_no_harm(name: str) -> None:
    whole = decode(FILES[name], color_mode="grayscale", min_side=100).pixels
    longer = decode(FILES[name] + b"\0" * 9, color_mode="grayscale", min_side=100).pixels
    np.testing.assert_array_equal(whole, longer)


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        pytest.param(b"\xff\xd8\xff\xd0\xffx\0\0", "Jpeg", "truncated|IndexError", id="JPEG"),
        pytest.param(b"\xff\xd8\0\0\0\0", "Jpeg", "no marker", id="JPEG without marker"),
        pytest.param(b"GIF89a" + b"\0" * 7 + b"?", "Gif", "unknown block", id="GIF"),
    ],
)
def test_garbage_inside_is_rejected(data: bytes, kind: str, reason: str) -> None:
    with pytest.raises((ImageError, IndexError), match=None if "Error" in reason else reason):
        count_frames(data, kind)


@pytest.mark.timeout(20)
def test_tiff_pages_that_form_a_ring_are_counted_once_and_too_many_refused() -> None:
    ring = b"II*\0" + struct.pack("<IHI", 8, 0, 14) + struct.pack("<HI", 0, 8)
    assert count_frames(ring, "Tiff") == 2
    pages = b"".join(struct.pack("<HI", 0, 8 + 6 * (page + 1)) for page in range(10_001))
    with pytest.raises(ImageError, match="too many pages"):
        count_frames(b"II*\0" + struct.pack("<I", 8) + pages, "Tiff")
