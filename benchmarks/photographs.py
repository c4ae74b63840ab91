"""A drawing on paper -> a JPEG file as a phone would take it, under one condition or many."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from apple_clf.arrays import FloatArray
from benchmarks.hands import Strokes, box, redrawn, written
from benchmarks.pens import (
    Colour,
    Pen,
    Shape,
    clouds,
    drawn,
    enclosed,
    flat,
    grain,
    hatched,
    lay,
    zigzag,
)
from benchmarks.scenery import (
    Ruling,
    View,
    gradient,
    hand,
    lay_finger,
    on_table,
    paper,
    ruled,
    shadow,
    view,
    vignette,
)
from benchmarks.supplies import Supplies
from benchmarks.tables import table

SHAPES: tuple[Shape, ...] = (
    (750, 1000), (768, 1024), (900, 1200), (960, 1280), (1200, 1600), (1000, 750), (1280, 960)
)  # fmt: skip
TWELVE_MEGAPIXELS: Shape = (3024, 4032)
A4 = 1.414
LEAST_INSIDE = 0.08
"""Of a drawing's box, what its outlines must enclose for it to be coloured in."""
Box = tuple[FloatArray, FloatArray]


@dataclass
class Scene:
    """All that is chosen for a picture; the defaults are mild."""

    shape: Shape
    pen: Pen
    tilt: float = 2.5
    perspective: float = 0.006
    coloured: bool = False
    ruling: Ruling | None = None
    table: str | None = None
    name: bool = False
    hand: bool = False
    lights: list[FloatArray] = field(default_factory=list)  # (height, width) each
    blur: float = 0.5  # of the camera, in pixels at 1000 pixels' width
    noise: float = 0.006
    quality: int = 90
    turned: bool = False  # stored on its side, with an EXIF note


Change = Callable[[Scene, Supplies, np.random.Generator], None]


def _pick(choices: Sequence[Colour], rng: np.random.Generator) -> Colour:
    return choices[int(rng.integers(len(choices)))]


def _fibre(scene: Scene, supplies: Supplies, rng: np.random.Generator) -> None:
    scene.pen = Pen(
        rng.uniform(*supplies.fibre_width), _pick(supplies.fibre_colours, rng), unevenness=0.15
    )


def _ballpen(scene: Scene, supplies: Supplies, rng: np.random.Generator) -> None:
    colour = _pick(supplies.ball_colours, rng)
    width = rng.uniform(*supplies.ball_width)
    scene.pen = Pen(width, colour, strength=0.95, unevenness=0.55, grain=0.12)


def _pencil(scene: Scene, supplies: Supplies, rng: np.random.Generator) -> None:
    gray = 1 - rng.uniform(*supplies.pencil_contrast)
    width = rng.uniform(*supplies.pencil_width)
    scene.pen = Pen(width, (gray, gray, gray * 1.02), unevenness=0.4, grain=0.5)


def _gradient(scene: Scene, _: Supplies, rng: np.random.Generator) -> None:
    scene.lights.append(gradient(scene.shape, rng, darkest=rng.uniform(0.35, 0.65)))


def _shadow(scene: Scene, _: Supplies, rng: np.random.Generator) -> None:
    softness = rng.uniform(0.03, 0.2) if rng.random() < 0.5 else rng.uniform(0.003, 0.01)
    depth = rng.uniform(0.25, 0.55)
    scene.lights.append(shadow(scene.shape, rng, softness=softness, depth=depth))


def _ruled(scene: Scene, supplies: Supplies, rng: np.random.Generator) -> None:
    squared = bool(rng.random() < 0.5)
    gap = rng.uniform(0.024, 0.05) if squared else rng.uniform(0.038, 0.08)
    margin = rng.uniform(0.08, 0.16) if rng.random() < 0.5 else None
    colour = _pick(supplies.line_colours, rng)
    holes = bool(rng.random() < 0.35)
    scene.ruling = Ruling(gap, squared, colour, rng.uniform(0.0012, 0.002), margin, holes)


def _name(scene: Scene, _: Supplies, __: np.random.Generator) -> None:
    scene.name = True


def _hand(scene: Scene, _: Supplies, __: np.random.Generator) -> None:
    scene.hand = True


def _table(scene: Scene, supplies: Supplies, rng: np.random.Generator) -> None:
    scene.table = supplies.tables[rng.integers(len(supplies.tables))]


def _coloured(scene: Scene, _: Supplies, __: np.random.Generator) -> None:
    scene.coloured = True


