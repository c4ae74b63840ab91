"""A page to write and draw on in pixels, and the blocks that it is made of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from apple_clf.plots.drawing import FAINT, INK, WIDTH, house_style, new_figure, png
from apple_clf.plots.pixels import AGAINST, FOR, tile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from apple_clf.arrays import FloatArray, UInt8Array

    Section = tuple[int, Callable[["Canvas", int], None]]
    """The height of a part of a page, and what draws it below a line."""

PLAIN, EMPTY = "#8C8C8C", "#EEEEEE"
GAP = 12  # pixels between pictures in a row
BAR_HEIGHT, BAR_STEP = 40, 25  # of the longest bar, and from one bar to the next


class Canvas:
    """A figure to write and draw on in pixels from the upper left corner."""

    def __init__(self, *, height: int) -> None:
        """Makes an empty page, 800 pixels wide."""
        self.height = height
        self.figure = new_figure(height=height)
        self.pixels = np.full((height, WIDTH, 3), 255, np.uint8)

    def write(
        self,
        words: str,
        *,
        x: float,
        y: float,
        size: int = 9,
        color: str = INK,
        align: str = "left",
    ) -> None:
        """Writes on the line at y."""
        at = x / WIDTH, 1 - y / self.height
        self.figure.text(*at, words, fontsize=size, color=color, ha=align)

    def bar(self, *, x: float, y: float, width: float, height: float, color: str) -> None:
        """Fills a rectangle; a negative height goes up."""
        from matplotlib.patches import Rectangle

        corner = x / WIDTH, 1 - y / self.height
        size = width / WIDTH, -height / self.height
        self.figure.add_artist(Rectangle(corner, *size, color=color, linewidth=0))

    def picture(self, pixels: UInt8Array, *, x: int, y: int, side: int) -> None:
        """Pastes a picture in a thin frame, scaled to fit a square."""
        shown = tile(pixels, side)
        height, width = shown.shape[:2]
        self.pixels[y - 1 : y + height + 1, x - 1 : x + width + 1] = 208
        self.pixels[y : y + height, x : x + width] = shown

    def tiles(
        self,
        pictures: Sequence[UInt8Array],
        captions: Sequence[str],
        *,
        x: int,
        y: int,
        side: int,
    ) -> None:
        """Pastes pictures in a row, each over its caption."""
        for i, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
            left = x + i * (side + GAP)
            self.picture(picture, x=left, y=y, side=side)
            self.write(caption, x=left, y=y + side + 13, size=8)

    def maps(self, maps: FloatArray, numbers: Sequence[int], *, x: int, y: int, side: int) -> None:
        """Draws channels in gray over their numbers, on one scale; 0 is black if it is the least.

        Args:
            maps: the channels whose values set the scale, (n, height, width).
            numbers: of the channels to draw, at most n.
            x: of the left edge.
            y: of the upper edge.
            side: of a channel's square.
        """
        low, high = min(0.0, float(maps.min())), float(maps.max())
        for i, (number, values) in enumerate(zip(numbers, maps, strict=False)):
            gray = ((values - low) * (255 / (high - low or 1))).astype(np.uint8)
            left = x + i * (side + GAP)
            self.picture(gray[..., None], x=left, y=y, side=side)
            self.write(f"{number}", x=left, y=y + side + 12, color=FAINT, size=7)

    def bars(
        self,
        values: Sequence[float],
        numbers: Sequence[int],
        contributions: Sequence[float | None],
        *,
        largest: str,
        x: int,
        y: int,
    ) -> None:
        """Draws values as bars on a line; those below 0 hang from it.

        Args:
            values: not 0, the largest first.
            numbers: written below the bars.
            contributions: orange above 0, blue below it, gray if None.
            largest: the first value in words.
            x: of the left edge.
            y: of the lower edge.
        """
        if not values:
            return
        hangs = any(value < 0 for value in values)
        scale = BAR_HEIGHT // 2 if hangs else BAR_HEIGHT
        y -= BAR_HEIGHT - scale
        width, below = BAR_STEP - 7, y + (scale if hangs else 0) + 11
        for i, (value, number, part) in enumerate(zip(values, numbers, contributions, strict=True)):
            left = x + i * BAR_STEP
            color = PLAIN if part is None else FOR if part > 0 else AGAINST
            height = value / abs(values[0]) * scale
            self.bar(x=left, y=y, width=width, height=-height, color=color)
            middle = left + width / 2
            self.write(f"{number}", x=middle, y=below, size=7, color=FAINT, align="center")
        self.write(largest, x=x, y=y - scale - 3, size=7, color=FAINT)
        self.bar(x=x, y=y, width=len(values) * BAR_STEP - 7, height=1, color=FAINT)

    def share(self, share: float, *, x: float, y: float, width: float, color: str) -> None:
        """Draws a share of 1 as the filled part of a bar."""
        self.bar(x=x, y=y, width=width, height=9, color=EMPTY)
        self.bar(x=x, y=y, width=width * share, height=9, color=color)

    def to_png(self) -> bytes:
        """The page as PNG."""
        self.figure.figimage(self.pixels, zorder=-1)
        return png(self.figure)


def draw_sections(sections: Iterable[Section]) -> bytes:
    """PNG of sections below each other, 800 pixels wide.

    Args:
        sections: from top to bottom.
    """
    parts = list(sections)
    with house_style():
        page = Canvas(height=sum(height for height, _ in parts))
        top = 0
        for height, draw in parts:
            draw(page, top)
            top += height
        return page.to_png()
