"""What is around a drawing: the sheet in view, ruled lines, light and shadow, a hand."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from apple_clf.arrays import FloatArray
from benchmarks.pens import Colour, Shape, clouds, grain


@dataclass(frozen=True)
class View:
    """Where a page is in a picture.

    Attributes:
        matrix: homography, (3, 3), from page (width 1, height `height`, y down) to pixels.
        height: of the page, in widths.
        shape: the picture's.
    """

    matrix: FloatArray
    height: float
    shape: Shape

    def pixels(self, points: FloatArray) -> FloatArray:
        """Points on the page, (n, 2), as points of the picture."""
        raised = np.concatenate([points, np.ones((len(points), 1))], axis=1) @ self.matrix.T
        return np.asarray(raised[:, :2] / raised[:, 2:])

    @property
    def corners(self) -> FloatArray:
        """The page's in the picture, clockwise from the upper left, (4, 2)."""
        return self.pixels(np.array([[0, 0], [1, 0], [1, self.height], [0, self.height]], float))

    @property
    def width(self) -> float:
        """The page's in pixels, in the middle."""
        ends = self.pixels(np.array([[0, self.height / 2], [1, self.height / 2]]))
        return float(np.hypot(*(ends[1] - ends[0])))


def view(
    shape: Shape,
    rng: np.random.Generator,
    *,
    tilt: float,
    perspective: float,
    height: float | None = None,
    scale: float = 1.0,
    shift: tuple[float, float] = (0.0, 0.0),
) -> View:
    """A page as a camera sees it.

    Args:
        shape: of the picture.
        rng: makes all choices.
        tilt: the most the page is turned, in degrees.
        perspective: the most a corner is off, as a share of the picture's width.
        height: of the page in widths; None: the picture shows just the page.
        scale: the page's longer relative side over the picture's.
        shift: of the page's middle, in shares of the picture's width and height.
    """
    rows, columns = shape
    height = rows / columns if height is None else height
    width = scale * min(columns, rows / height)
    angle = np.radians(rng.uniform(-tilt, tilt))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    page = np.array([[0, 0], [1, 0], [1, height], [0, height]], float)
    corners = ((page - [0.5, height / 2]) * width) @ turn
    corners += np.array([0.5 + shift[0], 0.5 + shift[1]]) * [columns, rows]
    corners += rng.uniform(-perspective, perspective, (4, 2)) * columns
    return View(_homography(page, corners), height, shape)


def _homography(source: FloatArray, target: FloatArray) -> FloatArray:
    rows, right = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(right)), 1).reshape(3, 3)


def paper(shape: Shape, rng: np.random.Generator) -> FloatArray:
    """The fibres and waves of blank paper, float32, (height, width), about 1."""
    fine = 0.008 * grain(shape, rng)
    fine += 0.008 * clouds(shape, (5, 6), rng) + 0.006 * clouds(shape, (60, 80), rng)
    fine += 1
    return fine


def polygon(corners: FloatArray, shape: Shape, *, softness: float = 0.0) -> FloatArray:
    """1 inside of a polygon, 0 outside, float32, with a smooth edge so many pixels wide."""
    if softness < SOFT:
        mask = Image.new("L", (2 * shape[1], 2 * shape[0]))
        ImageDraw.Draw(mask).polygon([tuple(point) for point in (2 * corners).tolist()], fill=255)
        return np.asarray(mask.reduce(2), np.float32) / 255
    size = np.maximum(2, np.rint(np.array(shape[::-1]) * SOFT / softness)).astype(int)
    mask = Image.new("L", tuple(size.tolist()))
    scaled = corners * (size / shape[::-1])
    ImageDraw.Draw(mask).polygon([tuple(point) for point in scaled.tolist()], fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(SOFT / 3))
    return np.asarray(mask.resize(shape[::-1], Image.Resampling.BICUBIC), np.float32) / 255


SOFT = 6
"""Pixels of a soft edge while it is drawn; the mask is then enlarged."""


def on_table(
    sheet: FloatArray, table: FloatArray, seen: View, rng: np.random.Generator
) -> FloatArray:
    """A sheet lying on a table, with the thin shadow of its edge."""
    drop = seen.width * rng.uniform(0.002, 0.008)
    toward = rng.normal(0, 1, 2)
    away = seen.corners + toward / np.hypot(*toward) * drop
    dark = polygon(away, seen.shape, softness=4 * drop)
    mask = polygon(seen.corners, seen.shape)[:, :, None]
    return mask * sheet + (1 - mask) * table * (1 - rng.uniform(0.2, 0.5) * dark[:, :, None])


# Ruled paper


@dataclass(frozen=True)
class Ruling:
    """Printed lines."""

    gap: float  # in page widths
    squared: bool
    colour: Colour
    width: float  # of a line, in page widths
    margin: float | None  # where the red line is, in page widths
    holes: bool