def _mixed(scene: Scene, supplies: Supplies, rng: np.random.Generator) -> None:
    """Some of everything, by a worse camera, tilted."""
    (_fibre, _ballpen, _pencil)[rng.choice(3, p=[0.5, 0.25, 0.25])](scene, supplies, rng)
    chances = [
        (_gradient, 0.5), (_shadow, 0.35), (_ruled, 0.35), (_name, 0.3), (_hand, 0.25),
        (_table, 0.35), (_coloured, 0.2),
    ]  # fmt: skip
    for change, chance in chances:
        if rng.random() < chance:
            change(scene, supplies, rng)
    scene.tilt, scene.perspective = 8.0, 0.02
    scene.blur, scene.noise = rng.uniform(0.4, 1.3), rng.uniform(0.004, 0.02)
    scene.quality = int(rng.integers(75, 93))
    scene.turned = bool(rng.random() < 0.25)


PAPER: dict[str, Change | None] = {
    "fibre": None, "ballpen": _ballpen, "pencil": _pencil, "gradient": _gradient,
    "shadow": _shadow, "ruled": _ruled, "name": _name, "hand": _hand, "table": _table,
    "coloured": _coloured, "mixed": _mixed,
}  # fmt: skip
"""What each condition changes of a fibre pen on clean white paper."""


def photograph(
    strokes: Strokes,
    condition: str,
    supplies: Supplies,
    rng: np.random.Generator,
    *,
    shape: Shape | None = None,
) -> bytes:
    """A JPEG file of a drawing on paper.

    Args:
        strokes: of a square of side 1; none for an empty sheet.
        condition: of PAPER.
        supplies: what the picture is made with.
        rng: makes all choices.
        shape: height and width in pixels; None: one of SHAPES.
    """
    shape = shape or SHAPES[rng.integers(len(SHAPES))]
    scene = Scene(shape, Pen(0.01, (0, 0, 0)), quality=int(rng.integers(85, 93)))
    _fibre(scene, supplies, rng)
    change = PAPER[condition]
    if change:
        change(scene, supplies, rng)
    strokes = redrawn(strokes, rng, wobble=rng.uniform(*supplies.wobble))
    return _developed(_composed(scene, strokes, supplies, rng), scene, rng)


def _composed(
    scene: Scene, strokes: Strokes, supplies: Supplies, rng: np.random.Generator
) -> FloatArray:
    """The light that comes from the scene, float32, (height, width, 3), 1 is white."""
    seen = _seen(scene, rng)
    canvas = np.empty((*scene.shape, 3), np.float32)
    canvas[:] = _pick(supplies.tints, rng)
    around = table(scene.table, scene.shape, rng) if scene.table else None
    if scene.ruling:
        hole = around.mean(axis=(0, 1)) if around is not None else rng.uniform(0.1, 0.4, 3)
        ruled(canvas, scene.ruling, seen, tuple(hole.tolist()))
    fingers = hand(scene.shape, rng) if scene.hand else []
    taken = [finger.box for finger in fingers]
    if scene.name:
        name = _named(seen, rng)
        taken.append(box(name))
        pen = scene.pen
        pen = replace(pen, width=min(pen.width, 0.006))
        lay(canvas, drawn(name, pen, page=seen.width, shape=scene.shape, rng=rng), pen.colour)
    if strokes:
        strokes = placed(strokes, seen, taken, rng)
        if scene.coloured:
            _colour_in(canvas, strokes, scene, seen, supplies, rng)
        patch = drawn(strokes, scene.pen, page=seen.width, shape=scene.shape, rng=rng)
        lay(canvas, patch, scene.pen.colour)
    if around is not None:
        canvas = on_table(canvas, around, seen, rng)
    if fingers:
        skin = _pick(supplies.skins, rng)
        for finger in fingers:
            lay_finger(canvas, finger, skin, rng)
    light = paper(scene.shape, rng) * vignette(scene.shape, rng.uniform(0.02, 0.12))
    for each in scene.lights:
        light *= each
    warmth, exposure = rng.normal(0, 0.02), rng.uniform(0.82, 1.0)
    canvas *= light[:, :, None]
    canvas *= exposure * np.array([1 + warmth, 1, 1 - warmth], np.float32)
    return canvas


def _seen(scene: Scene, rng: np.random.Generator) -> View:
    """How the page is in the picture: all of the picture, or a sheet with a table around."""
    held = partial(view, scene.shape, rng, tilt=scene.tilt, perspective=scene.perspective)
    if not scene.table:
        return held()
    rows, columns = scene.shape
    height = A4 if rows > columns else 1 / A4
    if rng.random() < 0.6:  # the whole sheet
        return held(height=height, scale=rng.uniform(0.72, 0.9))
    shift = rng.uniform(-0.22, 0.22, 2)
    scale = rng.uniform(0.95, 1.2)
    return held(height=height, scale=scale, shift=(shift[0], shift[1]))


