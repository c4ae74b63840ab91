"""Writes drawings as people hand them in: pen on paper before a phone, faint, enlarged, framed.

    python -m benchmarks.paper OUT --data /path/to/data [--split train|test] [--seed N]
                               [--per-condition 200] [--only fibre,mixed]

writes OUT/<condition>/<class>/*.jpg|png, half of them apples. The drawings are those of
quickdraw/<split>, traced and drawn again by another hand. What the train split's pictures are made
with (pens, tables, hands) differs from what the test split's are: the first are for choosing
between recipes and for tuning, the second for reporting. The same seed gives the same files.
"""

import argparse
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from apple_clf.arrays import FloatArray, UInt8Array
from benchmarks.hands import Strokes, box, redrawn, trace, written
from benchmarks.pens import Colour, Pen, clouds, drawn, enclosed, flat, grain, hatched, lay, zigzag
from benchmarks.scenery import (
    Finger,
    Ruling,
    Shape,
    View,
    gradient,
    hand,
    lay_finger,
    on_table,
    paper,
    ruled,
    shadow,
    table,
    view,
    vignette,
)
from benchmarks.supplies import CHOOSING, REPORTING, Supplies

SUPPLIES = {"train": CHOOSING, "test": REPORTING}
CLASSES = ("apple", "not_apple")
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
    return choices[rng.integers(len(choices))]


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
        strokes: of a square of side 1.
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
    strokes = _placed(strokes, seen, taken, rng)
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
    common = {"tilt": scene.tilt, "perspective": scene.perspective}
    if not scene.table:
        return view(scene.shape, rng, **common)
    rows, columns = scene.shape
    height = A4 if rows > columns else 1 / A4
    if rng.random() < 0.6:  # the whole sheet
        return view(scene.shape, rng, **common, height=height, scale=rng.uniform(0.72, 0.9))
    shift = rng.uniform(-0.22, 0.22, 2)
    scale = rng.uniform(0.95, 1.2)
    return view(scene.shape, rng, **common, height=height, scale=scale, shift=(shift[0], shift[1]))


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


def _placed(
    strokes: Strokes, seen: View, taken: Sequence[Box], rng: np.random.Generator
) -> Strokes:
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


# Small pictures


def _png(pixels: UInt8Array) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def _faint(drawing: UInt8Array, percent: int, *, dark: bool) -> bytes:
    ink = np.rint(drawing * (percent / 100)).astype(np.uint8)
    return _png(255 - ink if dark else ink)


def _enlarged(drawing: UInt8Array, times: int) -> bytes:
    size = (times * drawing.shape[1], times * drawing.shape[0])
    return _png(np.asarray(Image.fromarray(drawing).resize(size, Image.Resampling.BICUBIC)))


def _framed(drawing: UInt8Array) -> bytes:
    """Dark strokes on light, and a dark line of one pixel around."""
    return _png(np.pad(255 - drawing, 1))


def on_page(strokes: Strokes, supplies: Supplies, rng: np.random.Generator) -> bytes:
    """A PNG as the served page sends it: 280x280, strokes of 16 pixels, white on black.

    Source: apple_clf/web/page/pad.js.
    """
    strokes = redrawn(strokes, rng, wobble=rng.uniform(*supplies.wobble))
    low, high = box(strokes)
    size = PAGE * rng.uniform(0.45, 0.85)
    free = (PAGE - PAGE_PEN - size * (high - low)) / 2
    middle = PAGE / 2 + rng.uniform(-1, 1, 2) * np.maximum(free, 0)
    times = 4
    image = Image.new("L", (times * PAGE, times * PAGE))
    draw = ImageDraw.Draw(image)
    radius = times * PAGE_PEN / 2
    for stroke in strokes:
        points = [tuple(point) for point in (times * curve(stroke * size + middle)).tolist()]
        draw.line(points, 255, width=times * PAGE_PEN)
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), 255)
    return _png(np.asarray(image.reduce(times).convert("RGBA")))


PAGE, PAGE_PEN = 280, 16


def curve(points: FloatArray) -> FloatArray:
    """The page's line through pointer events: quadratic from middle to middle, then straight."""
    middles = (points[1:-2] + points[2:-1]) / 2
    way = [points[:1]]
    start = points[0]
    t = np.linspace(0.25, 1, 4)[:, None]
    for control, end in zip(points[1:-2], middles, strict=True):
        way.append((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end)
        start = end
    return np.concatenate([*way, points[-2:]])


BITMAPS: dict[str, Callable[[UInt8Array], bytes]] = {
    **{
        f"ink-{side}-{percent}": (
            lambda drawing, percent=percent, dark=side == "dark": _faint(
                drawing, percent, dark=dark
            )
        )
        for side in ("dark", "light")
        for percent in (100, 90, 80, 60, 40)
    },
    "enlarged-4": lambda drawing: _enlarged(drawing, 4),
    "enlarged-10": lambda drawing: _enlarged(drawing, 10),
    "framed": _framed,
}
"""What becomes of a drawing's own pixels."""

CONDITIONS = ("page", *BITMAPS, *PAPER)


def make(
    drawing: UInt8Array, condition: str, supplies: Supplies, rng: np.random.Generator
) -> bytes:
    """A picture file of a drawing, light on dark, uint8, under a condition."""
    if condition in BITMAPS:
        return BITMAPS[condition](drawing)
    if condition == "page":
        return on_page(trace(drawing), supplies, rng)
    return photograph(trace(drawing), condition, supplies, rng)


def fits(drawing: UInt8Array, condition: str) -> bool:
    """Whether a drawing can be shown under a condition: some have nothing to colour in."""
    strokes = trace(drawing)
    if not strokes:
        return False
    return condition != "coloured" or enclosed(strokes).share >= LEAST_INSIDE


def write(
    target: Path, drawings: Path, *, condition: str, supplies: Supplies, seed: int, n: int
) -> int:
    """Writes <target>/<class>/* from <drawings>/<class>/*.png, half of each class.

    Returns:
        The number of files written: n, or fewer where there are not as many drawings.
    """
    written_files = 0
    suffix = "jpg" if condition in PAPER else "png"
    for code, name in enumerate(CLASSES):
        folder = target / name
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted((drawings / name).iterdir())
        order = np.random.default_rng([seed, code]).permutation(len(files))
        wanted = (n + 1 - code) // 2
        for place in order:
            if not wanted:
                break
            with Image.open(files[place]) as image:
                drawing = np.asarray(image.convert("L"))
            if not fits(drawing, condition):
                continue
            rng = np.random.default_rng([seed, code, int(place), zlib.crc32(condition.encode())])
            content = make(drawing, condition, supplies, rng)
            (folder / f"{files[place].stem}.{suffix}").write_bytes(content)
            wanted -= 1
            written_files += 1
    return written_files


def main() -> int:
    """The exit code, after the pictures were written."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.paper",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=list(SUPPLIES), default="train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-condition", type=int, default=200)
    parser.add_argument("--only", default=",".join(CONDITIONS), metavar="fibre,mixed")
    arguments = parser.parse_args()
    drawings = arguments.data / "quickdraw" / arguments.split
    if not drawings.is_dir():
        print(f"{drawings}: no such folder. Name the data folder by --data.", file=sys.stderr)
        return 3
    for condition in arguments.only.split(","):
        n = write(
            arguments.out / condition,
            drawings,
            condition=condition,
            supplies=SUPPLIES[arguments.split],
            seed=arguments.seed,
            n=arguments.per_condition,
        )
        print(f"{condition}: {n} pictures", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
