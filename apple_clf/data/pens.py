"""Training drawings as other pens would have drawn them, and as the reader of paper makes them."""

from functools import partial

import numpy as np
from PIL import Image

from apple_clf.arrays import UInt8Array
from apple_clf.data.split import Split
from apple_clf.images.strokes import LINE, redraw
from apple_clf.io.large_arrays import empty_pixels
from apple_clf.io.parallel import map_chunks

LINES = (3, 4, 5, 6, 8, 9, 10, 11)
"""Widths of the other pens, in quarters of a pixel; the reader's own is 7."""

ENLARGED = 4
EDGE = 110
"""Of 255, where the edge of an antialiased line is."""


def drawn_by_other_pens(split: Split, copies: int, *, seed: int) -> Split:
    """Copies of the drawings of a split that other pens drew, all of them once, then again.

    The first copy has the line of the reader of paper, the others have lines of random width. A
    picture without any stroke is copied as it is.

    Args:
        split: drawings, light on dark, one channel.
        copies: of each drawing, 1 or more.
        seed: of the widths.
    """
    n = len(split)
    lines = np.random.default_rng([seed, n]).choice(LINES, (copies, n))
    lines[0] = LINE
    images = empty_pixels((copies * n, *split.images.shape[1:]))
    items = ((split.images[i, ..., 0], int(line)) for row in lines for i, line in enumerate(row))
    at = 0
    for drawn in map_chunks(partial(_Pens, split.images.shape[1:3]), items):
        images[at : at + len(drawn), ..., 0] = drawn
        at += len(drawn)
    names = [f"{name} (drawn again)" for name in split.names] * copies
    return Split(images, np.tile(split.labels, copies), names)


class _Pens:
    """Draws pictures again; lives in each worker process."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size

    def __call__(self, items: list[tuple[UInt8Array, int]]) -> list[UInt8Array]:
        return [self._drawn_again(drawing, line) for drawing, line in items]

    def _drawn_again(self, drawing: UInt8Array, line: int) -> UInt8Array:
        rows, columns = np.nonzero(drawing > EDGE // 2)
        if not len(rows):
            return drawing
        part = drawing[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        size = (ENLARGED * part.shape[1], ENLARGED * part.shape[0])
        large = np.asarray(Image.fromarray(part).resize(size, Image.Resampling.BICUBIC))
        drawn = redraw(large, self.size, threshold=EDGE, line=line)
        return drawing if drawn is None else drawn
