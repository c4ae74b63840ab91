"""Is the whole image file there? One walk over each format's own structure.

A decoder stops once it has its pixels, and some fill what is missing with gray: a file that was
cut short can pass for a picture. Each function here follows the lengths that the format itself
states to the end of the file, without decoding a pixel, in microseconds, and counts the frames on
its way. The cheap checksums of PNG are compared too.

A walk that runs off the end raises whatever indexing raises; `decoding` turns it into a reason.
"""

import struct
import zlib

from apple_clf.errors import ImageError

MAX_PAGES = 10_000
"""Of a TIFF; pages may overlap, so the file's size alone does not bound them."""

TRUNCATED = "truncated: the end of the file is missing"


def count_frames(data: bytes, kind: str) -> int:
    """Frames of a file that is all there.

    Args:
        data: the file.
        kind: "Png", "Jpeg", "Gif", "WebP", "Tiff" or "Bmp", what its first bytes say.

    Returns:
        1 or more.

    Raises:
        ImageError: the file was cut short, or a PNG chunk's checksum is wrong.
        IndexError, struct.error: the same, seen by running off the end.
    """
    return _WALKS[kind](data)


def _walk_png(data: bytes) -> int:
    """Source: PNG, third edition, W3C 2025, section 5.3 (chunks) and 11.3.4 (acTL)."""
    n_frames, start, kind = 1, 8, b""
    while kind != b"IEND":
        length, kind = _PNG_CHUNK(data, start)
        end = start + 12 + length
        if end > len(data):
            raise ImageError(TRUNCATED)
        if kind[0] < 97:  # a capital: needed for the pixels
            if zlib.crc32(data[start + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
                raise ImageError(f"corrupt PNG: wrong checksum of chunk {kind!r}")
        elif kind == b"acTL":
            n_frames = int.from_bytes(data[start + 8 : start + 12])
        start = end
    return n_frames


_PNG_CHUNK = struct.Struct(">I4s").unpack_from


def _walk_jpeg(data: bytes) -> int:
    """Source: ITU-T T.81, annex B; CIPA DC-007 for MPO, whose frames are JPEGs in a row.

    The end marker counts only after the scan has begun: embedded thumbnails have their own.
    """
    n_frames, scan = _jpeg_scan(data, 0)
    for _ in range(n_frames - 1):
        end = data.find(_END, scan)
        start = data.find(b"\xff\xd8\xff", end)
        if min(end, start) < 0:
            raise ImageError(TRUNCATED)
        _, scan = _jpeg_scan(data, start)
    if data.rfind(_END, scan) < 0:
        raise ImageError(TRUNCATED)
    return n_frames


_END = b"\xff\xd9"


def _jpeg_scan(data: bytes, start: int) -> tuple[int, int]:
    """Frames that the file announces, and where the compressed pixels of this one begin."""
    n_frames = 1
    start += 2
    while (marker := data[start + 1]) != 0xDA:
        if data[start] != 0xFF:
            raise ImageError("corrupt JPEG: no marker where one is due")
        if marker == 0xFF:  # a fill byte
            start += 1
        elif 0xD0 <= marker <= 0xD9 or marker == 0x01:  # these have no length
            start += 2
        else:
            if data[start + 4 : start + 8] == b"MPF\0":
                n_frames = _mpo_frames(data, start + 8)
            start += 2 + int.from_bytes(data[start + 2 : start + 4])
    return n_frames, start


def _mpo_frames(data: bytes, base: int) -> int:
    """Frames in the index of an MPO. Its offsets go unused: common writers get them wrong."""
    order = "<" if data[base : base + 1] == b"I" else ">"
    (start,) = struct.unpack_from(order + "I", data, base + 4)
    (n_fields,) = struct.unpack_from(order + "H", data, base + start)
    for field in range(n_fields):
        at = base + start + 2 + 12 * field
        tag, _, _, value = struct.unpack_from(order + "HHII", data, at)
        if tag == 0xB001:
            return max(1, int(value))
    return 1


def _walk_gif(data: bytes) -> int:
    """Source: GIF89a specification, CompuServe 1990, appendix B (grammar)."""
    n_frames, start = 0, 13 + _gif_palette(data[10])
    while (block := data[start]) != 0x3B:
        if block == 0x2C:  # a picture: descriptor, palette, code size
            n_frames += 1
            start += 11 + _gif_palette(data[start + 9])
        elif block == 0x21:  # an extension
            start += 2
        else:
            raise ImageError("corrupt GIF: unknown block")
        while size := data[start]:
            start += 1 + size
        start += 1
    return n_frames


def _gif_palette(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _walk_webp(data: bytes) -> int:
    """Source: RFC 9649, section 2.5 (file header) and 2.7.1.1 (ANMF is a frame)."""
    end = 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise ImageError(TRUNCATED)
    n_frames, start = 0, 12
    while start < end:
        kind, length = _RIFF_CHUNK(data, start)
        n_frames += kind == b"ANMF"
        start += 8 + length + length % 2
    return max(1, n_frames)


_RIFF_CHUNK = struct.Struct("<4sI").unpack_from


def _walk_bmp(data: bytes) -> int:
    """Source: BITMAPFILEHEADER, Microsoft; some writers leave the size 0."""
    if int.from_bytes(data[2:6], "little") > len(data):
        raise ImageError(TRUNCATED)
    return 1


def _walk_tiff(data: bytes) -> int:
    """Source: TIFF 6.0, Adobe 1992, section 2; BigTIFF as libtiff writes it."""
    order = "<" if data[:1] == b"I" else ">"
    big = 43 in data[2:4]
    pages: set[int] = set()
    (page,) = struct.unpack_from(order + "Q" if big else order + "I", data, 8 if big else 4)
    while page and page not in pages:
        pages.add(page)
        if len(pages) > MAX_PAGES:
            raise ImageError(f"too many pages: more than {MAX_PAGES}")
        page = _tiff_page(data, page, order, "Q" if big else "I")
    return len(pages)


def _tiff_page(data: bytes, start: int, order: str, offset: str) -> int:
    """Where the next page starts, 0 after the last; all that this one points at is there."""
    count = struct.Struct(order + ("Q" if offset == "Q" else "H"))
    field = struct.Struct(order + "HH" + 2 * offset)
    pointer = struct.Struct(order + offset)
    (n_fields,) = count.unpack_from(data, start)
    first = start + count.size
    last = first + n_fields * field.size
    (next_page,) = pointer.unpack_from(data, last)
    strips: dict[str, tuple[int, ...]] = {"starts": (), "sizes": ()}
    for at in range(first, last, field.size):
        tag, kind, n, value = field.unpack_from(data, at)
        values = struct.Struct(f"{order}{n}{_TIFF_TYPES.get(kind, 'B')}")
        where = value if values.size > pointer.size else at + field.size - pointer.size
        if where + values.size > len(data):
            raise ImageError(TRUNCATED)
        if tag in _TIFF_STRIPS:
            strips[_TIFF_STRIPS[tag]] = values.unpack_from(data, where)
    ends = map(sum, zip(strips["starts"], strips["sizes"], strict=False))
    if max(ends, default=0) > len(data):
        raise ImageError(TRUNCATED)
    return int(next_page)


_TIFF_TYPES = dict(enumerate("BsHIQbBhiqfdI", start=1)) | {16: "Q", 17: "q", 18: "Q"}
_TIFF_STRIPS = {273: "starts", 279: "sizes", 324: "starts", 325: "sizes"}  # strips, tiles

_WALKS = {
    "Png": _walk_png,
    "Jpeg": _walk_jpeg,
    "Gif": _walk_gif,
    "WebP": _walk_webp,
    "Tiff": _walk_tiff,
    "Bmp": _walk_bmp,
}