def ruled(canvas: FloatArray, ruling: Ruling, seen: View, hole: Colour) -> None:
    """Prints lines on a sheet that is in view, and punches its holes."""
    reach = np.array([-0.3, 1.3])
    down = np.arange(-0.3, seen.height + 0.3, ruling.gap)
    lines = [np.stack([reach, np.full(2, y)], axis=1) for y in down]
    if ruling.squared:
        ends = np.array([-0.3, seen.height + 0.3])
        across = np.arange(-0.3, 1.3, ruling.gap)
        lines += [np.stack([np.full(2, x), ends], axis=1) for x in across]
    _print(canvas, lines, ruling.width, ruling.colour, seen)
    if ruling.margin is not None:
        ends = np.array([-0.3, seen.height + 0.3])
        line = np.stack([np.full(2, ruling.margin), ends], axis=1)
        _print(canvas, [line], 1.3 * ruling.width, (0.9, 0.45, 0.45), seen)
    if ruling.holes:
        for y in np.array([0.12, 0.5, 0.88]) * seen.height:
            angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
            circle = np.array([0.035, y]) + 0.013 * np.stack([np.cos(angle), np.sin(angle)], 1)
            mask = polygon(seen.pixels(circle), seen.shape)[:, :, None]
            canvas *= 1 - mask
            canvas += mask * np.asarray(hole, np.float32)


def _print(
    canvas: FloatArray, lines: list[FloatArray], width: float, colour: Colour, seen: View
) -> None:
    times = 2
    mask = Image.new("L", (times * seen.shape[1], times * seen.shape[0]))
    draw = ImageDraw.Draw(mask)
    pixels = width * seen.width * times
    level = round(255 * min(1.0, pixels / max(1, round(pixels))))
    for line in lines:
        ends = [tuple(point) for point in (times * seen.pixels(line)).tolist()]
        draw.line(ends, fill=level, width=max(1, round(pixels)))
    share = np.asarray(mask.reduce(times), np.float32)[:, :, None] / 255
    canvas *= 1 - share * (1 - np.asarray(colour, np.float32))


# Light


def gradient(shape: Shape, rng: np.random.Generator, *, darkest: float) -> FloatArray:
    """Light that fades to one side, float32, (height, width), 1 at its brightest."""
    few = (shape[0] // 8, shape[1] // 8)
    y, x = np.mgrid[0 : few[0], 0 : few[1]] / max(few)
    angle = rng.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    along = (along - along.min()) / (along.max() - along.min())
    return _large(1 - (1 - darkest) * along ** rng.uniform(0.7, 1.6), shape)


def vignette(shape: Shape, depth: float) -> FloatArray:
    """Darker corners, float32, (height, width)."""
    y, x = np.mgrid[-1 : 1 : shape[0] // 8 * 1j, -1 : 1 : shape[1] // 8 * 1j]
    return _large(1 - depth * (x**2 + y**2) / 2, shape)


def _large(few: FloatArray, shape: Shape) -> FloatArray:
    image = Image.fromarray(few.astype(np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BICUBIC))


def shadow(shape: Shape, rng: np.random.Generator, *, softness: float, depth: float) -> FloatArray:
    """A shadow's light, float32, (height, width): of a head and shoulder, or a straight thing.

    Args:
        shape: of the picture.
        rng: makes all choices.
        softness: width of its edge, as a share of the picture's width.
        depth: share of the light that is missing inside.
    """
    rows, columns = shape
    angle = rng.uniform(0, 2 * np.pi)
    inward = np.array([np.cos(angle), np.sin(angle)])
    along = np.array([-inward[1], inward[0]])
    middle = np.array([columns, rows]) * rng.uniform(0.3, 0.7, 2)
    turn = np.stack([inward, along])
    if rng.random() < 0.5:  # straight, with a corner
        slope = rng.uniform(-0.5, 0.5)
        shapes = [np.array([[0, 0], [slope, 3], [-4, 3], [-4, rng.uniform(-1, 1)]])]
    else:
        arc = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        circle = np.stack([np.cos(arc), np.sin(arc)], axis=1)
        size = rng.uniform(0.08, 0.16)
        shoulders = circle * [1.6 * size, 2.4 * size] - [2.6 * size, 0]
        body = np.array([[-2.6, -2.4], [-2.6, 2.4], [-40, 2.4], [-40, -2.4]]) * size
        shapes = [circle * [1.25 * size, size], shoulders, body]
    mask = np.zeros(shape, np.float32)
    for corners in shapes:
        part = polygon(middle + columns * corners @ turn, shape, softness=softness * columns)
        np.maximum(mask, part, out=mask)
    return np.asarray(1 - depth * mask, np.float32)


# A hand


@dataclass(frozen=True)
class Finger:
    """A finger in pixels: from its root, outside of the picture, to its tip."""

    root: FloatArray
    tip: FloatArray
    radius: float
    has_nail: bool = True

    @property
    def box(self) -> tuple[FloatArray, FloatArray]:
        """Least and largest x and y."""
        ends = np.stack([self.root, self.tip])
        return ends.min(axis=0) - self.radius, ends.max(axis=0) + self.radius


def hand(shape: Shape, rng: np.random.Generator) -> list[Finger]:
    """A thumb, some fingers or the edge of a hand, that reach in from the border."""
    rows, columns = shape
    side, place = rng.integers(4), rng.uniform(0.15, 0.85)
    start = [(0, place), (1, place), (place, 0), (place, 1)][side]
    inward = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)][side], float)
    root = np.array(start) * [columns, rows]
    turn = rng.normal(0, 0.35)
    heading = np.array(
        [inward[0] * np.cos(turn) - inward[1] * np.sin(turn),
         inward[0] * np.sin(turn) + inward[1] * np.cos(turn)]
    )  # fmt: skip
    kind = rng.choice(["thumb", "fingers", "edge"])
    least = min(shape)
    if kind == "thumb":
        radius = least * rng.uniform(0.045, 0.075)
        reach = least * rng.uniform(0.08, 0.22)
        return [Finger(root - 3 * radius * heading, root + reach * heading, radius)]
    if kind == "edge":
        radius = least * rng.uniform(0.12, 0.2)
        along = np.array([-inward[1], inward[0]]) * rng.choice([-1, 1])
        middle = root - radius * rng.uniform(0.2, 0.7) * inward
        slope = rng.uniform(0.1, 0.5) * inward
        return [
            Finger(middle - 4 * radius * (along + slope), middle + radius * along, radius, False)
        ]
    radius = least * rng.uniform(0.03, 0.045)
    beside = np.array([-heading[1], heading[0]]) * radius * 2.1
    fingers = []
    for i in range(rng.integers(2, 4)):
        reach = least * rng.uniform(0.1, 0.2)
        foot = root + i * beside
        fingers.append(Finger(foot - 4 * radius * heading, foot + reach * heading, radius))
    return fingers


