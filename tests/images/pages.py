"""Pages that somebody drew an apple on, as a camera or a scanner would show them, from a seed."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from apple_clf.arrays import FloatArray, UInt8Array

HEIGHT, WIDTH = 480, 600
PAPER, INK = 235, 40
SHEET = [(70, 40), (560, 25), (570, 450), (60, 460)]  # corners where there is a table
MIDDLE, SCALE = (300, 250), 150  # of the drawing, x before y


def _outline() -> FloatArray:
    """An apple's outline, x and y in -1 to 1, y down, (121, 2)."""
    turn = np.linspace(-np.pi, np.pi, 121)
    radius = 0.8 - 0.3 * np.exp(-((turn / 0.4) ** 2))
    return np.stack([radius * np.sin(turn), 0.2 - radius * np.cos(turn)], axis=1)


STEM = np.array([(0, -0.3), (0.03, -0.6), (0.15, -0.95)])
LEAF = np.array([(0.06, -0.7), (0.3, -0.95), (0.65, -0.9), (0.45, -0.68), (0.06, -0.7)])
STROKES = (_outline(), STEM, LEAF)


def cover(
    pen: int,
    *,
    filled: bool = False,
    hatched: bool = False,
    middle: tuple[int, int] = MIDDLE,
    scale: int = SCALE,
    size: tuple[int, int] = (HEIGHT, WIDTH),
) -> FloatArray:
    """How much of each pixel the apple covers, 0 to 1, (height, width).

    Args:
        pen: width in pixels.
        filled: whether it is coloured in.
        hatched: whether it is hatched.
        middle: x and y of the drawing.
        scale: half its side in pixels.
        size: of the page.
    """
    finer = 4
    image = Image.new("L", (finer * size[1], finer * size[0]))
    draw = ImageDraw.Draw(image)
    strokes = [finer * (scale * points + middle) for points in STROKES]
    inside = Image.new("1", image.size)
    ImageDraw.Draw(inside).polygon(strokes[0].ravel().tolist(), fill=1)
    if filled:
        image.paste(255, mask=inside)
    if hatched:
        lines = Image.new("L", image.size)
        for x in range(-image.height, image.width, finer * 3 * pen // 2):
            end = (x + image.height, image.height)
            ImageDraw.Draw(lines).line([(x, 0), end], 255, finer * pen // 2)
        image.paste(lines, mask=inside)
    for points in strokes:
        draw.line(points.ravel().tolist(), 255, finer * pen, joint="curve")
        for x, y in (points[0], points[-1]):  # round ends
            radius = finer * pen / 2
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return np.asarray(image.reduce(finer)) / 255


def inked(
    covered: FloatArray, *, paper: FloatArray | float = PAPER, ink: float = INK
) -> UInt8Array:
    """A page with ink where it is covered, uint8, of the same shape."""
    return np.rint(paper + covered * (ink - paper)).clip(0, 255).astype(np.uint8)


def lit(page: UInt8Array, light: FloatArray) -> UInt8Array:
    """A page under light that differs from place to place, 1 is full."""
    return np.rint(page * light).clip(0, 255).astype(np.uint8)


def _places() -> tuple[FloatArray, FloatArray]:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return y / HEIGHT, x / WIDTH


def plain(pen: int = 8) -> UInt8Array:
    return inked(cover(pen))


def gradient() -> UInt8Array:
    y, x = _places()
    return lit(plain(), 1 - 0.35 * x - 0.2 * y)


def hard_shadow() -> UInt8Array:
    y, x = _places()
    return lit(plain(), np.where(x + 0.4 * y > 0.8, 0.55, 1.0))


def soft_shadow() -> UInt8Array:
    y, x = _places()
    return lit(plain(), 1 - 0.5 / (1 + np.exp(-(x + 0.4 * y - 0.7) * 25)))


def ruled(*, squared: bool = False) -> UInt8Array:
    paper = np.full((HEIGHT, WIDTH), float(PAPER))
    paper[20::40] = paper[21::40] = 165
    if squared:
        paper[:, 20::40] = paper[:, 21::40] = 165
    return inked(cover(8), paper=paper)


def squared() -> UInt8Array:
    return ruled(squared=True)


def ruled_with_a_margin() -> UInt8Array:
    page = ruled()
    page[:, 90:93] = 70
    return page


def squared_half_in_shadow() -> UInt8Array:
    _, x = _places()
    return lit(squared(), np.where(x < 0.5, 0.5, 1.0))


def _on_table(table: UInt8Array, page: UInt8Array) -> UInt8Array:
    """A sheet of paper, turned a little, with the table around it."""
    sheet = Image.new("1", (WIDTH, HEIGHT))
    ImageDraw.Draw(sheet).polygon(SHEET, fill=1)
    return np.where(np.asarray(sheet), page, table)


def wooden_table(page: UInt8Array | None = None) -> UInt8Array:
    y, x = _places()
    grain = (
        95
        + 30 * np.sin(60 * y + 3 * np.sin(5 * x))
        + np.random.default_rng(1).normal(0, 8, y.shape)
    )
    return _on_table(grain.clip(0, 255).astype(np.uint8), plain() if page is None else page)


def ruled_on_a_table() -> UInt8Array:
    return wooden_table(ruled())


def dotted_table() -> UInt8Array:
    image = Image.new("L", (WIDTH, HEIGHT), 70)
    for x in range(5, WIDTH, 20):
        for y in range(5, HEIGHT, 20):
            ImageDraw.Draw(image).ellipse((x, y, x + 7, y + 7), 150)
    return _on_table(np.asarray(image), plain())


def name_in_a_corner() -> UInt8Array:
    image = Image.fromarray(plain())
    draw = ImageDraw.Draw(image)
    for x in range(20, 90, 14):
        draw.line([(x, 450), (x + 5, 432), (x + 10, 450)], INK, 3)
    return np.asarray(image)


def hand_at_the_edge() -> UInt8Array:
    image = Image.fromarray(plain())
    ImageDraw.Draw(image).ellipse((520, 330, 760, 620), 120)
    return np.asarray(image)


def filled() -> UInt8Array:
    return inked(cover(8, filled=True), ink=90)


def filled_and_large() -> UInt8Array:
    """A shape that is three quarters as wide as its page, in light that falls off."""
    covered = cover(6, filled=True, scale=190, middle=(200, 215), size=(420, 400))
    y, x = np.mgrid[:420, :400]
    return lit(inked(covered, ink=90), 1 - 0.2 * x / 400 - 0.2 * y / 420)


def thick_rings() -> UInt8Array:
    """A flower on a screen, drawn so thick that its light parts are smaller than its dark ones."""
    image = Image.new("L", (280, 280), 255)
    for turn in np.arange(6) * np.pi / 3:
        x, y = 140 + 55 * np.cos(turn), 140 + 55 * np.sin(turn)
        ImageDraw.Draw(image).ellipse((x - 36, y - 36, x + 36, y + 36), outline=0, width=22)
    return np.asarray(image)


def hatched() -> UInt8Array:
    return inked(cover(8, hatched=True))


def chalk() -> UInt8Array:
    return inked(cover(8), paper=45, ink=220)


def faint_pencil() -> UInt8Array:
    return inked(0.5 * cover(4), ink=100)


def grainy() -> UInt8Array:
    noise = np.random.default_rng(2).normal(0, 5, (HEIGHT, WIDTH))
    return (plain() + noise).clip(0, 255).astype(np.uint8)


def yellow_on_white() -> UInt8Array:
    covered = cover(8)
    channels = [inked(covered, paper=250, ink=ink) for ink in (250, 230, 60)]
    return np.stack(channels, axis=2)


def gray_paper() -> UInt8Array:
    return inked(cover(8), paper=140, ink=30)


def blurred() -> UInt8Array:
    return np.asarray(Image.fromarray(plain()).filter(ImageFilter.GaussianBlur(2)))
