"""Many small pictures on one page, each over its name, to look at a data set at a glance."""

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from apple_clf.arrays import UInt8Array

_GAP: Final = 4
_TEXT: Final = 14  # height of a line of text
_PAPER, _INK = 32, 224


def contact_sheet(
    images: Sequence[UInt8Array] | UInt8Array,
    names: Sequence[str],
    *,
    columns: int = 10,
    tile: int = 80,
) -> Image.Image:
    """A page with the pictures in rows, each with its name below.

    Args:
        images: uint8, gray (h, w) or (h, w, 1) or colour (h, w, 3) each; sizes may differ. They are
            enlarged or reduced to fit a square tile, their aspect ratio kept.
        names: one text per picture, cut to the tile's width.
        columns: pictures in a row, >= 1.
        tile: side of a square tile in pixels, >= 1.

    Returns:
        An RGB picture; without pictures, one empty row.

    Raises:
        ValueError: as many names as pictures are due, and columns and tile of 1 or more.
    """
    if len(images) != len(names):
        raise ValueError(f"{len(images)} pictures need as many names, not {len(names)}")
    if columns < 1 or tile < 1:
        raise ValueError(f"columns and tile must be 1 or more, not {columns!r} and {tile!r}")
    rows = max(1, -(-len(images) // columns))
    width, height = tile + _GAP, tile + _TEXT + _GAP
    page = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), (_PAPER,) * 3)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=11)
    for position, (image, name) in enumerate(zip(images, names, strict=True)):
        left, top = _GAP + position % columns * width, _GAP + position // columns * height
        picture = _fitted(image, tile)
        page.paste(
            picture, (left + (tile - picture.width) // 2, top + (tile - picture.height) // 2)
        )
        text = _cut(name, font, tile)
        draw.text((left + tile // 2, top + tile + 1), text, (_INK,) * 3, font, anchor="ma")
    return page


def _fitted(image: UInt8Array, tile: int) -> Image.Image:
    """The picture at the largest size that fits; small ones keep their hard pixel edges."""
    picture = Image.fromarray(image[..., 0] if image.shape[2:] == (1,) else image)
    scale = tile / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
    return picture.resize(size, method)


def _cut(name: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """As much of the name as fits; control characters would break the line and are left out."""
    name = "".join(letter for letter in name if letter.isprintable())
    if font.getlength(name) <= width:
        return name
    while name and font.getlength(name + "…") > width:
        name = name[:-1]
    return name + "…"