def lay_finger(canvas: FloatArray, finger: Finger, skin: Colour, rng: np.random.Generator) -> None:
    """Puts a finger, round and with its shadow, over a canvas."""
    rows, columns = canvas.shape[:2]
    low, high = finger.box
    spare = finger.radius
    left, top = np.clip(low - spare, 0, [columns, rows]).astype(int).tolist()
    right, bottom = np.clip(high + spare, 0, [columns, rows]).astype(int).tolist()
    if right - left < 2 or bottom - top < 2:
        return
    y, x = np.mgrid[top:bottom, left:right].astype(np.float32)
    axis = finger.tip - finger.root
    length = float(np.hypot(*axis))
    axis = axis / length
    along = (x - finger.root[0]) * axis[0] + (y - finger.root[1]) * axis[1]
    side = -(x - finger.root[0]) * axis[1] + (y - finger.root[1]) * axis[0]
    nearest = np.clip(along, 0, length)
    wide = finger.radius * (1 - 0.12 * (nearest / length) ** 2)
    away = np.hypot(along - nearest, side) / wide
    part = canvas[top:bottom, left:right]
    away_shadow = np.hypot(along - nearest - 0.15 * wide, side - 0.25 * wide) / wide
    part *= 1 - 0.45 * np.clip((1.35 - away_shadow) / 0.6, 0, 1)[:, :, None]
    mask = np.clip((1 - away) * finger.radius / 2 + 0.5, 0, 1)[:, :, None]
    rounded = 1 - 0.45 * np.clip(away, 0, 1) ** 3 - 0.1 * side / wide
    rounded += 0.03 * clouds(away.shape, (6, 6), rng) + 0.015 * grain(away.shape, rng)
    colour = rounded[:, :, None] * np.asarray(skin, np.float32)
    if finger.has_nail:
        colour = _with_nail(colour, along - length, side, wide, skin)
    part *= 1 - mask
    part += mask * colour


def _with_nail(
    colour: FloatArray, along: FloatArray, side: FloatArray, wide: FloatArray, skin: Colour
) -> FloatArray:
    nail_y, nail_x = (along - 0.25 * wide) / (0.55 * wide), side / (0.55 * wide)
    nail = np.clip((1 - np.hypot(nail_y, nail_x)) * 6, 0, 1)[:, :, None]
    pale = np.minimum(1, np.asarray(skin, np.float32) * 1.12 + 0.04)
    return np.asarray(colour * (1 - 0.7 * nail) + 0.7 * nail * pale)