def _named(seen: View, rng: np.random.Generator) -> Strokes:
    """A name in one of the page's corners, in pixels."""
    letters = written(rng)
    low, high = box(letters)
    size = rng.uniform(0.03, 0.055)
    wide, high_ = (high - low) * size
    x = rng.uniform(0.04, 0.08) if rng.random() < 0.5 else 1 - wide - rng.uniform(0.04, 0.08)
    upper = rng.random() < 0.65
    y = rng.uniform(0.03, 0.06) if upper else seen.height - high_ - rng.uniform(0.03, 0.06)
    lean = rng.normal(0, 0.04)
    moved = [(line - low) * size + [x, y] for line in letters]
    return [seen.pixels(line + np.outer(line[:, 0] - x, [0, lean])) for line in moved]


def placed(strokes: Strokes, seen: View, taken: Sequence[Box], rng: np.random.Generator) -> Strokes:
    """The drawing somewhere on the page and in the picture, clear of what is there already."""
    low, high = box(strokes)
    size = rng.uniform(0.25, 0.8)
    rows, columns = seen.shape
    inside = np.array([0.02 * columns, 0.02 * columns])
    edge = np.array([columns, rows]) - inside
    best: Strokes = []
    for attempt in range(60):
        span = min(size, 0.88 * seen.height / max(1e-9, high[1] - low[1]))
        half = span * (high - low) / 2
        free = np.array([1, seen.height]) / 2 - half - 0.03
        middle = np.array([0.5, seen.height / 2]) + rng.uniform(-1, 1, 2) * np.maximum(free, 0)
        best = [seen.pixels(stroke * span + middle) for stroke in strokes]
        here = box(best)
        clear = not any(_overlap(here, other) for other in taken)
        if clear and (here[0] >= inside).all() and (here[1] <= edge).all():
            break
        if attempt % 4 == 3:
            size = max(0.2, 0.93 * size)
    return best


def _overlap(one: Box, other: Box) -> bool:
    return bool((one[0] < other[1]).all() and (other[0] < one[1]).all())


def _colour_in(
    canvas: FloatArray,
    strokes: Strokes,
    scene: Scene,
    seen: View,
    supplies: Supplies,
    rng: np.random.Generator,
) -> None:
    """Fills what the outlines enclose, by hatching or with a broad felt pen."""
    inside = enclosed(strokes)
    if inside.share < LEAST_INSIDE:
        return
    colour = _pick(supplies.crayons, rng)
    if rng.random() < 0.5:
        lay(canvas, flat(inside, scene.shape, rng), colour)
        return
    if rng.random() < 0.25:
        colour = scene.pen.colour
    width = scene.pen.width * rng.uniform(0.8, 1.4)
    gap = width * seen.width * rng.uniform(1.3, 3.0)
    lines = hatched(inside, gap=max(gap, 3.0), angle=rng.uniform(0, np.pi), rng=rng)
    if rng.random() < 0.5:
        lines = zigzag(lines)
    if lines:
        pen = replace(scene.pen, width=width)
        lay(canvas, drawn(lines, pen, page=seen.width, shape=scene.shape, rng=rng), colour)


def _developed(light: FloatArray, scene: Scene, rng: np.random.Generator) -> bytes:
    """What a phone makes of it: blur, noise, JPEG, and a note which way is up."""
    columns = scene.shape[1]
    light *= 255
    image = Image.fromarray(np.clip(light, 0, 255, out=light).astype(np.uint8))
    image = image.filter(ImageFilter.BoxBlur(scene.blur * columns / 1000))
    noise = 255 * scene.noise * grain(scene.shape, rng)
    noise += 100 * scene.noise * clouds(scene.shape, (scene.shape[0] // 6, columns // 6), rng)
    grains = Image.fromarray(np.clip(noise + 128, 0, 255).astype(np.uint8)).convert("RGB")
    image = ImageChops.add(image, grains, 1, -128)
    exif = Image.Exif()
    if scene.turned:  # what is stored must be turned by 90 degrees clockwise to be upright
        image = image.transpose(Image.Transpose.ROTATE_90)
        exif[0x0112] = 6
    file = BytesIO()
    image.save(file, "JPEG", quality=scene.quality, exif=exif)
    return file.getvalue()
